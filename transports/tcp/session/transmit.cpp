// SPDX-License-Identifier: BSD-2-Clause
#include "transmit.hpp"

namespace nvmf::tcp {
namespace {

// A list of pieces being filled, and how many bytes they may still have.
struct filling {
  std::span<segment> out;
  std::size_t most;
  std::size_t count = 0;

  bool full() const { return count == out.size() || most == 0; }
  // One piece, or the part of it that is still allowed.
  void add(std::byte* data, std::size_t size) {
    if (size == 0 || full()) return;
    const std::size_t n = size < most ? size : most;
    out[count++] = {data, n};
    most -= n;
  }
};

// What of `pdu` has not left.
void add_rest(filling& to, const tx_pdu& pdu) {
  auto& own = const_cast<tx_pdu&>(pdu);  // segment has no read-only twin; nothing writes here
  std::size_t skip = pdu.sent;
  if (skip < pdu.head_size) {
    to.add(own.head.data() + skip, pdu.head_size - skip);
    skip = 0;
  } else {
    skip -= pdu.head_size;
  }
  const std::size_t size = pdu.data.size();
  if (skip < size) {
    if (to.full()) return;
    const std::size_t left = size - skip;
    if (pdu.data.contiguous()) {
      to.add(pdu.data.piece().data() + skip, left);
    } else {
      const std::size_t n = left < to.most ? left : to.most;
      const std::size_t pieces = pdu.data.pieces(skip, n, to.out.subspan(to.count));
      std::size_t covered = 0;
      for (std::size_t i = 0; i < pieces; ++i) covered += to.out[to.count + i].size;
      to.count += pieces;
      to.most -= covered;
      // Short of places: what follows must not be taken for what comes next.
      if (covered < left) to.most = 0;
    }
    skip = 0;
  } else {
    skip -= size;
  }
  to.add(own.tail.data() + skip, pdu.tail_size - skip);
}

void free_copy(void*, std::span<const std::byte> bytes) noexcept { delete[] bytes.data(); }

}  // namespace

std::size_t transmit_queue::gather(std::span<segment> out, std::size_t most) const {
  filling to{out, most};
  if (begun_ != nullptr) add_rest(to, *begun_);
  for (const tx_pdu* pdu = urgent_.front(); pdu != nullptr && !to.full(); pdu = pdu->next)
    add_rest(to, *pdu);
  for (const tx_pdu* pdu = normal_.front(); pdu != nullptr && !to.full(); pdu = pdu->next)
    add_rest(to, *pdu);
  return to.count;
}

// Data that has not left moves to a copy; data that has is no longer needed, its place is kept so
// that the arithmetic of `sent` stays.
void transmit_queue::own(tx_pdu& pdu) {
  pdu.owner = nullptr;
  pdu.borrowed = false;
  const std::size_t size = pdu.data.size();
  if (size == 0) return;
  auto* copy = new std::byte[size];
  pdu.data.copy_out(0, {copy, size});
  pdu.owned = buffer({copy, size}, free_copy, nullptr);
  pdu.data = memdesc::of(std::span{copy, size});
}

void transmit_queue::detach(std::size_t copy_max) {
  if (begun_ != nullptr) own(*begun_);
  bool dropping = false;
  const auto settle = [&](fifo_list& list) {
    fifo_list kept;
    while (!list.empty()) {
      tx_pdu* pdu = list.pop();
      const std::size_t size = pdu->data.size();
      dropping = dropping || size > copy_max;
      if (dropping) {
        forget(pdu, &list == &urgent_);
        continue;
      }
      own(*pdu);
      copy_max -= size;
      kept.push(pdu);
    }
    list = kept;
  };
  settle(urgent_);
  settle(normal_);
}

void transmit_queue::drop_unbegun() {
  clear(urgent_);
  clear(normal_);
}

void transmit_queue::drop_all() {
  if (begun_ != nullptr) {
    bytes_ -= begun_->size() - begun_->sent;
    pool_->give_pdu(std::exchange(begun_, nullptr));
  }
  drop_unbegun();
}

}  // namespace nvmf::tcp
