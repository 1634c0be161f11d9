// SPDX-License-Identifier: BSD-2-Clause
// What all connections of one reactor share: the place that bytes are read into, and the memory
// pool. A service of its io_context, so that it is made once, on demand, and goes with the reactor.
#pragma once

#include <array>
#include <boost/asio/execution_context.hpp>
#include <memory>

#include "core/reactor.hpp"
#include "session/memory.hpp"
#include "socket.hpp"

namespace nvmf::tcp {

class room final : public asio::execution_context::service {
 public:
  using key_type = room;
  static const asio::execution_context::id id;

  static constexpr std::size_t scratch_size = 256 * 1024;

  explicit room(asio::execution_context& context)
      : asio::execution_context::service(context),
        scratch_(std::make_unique_for_overwrite<std::byte[]>(scratch_size)) {}

  static room& of(reactor& on) { return asio::use_service<room>(on.context()); }

  std::span<std::byte> scratch() { return {scratch_.get(), scratch_size}; }
  std::span<segment> pieces() { return pieces_; }
  // Outlives the reactor while capsules are held.
  const std::shared_ptr<memory_pool>& memory() const { return memory_; }

 private:
  void shutdown() override {}

  std::unique_ptr<std::byte[]> scratch_;
  std::shared_ptr<memory_pool> memory_ = std::make_shared<memory_pool>();
  std::array<segment, max_pieces> pieces_{};
};

}  // namespace nvmf::tcp
