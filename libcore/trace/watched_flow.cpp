// SPDX-License-Identifier: BSD-2-Clause
// Is it NVMe? On the ports where it is expected, when what comes first could be a PDU; on any
// other, when it is an ICReq.
#include <algorithm>

#include "tracer.hpp"
#include "wire/layouts/pdu.hpp"

namespace nvmf::trace {

namespace {

constexpr std::size_t enough = wire::pdu_common.size;
// Of a connection on an expected port that the capture begins within, without a plausible header.
constexpr std::uint64_t undecided_bytes_max = 4u << 20;

// ICReq: type 0, flags 0, HLEN 128, PDO 0, PLEN 128 (TCP 3.6.2.2).
bool is_icreq(byte_span b) {
  return wire::get<wire::pdu_common, "type">(b) == 0 &&
         wire::get<wire::pdu_common, "flags">(b) == 0 &&
         wire::get<wire::pdu_common, "hlen">(b) == wire::pdu_icreq.size &&
         wire::get<wire::pdu_common, "pdo">(b) == 0 &&
         wire::get<wire::pdu_common, "plen">(b) == wire::pdu_icreq.size;
}
// The head of a TLS record with a handshake (RFC 8446, 5.1).
bool is_tls(byte_span b) {
  return b.size() >= 3 && b[0] == std::byte{0x16} && b[1] == std::byte{0x03} &&
         std::to_integer<unsigned>(b[2]) <= 4;
}
// Wrong on purpose, perhaps, but meant to be a PDU.
bool is_meant_as_pdu(byte_span b) {
  return wire::pdu_layout(std::to_integer<std::uint8_t>(b[0])) != nullptr &&
         (std::to_integer<unsigned>(b[1]) & ~0x0fu) == 0;
}

}  // namespace

bool watched_flow::expected(unsigned which) const {
  if (opened_) return which == 1;
  return std::ranges::find(with_->options.ports, key_.ports[which]) != with_->options.ports.end();
}

unsigned watched_flow::host_end() const {
  if (told_host_) return host_;
  // The controller is the end with the port where controllers are.
  return expected(0) && !expected(1) ? 1 : 0;
}

void watched_flow::take(const segment& s, const stamp& at, surroundings& with) {
  with_ = &with;
  key_ = s.flow;
  const bool syn = (s.flags & tcp_flag::syn) != 0;
  if (syn &&
      ((flow_ != nullptr && flow_->is_new(s)) || (flow_ == nullptr && what_ != kind::undecided))) {
    close(at, true, with);
    number_ = 0;
  }
  if (syn && !told_host_) {
    told_host_ = true;
    host_ = (s.flags & tcp_flag::ack) != 0 ? 1 - s.from : s.from;
  }
  if (what_ == kind::other) return;
  if (flow_ == nullptr) flow_ = std::make_unique<tcp_flow>();
  if (nvme_ != nullptr) nvme_->doubt(flow_->incomplete(s));
  flow_->take(s, at, with.held, *this);
  if (nvme_ != nullptr) nvme_->doubt(flow_->incomplete(s));
  if (what_ == kind::other && flow_ != nullptr) {
    flow_->clear(with.held);
    flow_.reset();
  }
  if ((s.flags & tcp_flag::fin) != 0) fin_[s.from] = true;
  if (nvme_ != nullptr && (s.flags & (tcp_flag::fin | tcp_flag::rst)) != 0) nvme_->leave(s.from);
  if ((s.flags & tcp_flag::rst) != 0 || (fin_[0] && fin_[1])) {
    if (what_ != kind::nvme) return;
    close(at, true, with);
    what_ = kind::other;  // until a SYN: what follows are retransmissions
    was_nvme_ = true;
  }
}

void watched_flow::open(const flow_key& key) {
  key_ = key;
  told_host_ = opened_ = true;
  host_ = 0;
}

void watched_flow::take_bytes(unsigned from, byte_span bytes, const stamp& at, surroundings& with) {
  with_ = &with;
  on_bytes(from, bytes, at);
}

void watched_flow::take_absent(unsigned from, std::uint64_t bytes, const stamp& at,
                               surroundings& with) {
  with_ = &with;
  on_absent(from, bytes, absence::cut, at);
}

void watched_flow::take_end(unsigned from) {
  if (nvme_ != nullptr) nvme_->leave(from);
}

void watched_flow::close(const stamp& at, bool closed, surroundings& with) {
  with_ = &with;
  if (flow_ != nullptr) {
    if (what_ == kind::nvme) {
      flow_->finish(with.held, *this);
      with.counts.flow.sent_again += flow_->counts().sent_again;
      with.counts.flow.out_of_order += flow_->counts().out_of_order;
      with.counts.flow.given_up += flow_->counts().given_up;
    }
    flow_->clear(with.held);
    flow_.reset();
  }
  if (nvme_ != nullptr) nvme_->end(at, closed);
  nvme_.reset();
  what_ = kind::undecided;
  was_nvme_ = told_host_ = false;
  middle_ = fin_ = {};
  undecided_bytes_ = 0;
  first_.clear();
}

packet_place watched_flow::place(unsigned from) const {
  packet_place p{.connection = number_,
                 .going = from == nvme_host_ ? way::to_controller : way::to_host};
  p.whole = nvme_ == nullptr ||
            (nvme_->between_pdus(p.going) && (flow_ == nullptr || !flow_->is_waiting()));
  return p;
}

void watched_flow::finish(const stamp& at, surroundings& with) { close(at, false, with); }

void watched_flow::on_bytes(unsigned from, byte_span bytes, const stamp& at) {
  if (what_ == kind::nvme) return nvme_->on_bytes(from, bytes, at);
  if (what_ == kind::other) return;
  if (!first_.empty() && from != first_from_) return decline(false);
  if (first_.empty() && bytes.size() >= enough) return decide(from, bytes, at);
  first_from_ = static_cast<std::uint8_t>(from);
  first_.insert(first_.end(), bytes.begin(), bytes.end());
  if (first_.size() < enough) return;
  const std::vector<std::byte> together = std::move(first_);
  first_.clear();
  decide(from, together, at);
}

void watched_flow::decide(unsigned from, byte_span bytes, const stamp& at) {
  if (is_icreq(bytes)) {
    recognise(from, at);
    return nvme_->on_bytes(from, bytes, at);
  }
  if (!expected(0) && !expected(1)) return decline(false);
  if (is_tls(bytes)) return decline(true);
  const bool middle = middle_[from];
  const way going = from == host_end() ? way::to_controller : way::to_host;
  const bool could_be = middle ? is_plausible_header(going, bytes) : is_meant_as_pdu(bytes);
  if (could_be) {
    recognise(host_end(), at);
    return nvme_->on_bytes(from, bytes, at);
  }
  undecided_bytes_ += bytes.size();
  if (!middle || undecided_bytes_ > undecided_bytes_max) decline(false);
}

void watched_flow::recognise(unsigned host, const stamp& at) {
  what_ = kind::nvme;
  ++with_->counts.connections;
  number_ = static_cast<std::uint32_t>(with_->counts.connections);
  nvme_host_ = static_cast<std::uint8_t>(host);
  nvme_ =
      std::make_unique<tcp_connection>(number_, end_of(key_, host), end_of(key_, 1 - host), host,
                                       at, with_->options.conversation, with_->commands, with_->to);
  for (unsigned from = 0; from < 2; ++from)
    if (middle_[from]) nvme_->on_middle(from, at);
}

void watched_flow::decline(bool tls) {
  what_ = kind::other;
  if (tls) ++with_->counts.tls;
  first_.clear();
  first_.shrink_to_fit();
}

void watched_flow::on_absent(unsigned from, std::uint64_t bytes, absence why, const stamp& at) {
  if (what_ == kind::nvme) return nvme_->on_absent(from, bytes, why, at);
  // Its first bytes are gone; on an expected port a later header may still tell.
  middle_[from] = true;
  first_.clear();
}

void watched_flow::on_middle(unsigned from, const stamp& at) {
  if (what_ == kind::nvme) return nvme_->on_middle(from, at);
  middle_[from] = true;
}

}  // namespace nvmf::trace
