// SPDX-License-Identifier: BSD-2-Clause
// Packets in, conversations out: finds the NVMe/TCP connections among the packets of a capture, on
// whatever port, and tells a listener what is said on them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "conversation/connection.hpp"
#include "conversation/packet_place.hpp"
#include "rdma/rdma_tracer.hpp"
#include "stream/flow_table.hpp"

namespace nvmf::trace {

// Who wants the packets themselves. Told of each after the listener was told what is in it.
class packet_sink {
 public:
  virtual ~packet_sink() = default;
  enum class part : std::uint8_t {
    nvme,       // its connection is NVMe, or was a moment ago
    undecided,  // not known yet: on_packet() of a later packet of the flow tells
    other,
  };
  // `flow`: of a packet with TCP; else null.
  virtual void on_packet(const packet& p, part of, const flow_key* flow,
                         const packet_place& place) = 0;
};

class made_packet_sink;  // capture/packet_maker.hpp

struct tracer_options {
  // Where NVMe/TCP is expected, also when the capture begins within the connection. On other ports
  // it is recognised by its first PDU.
  std::vector<std::uint16_t> ports{4420, 8009};
  conversation_options conversation = {};
  packet_sink* packets = nullptr;
  // Of connections that come without packets (byte_stream): those that could have carried them.
  made_packet_sink* made = nullptr;
};

// What a capture held, for who asks why nothing was found.
struct packet_counts {
  std::uint64_t packets = 0, bytes = 0;  // bytes on the wire
  std::uint64_t tcp = 0, udp = 0, other_ip = 0, not_ip = 0;
  std::uint64_t other_link = 0, fragments = 0, headers_cut = 0, malformed = 0;
  std::uint64_t cut = 0;              // packets that the snap length cut
  std::uint32_t cut_at = 0;           // the longest of them, as captured
  std::uint64_t roce = 0;             // UDP to port 4791
  std::uint64_t roce_unknown = 0;     // of connections that were set up before the capture
  std::uint64_t flows = 0, tls = 0;   // TCP connections; those that begin with TLS on our ports
  std::uint64_t connections = 0;      // of NVMe
  std::uint64_t forgotten = 0;        // flows that made room for others
  flow_counts flow;                   // of all flows that were followed
  std::optional<std::uint16_t> link;  // the first that is not read
  std::int64_t first_ns = 0, last_ns = 0;
};

// One TCP connection of the capture: watched until it is known whether NVMe is in it.
class watched_flow final : public stream_sink {
 public:
  enum class kind : std::uint8_t { undecided, nvme, other };
  // What all flows share.
  struct surroundings {
    const tracer_options& options;
    listener& to;
    packet_counts& counts;
    held_budget held = {};
    command_budget commands = {};
  };

  void take(const segment& s, const stamp& at, surroundings& with);
  void finish(const stamp& at, surroundings& with);
  // Of a connection whose bytes come in order, and all of them: its first end is the host's, and
  // NVMe is expected.
  void open(const flow_key& key);
  void take_bytes(unsigned from, byte_span bytes, const stamp& at, surroundings& with);
  void take_absent(unsigned from, std::uint64_t bytes, const stamp& at, surroundings& with);
  // An end sends no more, or all is over.
  void take_end(unsigned from);
  // What is outstanding has its fate. `closed`: by an end of the connection.
  void close(const stamp& at, bool closed, surroundings& with);
  kind what() const { return what_; }
  // Of the last connection between these ends, also when it is over.
  bool is_or_was_nvme() const { return what_ == kind::nvme || was_nvme_; }
  // Of what that end has just sent; its flags and size are the caller's to add.
  packet_place place(unsigned from) const;
  std::size_t outstanding() const { return nvme_ != nullptr ? nvme_->outstanding() : 0; }

 private:
  void on_bytes(unsigned from, byte_span bytes, const stamp& at) override;
  void on_absent(unsigned from, std::uint64_t bytes, absence why, const stamp& at) override;
  void on_middle(unsigned from, const stamp& at) override;

  void decide(unsigned from, byte_span bytes, const stamp& at);
  void recognise(unsigned host, const stamp& at);
  void decline(bool tls);
  unsigned host_end() const;
  bool expected(unsigned which) const;

  kind what_ = kind::undecided;
  bool was_nvme_ = false;
  bool told_host_ = false;  // by a SYN
  bool opened_ = false;     // by open()
  std::uint8_t host_ = 0;
  std::uint8_t nvme_host_ = 0;  // which end it is, once that is settled
  std::uint32_t number_ = 0;    // of the connection, also when it is over
  std::array<bool, 2> middle_{};
  std::array<bool, 2> fin_{};
  std::uint64_t undecided_bytes_ = 0;
  flow_key key_;
  surroundings* with_ = nullptr;  // during a call
  std::unique_ptr<tcp_flow> flow_;
  std::unique_ptr<tcp_connection> nvme_;
  // The first bytes, until there are enough of them.
  std::vector<std::byte> first_;
  std::uint8_t first_from_ = 0;
};

class byte_stream;
class capsule_stream;

class tracer {
 public:
  tracer(tracer_options options, listener& to)
      : options_(std::move(options)), with_{.options = options_, .to = to, .counts = counts_} {}
  tracer(const tracer&) = delete;
  tracer& operator=(const tracer&) = delete;

  void take(const packet& p);
  // The capture is over.
  void finish();

  const packet_counts& counts() const { return counts_; }
  // TCP ports of connections that are not NVMe, by packets: the lower port of each.
  const std::map<std::uint16_t, std::uint64_t>& other_ports() const { return other_ports_; }

 private:
  friend class byte_stream;
  friend class capsule_stream;
  packet_sink::part take_segment(const segment& s, const stamp& at, packet_place& place);
  packet_sink::part take_other(const packet& p, const dissection& d, packet_place& place);
  packet_place take_roce(const packet& p);

  tracer_options options_;
  packet_counts counts_;
  watched_flow::surroundings with_;
  std::map<std::uint16_t, std::uint64_t> other_ports_;
  flow_table<watched_flow> flows_;
  std::unique_ptr<rdma_tracer> rdma_;  // once there is a packet for it
};

}  // namespace nvmf::trace
