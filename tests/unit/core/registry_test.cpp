// SPDX-License-Identifier: BSD-2-Clause
#include <doctest/doctest.h>

#include <nvmf/transport.hpp>

using namespace nvmf;

namespace {

class fake final : public transport {
 public:
  fake(std::string_view type, int priority, bool willing)
      : type_(type), priority_(priority), willing_(willing) {}
  std::string_view type() const override { return type_; }
  int priority() const override { return priority_; }
  bool accepts(const qpair_params&) const override { return willing_; }
  std::shared_ptr<connect_attempt> connect(executor&, const endpoint&, const qpair_params&,
                                           connect_callback) override {
    return nullptr;
  }
  std::expected<std::unique_ptr<listener>, std::error_code> listen(executor&, const endpoint&,
                                                                   const qpair_params&,
                                                                   executor_chooser,
                                                                   accept_callback) override {
    return std::unexpected(make_error_code(errc::not_supported));
  }
  std::size_t qpairs() const override { return alive; }
  std::size_t alive = 0;

 private:
  std::string_view type_;
  int priority_;
  bool willing_;
};

}  // namespace

TEST_CASE("the higher priority is asked first and a refusal falls through") {
  transport_registry r;
  CHECK(r.find("tcp", {}).error() == errc::no_transport);
  auto low = std::make_shared<fake>("tcp", 0, true);
  auto high = std::make_shared<fake>("tcp", 10, true);
  auto picky = std::make_shared<fake>("tcp", 20, false);
  r.add(low);
  r.add(picky);
  r.add(high);
  CHECK(r.find("tcp", {}).value() == high);
  CHECK_FALSE(r.remove(high.get()));
  CHECK(r.find("tcp", {}).value() == low);
  CHECK_FALSE(r.remove(low.get()));
  CHECK(r.find("tcp", {}).error() == errc::transport_refused);
  CHECK(r.find("rdma", {}).error() == errc::no_transport);
}

TEST_CASE("a provider with a live qpair stays") {
  transport_registry r;
  auto t = std::make_shared<fake>("tcp", 0, true);
  r.add(t);
  t->alive = 1;
  CHECK(r.remove(t.get()) == errc::busy);
  t->alive = 0;
  CHECK_FALSE(r.remove(t.get()));
}

TEST_CASE("qpair parameters out of range are named") {
  const auto bad = [](auto change) {
    qpair_params p;
    change(p);
    return check(p).error();
  };
  CHECK(check(qpair_params{}).has_value());
  CHECK(bad([](auto& p) { p.queue_size = 1; }).starts_with("queue_size"));
  CHECK(bad([](auto& p) { p.queue_size = 4097; }).starts_with("queue_size"));
  CHECK(bad([](auto& p) {
          p.admin = false;
          p.qid = 1;
          p.queue_size = 1;
        }).starts_with("queue_size"));
  CHECK(bad([](auto& p) {
          p.admin = false;
          p.qid = 1;
          p.queue_size = 65537;
        }).starts_with("queue_size"));
  CHECK(bad([](auto& p) { p.admin = false; }).starts_with("qid"));
  CHECK(bad([](auto& p) { p.options.alignment = 0; }).starts_with("alignment"));
  CHECK(bad([](auto& p) { p.options.alignment = 6; }).starts_with("alignment"));
  CHECK(bad([](auto& p) { p.options.alignment = 132; }).starts_with("alignment"));
  CHECK(bad([](auto& p) { p.options.max_h2c_data = 4095; }).starts_with("max_h2c_data"));
  CHECK(bad([](auto& p) { p.options.max_h2c_data = 4092; }).starts_with("max_h2c_data"));
  CHECK(bad([](auto& p) { p.options.max_h2c_data = 4098; }).starts_with("max_h2c_data"));
  CHECK(bad([](auto& p) { p.options.max_r2t = 0; }).starts_with("max_r2t"));
  CHECK(bad([](auto& p) { p.options.max_r2t = 65537; }).starts_with("max_r2t"));
  qpair_params io;
  io.admin = false;
  io.qid = 1;
  io.queue_size = 65536;
  CHECK(check(io).has_value());
}
