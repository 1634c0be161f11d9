// SPDX-License-Identifier: BSD-2-Clause
#include "relay.hpp"

#include <cassert>
#include <utility>

namespace nvmf::cli::repl {

relay::relay(qpair inner, std::vector<capsule> waiting)
    : forwarding_qpair(std::move(inner)), waiting_(std::move(waiting)) {}

void relay::start(qpair_callbacks callbacks) {
  callbacks_ = std::move(callbacks);
  who_.runs_on->post([self = shared_from_this()] {
    for (capsule& c : std::exchange(self->waiting_, {}))
      if (!self->closed_) self->callbacks_.on_receive(std::move(c));
  });
}

void relay::take(capsule c) {
  if (closed_) return;
  // Behind those that came before.
  if (!callbacks_.on_receive || !waiting_.empty()) return waiting_.push_back(std::move(c));
  const auto self = shared_from_this();
  callbacks_.on_receive(std::move(c));
}

void relay::lose(const qpair_error& why) {
  if (closed_ || !callbacks_.on_error) return;
  const auto self = shared_from_this();
  callbacks_.on_error(why);
}

void relay::close(bool clean) {
  if (std::exchange(closed_, true)) return;
  waiting_.clear();
  in().close(clean);
}

namespace {

class door final : public transport {
 public:
  explicit door(accept_callback& enter) : enter_(enter) {}
  std::string_view type() const override { return "by-hand"; }
  int priority() const override { return 0; }
  bool accepts(const qpair_params&) const override { return true; }
  std::shared_ptr<connect_attempt> connect(executor&, const endpoint&, const qpair_params&,
                                           connect_callback) override {
    assert(false && "nobody connects through it");
    return nullptr;
  }
  std::expected<std::unique_ptr<listener>, std::error_code> listen(
      executor&, const endpoint& at, const qpair_params&, executor_chooser choose,
      accept_callback accept) override {
    enter_ = [choose = std::move(choose), accept = std::move(accept)](qpair q) {
      (void)choose();
      accept(std::move(q));
    };
    return std::make_unique<standing>(at);
  }
  std::size_t qpairs() const override { return 0; }

 private:
  class standing final : public listener {
   public:
    explicit standing(endpoint at) : at_(std::move(at)) {}
    endpoint where() const override { return at_; }

   private:
    endpoint at_;
  };
  accept_callback& enter_;
};

}  // namespace

std::shared_ptr<transport> make_door(accept_callback& enter) {
  return std::make_shared<door>(enter);
}

}  // namespace nvmf::cli::repl
