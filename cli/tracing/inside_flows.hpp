// SPDX-License-Identifier: BSD-2-Clause
// From the events of our own ends to the streams of a tracer: over TCP its PDUs, elsewhere capsules
// and data.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <nvmf/event.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "trace/byte_stream.hpp"
#include "trace/capsule_stream.hpp"
#include "trace/rdma/rdma_facts.hpp"

namespace nvmf::cli {

// An event as it was kept; its header, data and text lie behind each other.
struct inside_record {
  event_type type;
  std::uint32_t qpair;
  std::uint16_t cid;
  time_point at;
  std::uint64_t a, b;
  std::uint32_t header_bytes, data_bytes, text_bytes;
};

class inside_flows {
 public:
  // The tracer outlives it.
  explicit inside_flows(trace::tracer& to);

  void take(const inside_record& r, const std::byte* bytes);
  // Nobody looks any more.
  void finish();

 private:
  using record = inside_record;
  using byte_span = trace::byte_span;
  struct flow {
    std::string peer{};
    std::unique_ptr<trace::byte_stream> stream{};
    std::unique_ptr<trace::capsule_stream> capsules{};  // where there are no PDUs
    bool host_here = true;
    bool rdma = false;
    struct work_request {
      std::string_view kind;
      std::uint16_t cid;
      std::uint64_t bytes;
      trace::rdma_facts about;
      trace::stamp at;
    };
    std::deque<work_request> posted{};  // not done yet, the oldest first
    std::vector<std::byte> header{};    // whose data has not come
    std::uint64_t data = 0;
    std::uint64_t used = 0;  // at which frame, last
  };
  flow& flow_of(const record& r);
  void out_or_in(flow& f, const record& r, byte_span header, byte_span data);
  void complete(flow& f, const record& r);
  void add_pdu(flow& f, const record& r, byte_span header, byte_span data, std::uint64_t size);
  void begin(flow& f, const record& r, byte_span header, bool leaves);
  std::pair<trace::endpoint, trace::endpoint> ends_of(const flow& f, const record& r) const;
  void take_capsule(flow& f, const record& r, byte_span header, byte_span data);
  void take_posted(flow& f, const record& r, byte_span header, byte_span data);
  void take_done(flow& f, const record& r, byte_span data, std::string_view text);
  void begin_capsules(flow& f, const record& r, bool host_here);
  void end(flow& f, const trace::stamp& at, std::optional<bool> by_us);
  trace::stamp stamp_of(const record& r);

  trace::tracer& tracer_;
  std::chrono::nanoseconds to_wall_;
  std::map<std::uint32_t, flow> flows_;  // by qpair
  std::uint64_t frames_ = 0;
};

}  // namespace nvmf::cli
