// SPDX-License-Identifier: BSD-2-Clause
#include "inside_flows.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/ip/address.hpp>
#include <chrono>

#include "rdma/verbs.hpp"
#include "wire/host.hpp"
#include "wire/layouts/entries.hpp"
#include "wire/layouts/pdu.hpp"

namespace nvmf::cli {
namespace {

using trace::byte_span;

constexpr std::size_t flows_max = 4096;
constexpr std::size_t posted_max = 65'536;  // more than a queue pair has room for
constexpr std::uint16_t default_port = 4420, first_made_port = 49'152;
constexpr std::uint8_t flag_hdgst = 1, flag_ddgst = 2;

// PDUs of even types travel from the host (NVMe/TCP 3.6).
bool is_from_host(byte_span header) { return (std::to_integer<unsigned>(header[0]) & 1) == 0; }
bool is_termreq(byte_span header) {
  const auto type = std::to_integer<unsigned>(header[0]);
  return type == 2 || type == 3;
}

trace::endpoint endpoint_of(std::string_view text) {
  trace::endpoint e;
  const auto at = wire::parse_endpoint(text);
  if (!at) return e;
  boost::system::error_code wrong;
  const auto address = boost::asio::ip::make_address(at->host, wrong);
  const auto put = [&](const auto& bytes) {
    std::ranges::transform(bytes, e.address.begin(), [](auto b) { return std::byte{b}; });
  };
  if (!wrong && address.is_v6()) {
    e.family = trace::ip_family::v6;
    put(address.to_v6().to_bytes());
  } else if (!wrong) {
    put(address.to_v4().to_bytes());
  }
  e.port = at->port.value_or(0);
  return e;
}

}  // namespace

inside_flows::inside_flows(trace::tracer& to)
    : tracer_(to),
      to_wall_(std::chrono::duration_cast<std::chrono::nanoseconds>(
          std::chrono::system_clock::now().time_since_epoch() - clock::now().time_since_epoch())) {}

void inside_flows::finish() {
  const trace::stamp last{tracer_.counts().last_ns, frames_};
  for (auto& [qpair, f] : flows_) end(f, last, std::nullopt);
  flows_.clear();
}

trace::stamp inside_flows::stamp_of(const record& r) {
  return {(r.at.time_since_epoch() + to_wall_).count(), ++frames_};
}

// The host's end and the controller's. The own one is not told: a port that tells connections
// apart, or the one of controllers.
std::pair<trace::endpoint, trace::endpoint> inside_flows::ends_of(const flow& f,
                                                                  const record& r) const {
  const trace::endpoint peer = endpoint_of(f.peer);
  const trace::endpoint own{.family = peer.family};
  std::pair<trace::endpoint, trace::endpoint> ends =
      f.host_here ? std::pair{own, peer} : std::pair{peer, own};
  if (ends.first.port == 0)
    ends.first.port = static_cast<std::uint16_t>(first_made_port + r.qpair % 16'000);
  if (ends.second.port == 0) ends.second.port = default_port;
  return ends;
}

void inside_flows::begin(flow& f, const record& r, byte_span header, bool leaves) {
  if (f.stream != nullptr) return;
  f.host_here = is_from_host(header) == leaves;
  const auto [host, controller] = ends_of(f, r);
  f.stream = std::make_unique<trace::byte_stream>(tracer_, host, controller,
                                                  trace::packet_maker_options{});
}

// Without a transport that has PDUs. A loop has names in place of addresses, and both of its ends
// may be here.
void inside_flows::begin_capsules(flow& f, const record& r, bool host_here) {
  if (f.capsules != nullptr) return;
  f.host_here = host_here;
  const auto [host, controller] = ends_of(f, r);
  f.capsules = std::make_unique<trace::capsule_stream>(
      tracer_, f.rdma ? trace::fabric::rdma : trace::fabric::loop, host, controller, stamp_of(r));
}

void inside_flows::take_capsule(flow& f, const record& r, byte_span header, byte_span data) {
  // Over TCP its PDU tells it.
  if (f.stream != nullptr) return;
  // Over RDMA the SEND of a capsule tells what has left, and when.
  if (f.rdma && (r.type == event_type::command_out || r.type == event_type::response_out)) return;
  const bool command = r.type == event_type::command_out || r.type == event_type::command_in;
  if (command && header.size() == 64) begin_capsules(f, r, r.type == event_type::command_out);
  if (f.capsules == nullptr) return;
  static constexpr trace::rdma_facts of_inside{.inside = true};
  const trace::rdma_facts* by = f.rdma ? &of_inside : nullptr;
  const trace::stamp at = stamp_of(r);
  const auto bytes = static_cast<std::uint32_t>(r.a), offset = static_cast<std::uint32_t>(r.b);
  const bool from_host = (r.type == event_type::data_out) == f.host_here;
  switch (r.type) {
    case event_type::command_out:
      return f.capsules->command(header, data, r.b != 0 ? bytes : 0, at, by);
    case event_type::command_in:
      return f.capsules->command(header, data, bytes, at, by);
    case event_type::response_out:
    case event_type::response_in:
      if (header.size() == 16)
        f.capsules->response(header, r.type == event_type::response_in && r.a != 0, at, by);
      return;
    case event_type::data_asked:
      return f.capsules->ask(r.cid, offset, bytes, at, by);
    default:
      return f.capsules->data(from_host ? trace::way::to_controller : trace::way::to_host, r.cid,
                              offset, data, bytes, at, by);
  }
}

// A SEND is its capsule, a READ asks for data, a WRITE brings it.
void inside_flows::take_posted(flow& f, const record& r, byte_span header, byte_span data) {
  // What a controller posts comes behind a command.
  begin_capsules(f, r, true);
  if (f.posted.size() >= posted_max) return;
  const trace::stamp at = stamp_of(r);
  const auto bytes = static_cast<std::uint32_t>(r.a);
  const auto key = static_cast<std::uint32_t>(r.b);
  const std::string_view text{
      reinterpret_cast<const char*>(header.data()) + header.size() + data.size(), r.text_bytes};
  flow::work_request w{.kind = {}, .cid = r.cid, .bytes = r.a, .about = {.inside = true}, .at = at};
  using enum rdma::work_kind;
  for (const auto kind : {send, send_invalidate, write, read, bind, invalidate})
    if (text == rdma::work_name(kind)) w.kind = rdma::work_name(kind);
  const bool sends = w.kind == rdma::work_name(send) || w.kind == rdma::work_name(send_invalidate);
  if (sends && header.size() == 64) {
    f.capsules->command(header, data, bytes - 64, at, &w.about);
  } else if (sends && header.size() == 16) {
    if (key != 0) w.about.invalidated = key;
    f.capsules->response(header, false, at, &w.about);
  } else if (r.b != 0) {
    w.about.key = key;
    if (header.size() == 16) w.about.address = wire::get<wire::keyed_sgl_layout, "addr">(header);
    if (w.kind == rdma::work_name(read))
      f.capsules->ask(r.cid, 0, bytes, at, &w.about);
    else if (w.kind == rdma::work_name(write))
      f.capsules->data(trace::way::to_host, r.cid, 0, data, bytes, at, &w.about);
  }
  f.posted.push_back(w);
}

// They are done in the order in which they were posted.
void inside_flows::take_done(flow& f, const record& r, byte_span data, std::string_view text) {
  if (f.capsules == nullptr || f.posted.empty()) return;
  const flow::work_request w = f.posted.front();
  f.posted.pop_front();
  const trace::stamp at = stamp_of(r);
  const bool well = text == w.kind;
  if (well && w.kind == rdma::work_name(rdma::work_kind::read))
    f.capsules->data(trace::way::to_controller, w.cid, 0, data, static_cast<std::uint32_t>(w.bytes),
                     at, &w.about);
  f.capsules->work({.kind = w.kind,
                    .going = f.host_here ? trace::way::to_controller : trace::way::to_host,
                    .cid = w.cid,
                    .bytes = w.bytes,
                    .key = w.about.invalidated ? w.about.invalidated : w.about.key,
                    .address = w.about.address,
                    .posted = w.at,
                    .done = at,
                    .trouble = well ? std::string_view{} : text});
}

void inside_flows::end(flow& f, const trace::stamp& at, std::optional<bool> by_us) {
  const bool by_host = by_us && *by_us == f.host_here;
  if (f.capsules != nullptr)
    f.capsules->close(by_us
                          ? std::optional{by_host ? trace::way::to_controller : trace::way::to_host}
                          : std::nullopt,
                      at);
  if (f.stream == nullptr) return;
  for (const unsigned end : {by_host ? 0u : 1u, by_host ? 1u : 0u})
    if (by_us) f.stream->leave(end, false, at);
  f.stream->close(at, by_us.has_value());
}

// Those that are quiet for long make room.
inside_flows::flow& inside_flows::flow_of(const record& r) {
  if (flows_.size() >= flows_max && !flows_.contains(r.qpair)) {
    const auto quiet =
        std::ranges::min_element(flows_, {}, [](const auto& known) { return known.second.used; });
    end(quiet->second, stamp_of(r), std::nullopt);
    flows_.erase(quiet);
  }
  flow& f = flows_[r.qpair];
  f.used = frames_;
  return f;
}

void inside_flows::take(const record& r, const std::byte* bytes) {
  const byte_span header{bytes, r.header_bytes}, data{bytes + r.header_bytes, r.data_bytes};
  flow& f = flow_of(r);
  switch (r.type) {
    case event_type::connected:
      f = {};
      f.peer = {reinterpret_cast<const char*>(bytes) + r.header_bytes + r.data_bytes, r.text_bytes};
      f.rdma = wire::parse_endpoint(f.peer).has_value() && !f.peer.starts_with("loop");
      return;
    case event_type::work_posted:
      return take_posted(f, r, header, data);
    case event_type::work_done:
      return take_done(
          f, r, data,
          {reinterpret_cast<const char*>(bytes) + r.header_bytes + r.data_bytes, r.text_bytes});
    case event_type::pdu_out:
      if (header.size() < wire::pdu_common.size) return;
      begin(f, r, header, true);
      return add_pdu(f, r, header, data, r.a);
    case event_type::pdu_in:
    case event_type::pdu_in_data:
      if (header.size() < wire::pdu_common.size) return;
      begin(f, r, header, false);
      return out_or_in(f, r, header, data);
    case event_type::raw_out:
      if (f.stream == nullptr) return;  // whose end it is would be a guess
      f.stream->bytes(f.host_here ? 0 : 1, data, stamp_of(r));
      if (r.a > data.size()) f.stream->absent(f.host_here ? 0 : 1, r.a - data.size(), {0, frames_});
      return;
    case event_type::disconnected:
      if (f.stream != nullptr) complete(f, r);
      end(f, stamp_of(r), r.a != 0);
      flows_.erase(r.qpair);
      return;
    default:
      return take_capsule(f, r, header, data);
  }
}

void inside_flows::out_or_in(flow& f, const record& r, byte_span header, byte_span data) {
  if (r.type == event_type::pdu_in_data) {
    f.header.clear();
    return add_pdu(f, r, header, data, r.a);
  }
  complete(f, r);
  if (r.a == 0 || is_termreq(header)) return add_pdu(f, r, header, {}, r.a);
  f.header.assign(header.begin(), header.end());
  f.data = r.a;
}

// Its data has not come, or nobody has seen it.
void inside_flows::complete(flow& f, const record& r) {
  if (f.header.empty()) return;
  const std::vector<std::byte> header = std::exchange(f.header, {});
  add_pdu(f, r, header, {}, f.data);
}

// Digests and padding are not told: they are absent.
void inside_flows::add_pdu(flow& f, const record& r, byte_span header, byte_span data,
                           std::uint64_t size) {
  const trace::stamp at = stamp_of(r);
  const unsigned from = is_from_host(header) ? 0 : 1;
  const bool digests = !is_termreq(header);
  const auto flags = std::to_integer<unsigned>(header[1]);
  const std::uint64_t begins =
      size > 0 && digests
          ? std::max<std::uint64_t>(header.size(), wire::get<wire::pdu_common, "pdo">(header))
          : header.size();
  const std::uint64_t gap =
      std::max<std::uint64_t>(begins - header.size(), digests && (flags & flag_hdgst) != 0 ? 4 : 0);
  const std::uint64_t tail = size > 0 && digests && (flags & flag_ddgst) != 0 ? 4 : 0;
  if (gap == 0) {
    const std::array<byte_span, 2> all{header, data};
    f.stream->pieces(from, std::span{all}.first(data.empty() ? 1 : 2), at);
  } else {
    f.stream->bytes(from, header, at);
    f.stream->absent(from, gap, at);
    if (!data.empty()) f.stream->bytes(from, data, at);
  }
  if (const std::uint64_t rest = size - std::min<std::uint64_t>(size, data.size()) + tail; rest > 0)
    f.stream->absent(from, rest, at);
}

}  // namespace nvmf::cli
