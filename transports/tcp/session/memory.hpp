// SPDX-License-Identifier: BSD-2-Clause
// Memory that the connections of one executor share, so that a connection at rest holds none of it:
// places for PDUs on their way out and blocks for in-capsule data. What is given back is kept for
// the next taker, up to a bound: a crowd that has gone leaves nothing behind.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <memory>
#include <new>
#include <nvmf/buffer.hpp>
#include <nvmf/memdesc.hpp>
#include <vector>

#include "core/memory_reserve.hpp"
#include "limits.hpp"

namespace nvmf::tcp {

// What a PDU on its way out is, for what happens when it has left.
enum class tx_kind : std::uint8_t { other, command, h2c_data, c2h_data, response, termreq, raw };

// One PDU on its way out: header bytes of its own, data that is borrowed or owned, data digest.
struct tx_pdu {
  tx_pdu* next = nullptr;
  tx_kind kind = tx_kind::other;
  bool borrowed = false;  // data lies in memory of the user's
  bool ends = false;      // nothing of its command follows
  std::uint16_t cid = 0;
  std::uint32_t head_size = 0;  // header, header digest and padding
  std::uint32_t tail_size = 0;  // data digest: 0 or 4
  std::size_t sent = 0;         // bytes of the whole that have left
  void* owner = nullptr;        // the command it belongs to
  memdesc data{};
  buffer owned{};
  std::array<std::byte, 4> tail{};
  alignas(8) std::array<std::byte, max_header> head{};

  std::size_t size() const { return head_size + data.size() + tail_size; }
};

class memory_pool {
 public:
  // PDUs that are kept: more than a busy reactor has on their way at a time.
  static constexpr std::size_t keep_pdus_max = 4096;

  memory_pool() = default;
  memory_pool(const memory_pool&) = delete;
  memory_pool& operator=(const memory_pool&) = delete;
  ~memory_pool() {
    while (free_ != nullptr) delete std::exchange(free_, free_->next);
  }

  tx_pdu* take_pdu() {
    if (free_ == nullptr) return new tx_pdu;
    --kept_pdus_;
    tx_pdu* pdu = std::exchange(free_, free_->next);
    pdu->kind = tx_kind::other;
    pdu->borrowed = pdu->ends = false;
    pdu->head_size = pdu->tail_size = 0;
    pdu->sent = 0;
    pdu->owner = nullptr;
    return pdu;
  }
  void give_pdu(tx_pdu* pdu) noexcept {
    if (kept_pdus_ == keep_pdus_max) return delete pdu;
    ++kept_pdus_;
    pdu->data = {};
    pdu->owned.reset();
    pdu->next = free_;
    free_ = pdu;
  }
  std::size_t pdus_kept() const { return kept_pdus_; }

  // A block of at least `size` bytes, size > 0; the capacity is found again from the size. nullptr:
  // there is no memory for it, and the command that wants it can be refused.
  std::byte* take_block(std::size_t size) {
    auto& kept = blocks_[size_class(size)];
    if (kept.empty()) {
      const reserve_scope refusable(reserve_share::none);
      return new (std::nothrow) std::byte[capacity(size)];
    }
    std::byte* block = kept.back().release();
    kept.pop_back();
    kept_bytes_ -= capacity(size);
    return block;
  }
  void give_block(std::byte* block, std::size_t size) noexcept {
    std::unique_ptr<std::byte[]> owned(block);
    if (kept_bytes_ + capacity(size) > keep_max) return;
    kept_bytes_ += capacity(size);
    blocks_[size_class(size)].push_back(std::move(owned));
  }

 private:
  static constexpr std::size_t keep_max = 4 * 1024 * 1024;

  static std::size_t capacity(std::size_t size) {
    return std::bit_ceil(std::max<std::size_t>(size, 512));
  }
  static std::size_t size_class(std::size_t size) {
    return static_cast<std::size_t>(std::bit_width(capacity(size)));
  }

  tx_pdu* free_ = nullptr;
  std::size_t kept_pdus_ = 0;
  std::array<std::vector<std::unique_ptr<std::byte[]>>, 65> blocks_;
  std::size_t kept_bytes_ = 0;
};

}  // namespace nvmf::tcp
