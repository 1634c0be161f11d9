// SPDX-License-Identifier: BSD-2-Clause
// Any bytes as a capture: what is told of it does not depend on the pieces in which it came, every
// command has one end, and what is told lies within what was given. The first byte is the length of
// a piece.
#include <map>
#include <string>
#include <vector>

#include "fuzz/input.hpp"
#include "trace/capture/reader.hpp"
#include "trace/rules/checker.hpp"
#include "trace/tracer.hpp"

using namespace nvmf;
using fuzz::require;

namespace {

class checker final : public trace::listener, private trace::violation_sink {
 public:
  std::vector<std::uint64_t> told;
  std::uint64_t open_commands = 0, open_connections = 0;
  trace::checker rules{static_cast<trace::violation_sink&>(*this)};

  void on_connection(const trace::connection& c) override {
    ++open_connections;
    told.push_back(c.number());
    rules.on_connection(c);
  }
  void on_pdu(const trace::connection& c, const trace::pdu& p, const trace::command* of) override {
    // A message of RDMA has up to 2 GiB, and private data of a connection may be cut off.
    require(p.rdma != nullptr || (p.plen >= 8 && p.plen <= trace::pdu_bytes_max));
    require(p.header.size() <= p.plen && p.header.size() <= p.hlen);
    require(p.data.size() <= p.data_bytes && p.data_bytes <= p.plen);
    require(of == nullptr || of->slot < c.most_outstanding());
    require(p.begun.packet <= p.ended.packet);
    std::uint64_t sum = p.type + 31u * p.plen + 7u * p.flags;
    for (const std::byte b : p.data) sum = sum * 131 + std::to_integer<unsigned>(b);
    for (const std::byte b : p.header) sum = sum * 131 + std::to_integer<unsigned>(b);
    told.push_back(sum);
    told.push_back(p.ended.packet);
    rules.on_pdu(c, p, of);
  }
  void on_command(const trace::connection& c, const trace::command& k, const trace::pdu&) override {
    ++open_commands;
    told.push_back(k.cid);
    require(c.outstanding() > 0);
  }
  void on_completion(const trace::connection& c, const trace::command& k,
                     const trace::completion& done, const trace::pdu* by) override {
    require(open_commands-- > 0);
    require(done.cqe.empty() || done.cqe.size() == 16);
    told.push_back(k.cid + 65536u * static_cast<unsigned>(done.how));
    static_cast<void>(latency_of(k, done));
    rules.on_completion(c, k, done, by);
  }
  void on_notice(const trace::connection& c, const trace::notice& n) override {
    told.push_back(static_cast<std::uint64_t>(n.kind));
    told.push_back(n.a);
    rules.on_notice(c, n);
  }
  void on_end(const trace::connection& c, const trace::stamp& at, bool closed) override {
    require(c.outstanding() == 0);
    require(open_connections-- > 0);
    rules.on_end(c, at, closed);
    require(rules.connections() == open_connections);
    require(rules.controllers_known() <= open_connections);
  }

 private:
  void on_violation(const trace::connection&, const trace::violation& v) override {
    const trace::breaker who = row_of(v.id).who;
    require(who == trace::breaker::either ||
            (who == trace::breaker::host) == (v.by == trace::side::host));
    require(!to_text(v).empty());
    told.push_back(1000 + static_cast<std::uint64_t>(v.id));
    told.push_back(v.shown.seen.value_or(0));
  }
  void on_suspension(const trace::connection&, const trace::suspension& s) override {
    told.push_back(2000 + static_cast<std::uint64_t>(s.why));
  }
};

std::vector<std::uint64_t> read(wire::byte_span file, std::size_t piece) {
  checker out;
  trace::tracer tracer({.conversation = {.data_bytes = 300}}, out);
  trace::capture_reader reader;
  std::vector<std::byte> held;
  for (std::size_t at = 0;; at += piece) {
    const wire::byte_span more = file.subspan(std::min(at, file.size()));
    held.insert(held.end(), more.begin(),
                more.begin() + static_cast<std::ptrdiff_t>(std::min(piece, more.size())));
    wire::byte_span left = held;
    trace::packet p;
    auto step = trace::capture_reader::step::more;
    while ((step = reader.next(left, p)) == trace::capture_reader::step::packet) {
      require(p.bytes.size() <= p.wire_bytes);
      tracer.take(p);
    }
    held = std::vector(left.begin(), left.end());
    if (step == trace::capture_reader::step::failed) {
      require(!reader.error().empty());
      break;
    }
    require(reader.wanted() > held.size());
    if (more.size() <= piece) {
      static_cast<void>(reader.finish(held.size()));
      break;
    }
  }
  tracer.finish();
  require(out.open_commands == 0 && out.open_connections == 0);
  return out.told;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const wire::byte_span file{reinterpret_cast<const std::byte*>(data) + 1, size - 1};
  require(read(file, file.size() + 1) == read(file, 1u + data[0]));
  return 0;
}
