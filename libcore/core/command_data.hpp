// SPDX-License-Identifier: BSD-2-Clause
// How a command's SGL 1 says where its data is, and the SQHD of responses: the same for every
// transport, so written once. A host's transport writes SGL 1 whatever the caller put there; a
// controller's transport checks what arrived.
#pragma once

#include <cstdint>
#include <nvmf/qpair.hpp>
#include <span>

namespace nvmf {

// Where the data of a command travels.
enum class data_place : std::uint8_t {
  none,        // the command has no data
  in_capsule,  // SGL Data Block with subtype Offset: within the capsule
  transport,   // Transport SGL Data Block: the transport moves it (TCP: R2T and data PDUs)
  keyed,       // Keyed SGL Data Block: the controller reads or writes it by address and key (RDMA)
};

// address and key: data_place::keyed only.
void write_sgl(std::span<std::byte, 64> sqe, data_place place, std::uint32_t length,
               std::uint64_t address = 0, std::uint32_t key = 0);

struct capsule_limits {
  bool keyed = false;                // data outside of the capsule is keyed, not transport
  std::uint32_t max_in_capsule = 0;  // bytes that this controller allows
};
// `carried`: bytes of data in the capsule as it arrived. ok() when the command may be used
// (Base 4.1.2, Fabrics 2.3, NVMe/TCP 3.3).
nvme_status check_sgl(std::span<const std::byte, 64> sqe, std::uint32_t carried,
                      const capsule_limits& limits);

// The length that SGL 1 gives, bytes.
std::uint32_t sgl_length(std::span<const std::byte, 64> sqe);
// The way that the command's data goes, as its opcode says, or its Fabrics command type
// (Base 3.1.3): none when it has no data.
direction way_of(std::span<const std::byte, 64> sqe);
// Of Fabrics commands; 0: it is none.
std::uint8_t fabrics_type_of(std::span<const std::byte, 64> sqe);
// SGL 1 says that the data is in the capsule.
bool sgl_in_capsule(std::span<const std::byte, 64> sqe);

// SQHD as a controller reports it (Base 3.3.3.2, Fabrics 3.3): with SQ flow control each response
// says one entry more, modulo the queue size; without it SQHD is FFFFh in the Connect response and
// 0 after it. Before Connect has settled the queue it is 0.
class sq_head {
 public:
  void settle(std::uint32_t queue_size, bool flow_control) {
    size_ = queue_size;
    flow_control_ = flow_control;
    head_ = flow_control ? 0 : 0xffff;
  }
  std::uint16_t next() {
    if (size_ == 0) return 0;
    if (!flow_control_) return static_cast<std::uint16_t>(std::exchange(head_, 0));
    head_ = (head_ + 1) % size_;
    return static_cast<std::uint16_t>(head_);
  }

 private:
  std::uint32_t size_ = 0;
  std::uint32_t head_ = 0;
  bool flow_control_ = true;
};

}  // namespace nvmf
