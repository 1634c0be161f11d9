// SPDX-License-Identifier: BSD-2-Clause
#include "packet_choice.hpp"

#include <algorithm>

#include "pdu_text.hpp"
#include "wire/tables.hpp"

namespace nvmf::cli {

packet_choice::conversation* packet_choice::find(std::uint32_t number) {
  const auto found = all_.find(number);
  return found == all_.end() ? nullptr : &found->second;
}

std::shared_ptr<packet_choice::run>& packet_choice::current(conversation& v, trace::way w) {
  auto& r = v.current[static_cast<std::size_t>(w)];
  if (r == nullptr) r = std::make_shared<run>();
  return r;
}

// `r`: null for the connection alone.
void packet_choice::keep(conversation& v, run* r) {
  if (r != nullptr) {
    r->kept = true;
    r->entries.clear();
  }
  if (!v.kept) {
    v.kept = v.ends->kept = true;
    v.ends->entries.clear();
    for (const waiting_packet& p : v.first) write_(p);
    v.first.clear();
  }
  drain(v);
}

void packet_choice::let_go(conversation& v, run& r) {
  for (const queue::iterator& e : r.entries) {
    v.bytes -= e->charged;
    bytes_ -= e->charged;
    v.packets.erase(e);
  }
  left_out_ += r.entries.size();
  r.entries.clear();
}

void packet_choice::close(conversation& v, std::shared_ptr<run>& r) {
  if (r == nullptr) return;
  r->open = false;
  if (!r->kept && r->decided()) let_go(v, *r);
  r.reset();
}

void packet_choice::drain(conversation& v) {
  while (!v.packets.empty() && v.packets.front().of->kept) {
    entry& e = v.packets.front();
    write_(e.packet);
    v.bytes -= e.charged;
    bytes_ -= e.charged;
    v.packets.pop_front();
  }
}

void packet_choice::on_connection(const trace::connection& c) {
  conversation& v = all_[c.number()];
  if (filter_.matches({.on = c, .ns = c.begun().ns})) keep(v, nullptr);
}

void packet_choice::on_pdu(const trace::connection& c, const trace::pdu& p,
                           const trace::command* of) {
  conversation* const v = find(c.number());
  if (v == nullptr) return;
  // The capture has no beginning of it.
  if (c.counts().pdus == 1 && p.type != static_cast<std::uint8_t>(wire::pdu_type::icreq)) {
    v->beginning = false;
    left_out_ += v->first.size();
    v->first.clear();
  }
  const std::shared_ptr<run>& r = current(*v, p.going);
  const sight s{.on = c, .of = of, .pdu = p.type, .ns = p.ended.ns};
  if (of == nullptr || !filter_.waits(s)) {
    if (filter_.matches(s)) keep(*v, r.get());
    return;
  }
  if (v->notes.size() <= of->slot) v->notes.resize(of->slot + 1);
  std::vector<note>& notes = v->notes[of->slot];
  if (!notes.empty() && notes.back().pdu == p.type && notes.back().of == r) return;
  if (notes.size() == notes_max) {
    ++hurried_;
    return;
  }
  notes.push_back({p.type, r});
  ++r->waits;
}

void packet_choice::on_command(const trace::connection& c, const trace::command& k) {
  conversation* const v = find(c.number());
  if (v != nullptr && !is_connect(k)) v->beginning_ends = true;
}

void packet_choice::on_completion(const trace::connection& c, const trace::command& k,
                                  const trace::completion& done) {
  conversation* const v = find(c.number());
  if (v == nullptr) return;
  if (is_connect(k)) v->beginning_ends = true;
  if (v->notes.size() <= k.slot) return;
  const std::vector<note> notes = std::move(v->notes[k.slot]);
  v->notes[k.slot].clear();
  for (const note& n : notes) {
    --n.of->waits;
    if (filter_.matches({.on = c, .of = &k, .done = &done, .pdu = n.pdu}))
      keep(*v, n.of.get());
    else if (!n.of->kept && n.of->decided())
      let_go(*v, *n.of);
  }
  drain(*v);
}

void packet_choice::on_notice(const trace::connection& c, const trace::notice& n) {
  conversation* const v = find(c.number());
  if (v == nullptr) return;
  const sight s{.on = c,
                .pdu = n.about != nullptr ? std::optional{n.about->type} : std::nullopt,
                .ns = n.at.ns};
  if (filter_.matches(s)) keep(*v, v->current[static_cast<std::size_t>(n.going)].get());
}

void packet_choice::on_violation(const trace::connection& c, const trace::violation& b) {
  conversation* const v = find(c.number());
  if (v == nullptr) return;
  if (filter_.matches({.on = c, .pdu = b.pdu, .broken = &b, .ns = b.at.ns}))
    keep(*v, v->current[static_cast<std::size_t>(b.going)].get());
}

void packet_choice::on_end(const trace::connection& c, bool closed) {
  conversation* const v = find(c.number());
  if (v == nullptr) return;
  for (auto& r : v->current) close(*v, r);
  v->ends->open = false;
  if (!v->ends->kept) let_go(*v, *v->ends);
  drain(*v);
  if (closed)
    ending_.push_back(c.number());
  else
    forget(c.number());
}

void packet_choice::forget(std::uint32_t number) {
  const auto found = all_.find(number);
  if (found == all_.end()) return;
  bytes_ -= found->second.bytes;
  left_out_ += found->second.packets.size() + found->second.first.size();
  all_.erase(found);
}

void packet_choice::push(conversation& v, const std::shared_ptr<run>& r, waiting_packet packet) {
  if (r->kept && v.packets.empty()) return write_(packet);
  std::size_t charged = sizeof(entry) + sizeof(run) + packet.bytes.size();
  for (const packet_comment& c : packet.comments) charged += sizeof c + c.text.size();
  v.packets.push_back({r, std::move(packet), charged});
  if (!r->kept) r->entries.push_back(std::prev(v.packets.end()));
  v.bytes += charged;
  bytes_ += charged;
}

void packet_choice::take(const trace::packet_place& place, waiting_packet packet) {
  conversation* const v = find(place.connection);
  if (v == nullptr) {
    ++left_out_;
    return;
  }
  auto& run_here = v->current[static_cast<std::size_t>(place.going)];
  if (v->beginning) {
    if (v->kept)
      write_(packet);
    else
      v->first.push_back(std::move(packet));
    v->beginning = !v->beginning_ends && v->first.size() < beginning_packets_max;
  } else if (place.carries) {
    push(*v, current(*v, place.going), std::move(packet));
  } else if (place.ends && (v->ends->open || v->ends->kept)) {
    push(*v, v->ends, std::move(packet));
  } else {
    ++left_out_;  // it only confirms
  }
  if (place.carries && place.whole) close(*v, run_here);
  drain(*v);
  make_room(*v);
  for (const std::uint32_t number : ending_) forget(number);
  ending_.clear();
}

// Who has most gives way, and who takes most now is asked first.
void packet_choice::make_room(conversation& v) {
  while (bytes_ > bytes_max_) {
    const auto most = std::ranges::max_element(
        all_, {}, [](const auto& numbered) { return numbered.second.bytes; });
    hurry(v.bytes > bytes_max_ / 8 ? v : most->second);
  }
}

void packet_choice::hurry(conversation& v) {
  const std::shared_ptr<run> oldest = v.packets.front().of;
  hurried_ += oldest->entries.size();
  if (oldest->waits > 0)
    keep(v, oldest.get());
  else
    let_go(v, *oldest);
  drain(v);
}

void packet_choice::finish() {
  while (!all_.empty()) forget(all_.begin()->first);
  ending_.clear();
}

}  // namespace nvmf::cli
