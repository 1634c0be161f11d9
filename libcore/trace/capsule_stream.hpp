// SPDX-License-Identifier: BSD-2-Clause
// One queue of whoever exchanges capsules and data without PDUs that could be seen: the loop
// transport, the inside of our own ends over RDMA. It is told in the terms of NVMe/TCP, the headers
// of which are made up; who wants packets gets those, with their data absent.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "capture/packet_maker.hpp"
#include "tracer.hpp"

namespace nvmf::trace {

class capsule_connection;

class capsule_stream {
 public:
  // The tracer outlives this.
  capsule_stream(tracer& of, fabric by, const endpoint& host, const endpoint& controller,
                 const stamp& at);
  capsule_stream(const capsule_stream&) = delete;
  capsule_stream& operator=(const capsule_stream&) = delete;
  ~capsule_stream();

  // 64 bytes, and `bytes` of data in the capsule, of which the first may be there. Borrowed, as all
  // below. `by`: of RDMA, which knows no offsets but keys and addresses.
  void command(byte_span sqe, byte_span data, std::uint32_t bytes, const stamp& at,
               const rdma_facts* by = nullptr);
  // The controller asks for a part of a command's data: R2T in other words.
  void ask(std::uint16_t cid, std::uint32_t offset, std::uint32_t bytes, const stamp& at,
           const rdma_facts* by = nullptr);
  // A part of it goes one way.
  void data(way going, std::uint16_t cid, std::uint32_t offset, byte_span data, std::uint32_t bytes,
            const stamp& at, const rdma_facts* by = nullptr);
  // 16 bytes. `made_up`: it was not sent, the last data said it.
  void response(byte_span cqe, bool made_up, const stamp& at, const rdma_facts* by = nullptr);
  // A work request is done.
  void work(const trace::work& w);
  // `by`: who ended it, when somebody did.
  void close(std::optional<way> by, const stamp& at);

 private:
  void count(std::uint64_t bytes, const stamp& at);
  // A PDU with its header made, before its data, and `absent` bytes behind those that are there.
  void packet(way going, byte_span header, byte_span data, std::uint32_t bytes, const stamp& at);

  tracer& of_;
  std::unique_ptr<capsule_connection> told_;
  packet_place place_;
  std::optional<packet_maker> packets_;
  bool greeted_ = false;
};

}  // namespace nvmf::trace
