// SPDX-License-Identifier: BSD-2-Clause
#include "pcapng_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

#include "trace/capture/reader.hpp"
#include "tracing/clock_text.hpp"
#include "tracing/pdu_text.hpp"

namespace nvmf::cli {

using namespace std::string_view_literals;

namespace {

std::vector<packet_comment> comments_that_came_with(const trace::packet& p) {
  std::vector<packet_comment> out;
  if (p.options.empty()) return out;
  trace::for_each_comment(p, [&](std::string_view text) {
    out.push_back({p.at.packet, std::string{text.substr(0, text.find('\0'))}});
  });
  return out;
}

}  // namespace

std::expected<std::unique_ptr<pcapng_view>, std::string> pcapng_view::create(
    const std::string& path, const trace_filter& filter) {
  auto file = pcapng_file::create(path);
  if (!file) return std::unexpected(file.error());
  return std::unique_ptr<pcapng_view>{new pcapng_view(std::move(*file), filter)};
}

pcapng_view::pcapng_view(pcapng_file&& file, const trace_filter& filter)
    : file_(std::move(file)), words_(plain_) {
  if (!filter.always())
    choice_ =
        std::make_unique<packet_choice>(filter, [this](const waiting_packet& p) { write(p); });
}

void pcapng_view::begin(const trace::connection& c, std::string_view sign) {
  line_.clear();
  line_.push_back('c');
  line_.number(c.number());
  if (c.queue_known()) {
    line_.literal(" q");
    line_.number(c.qid());
  }
  line_.push_back(' ');
  line_.append(sign);
  line_.push_back(' ');
}

void pcapng_view::put(std::uint64_t packet) {
  if (comment_bytes_ + line_.size() > comment_bytes_max) {
    ++comments_dropped_;
    return;
  }
  comment_bytes_ += line_.size();
  comments_.push_back({packet, std::string{line_.view()}});
}

void pcapng_view::on_connection(const trace::connection& c) {
  begin(c, "*");
  line_.append(ends_text(c));
  put(c.begun().packet);
  if (choice_ != nullptr) choice_->on_connection(c);
}

void pcapng_view::on_pdu(const trace::connection& c, const trace::pdu& p,
                         const trace::command* of) {
  if (choice_ != nullptr) choice_->on_pdu(c, p, of);
}

void pcapng_view::on_command(const trace::connection& c, const trace::command& k,
                             const trace::pdu& p) {
  begin(c, ">");
  words_.append_command(line_, c, k);
  put(p.ended.packet);
  if (choice_ != nullptr) choice_->on_command(c, k);
}

void pcapng_view::on_completion(const trace::connection& c, const trace::command& k,
                                const trace::completion& done, const trace::pdu*) {
  if (choice_ != nullptr) choice_->on_completion(c, k, done);
  // The last packet of a capture has nothing to do with what is left open.
  if (done.how == trace::fate::left) return;
  begin(c, done.answered() ? "<" : "!");
  words_.append_completion(line_, k, done);
  put(done.at.packet);
}

void pcapng_view::on_notice(const trace::connection& c, const trace::notice& n) {
  begin(c, "!");
  line_.append(notice_words(n));
  put(n.at.packet);
  if (choice_ != nullptr) choice_->on_notice(c, n);
}

void pcapng_view::on_violation(const trace::connection& c, const trace::violation& v) {
  begin(c, "!");
  if (v.cid) capsule_text::append_cid(line_, *v.cid);
  line_.append(to_text(v));
  put(v.at.packet);
  if (choice_ != nullptr) choice_->on_violation(c, v);
}

void pcapng_view::on_suspension(const trace::connection& c, const trace::suspension& s) {
  begin(c, "!");
  line_.append(to_text(s));
  put(s.at.packet);
}

void pcapng_view::on_end(const trace::connection& c, const trace::stamp& at, bool closed) {
  if (choice_ != nullptr) choice_->on_end(c, closed);
  if (!closed) return;
  begin(c, "*");
  fmt::format_to(std::back_inserter(line_), "{}: {} commands, {} failed", closed_words(c),
                 c.counts().commands, c.counts().failed);
  put(at.packet);
}

void pcapng_view::let_go(held_flow& f) {
  for (const held_packet& p : f) held_bytes_ -= p.bytes.size();
  left_out_ += f.size();
  f.clear();
}

void pcapng_view::hold(const trace::packet& p, const trace::flow_key& flow) {
  held_flow& f = held_.find_or_add(flow).first;
  if (f.size() == held_of_flow_max) let_go(f);
  f.push_back(
      {p.link, p.wire_bytes, p.at, {p.bytes.begin(), p.bytes.end()}, comments_that_came_with(p)});
  held_bytes_ += p.bytes.size();
  while (held_.size() > held_flows_max || held_bytes_ > held_bytes_max) {
    let_go(held_.oldest());
    held_.erase_oldest();
  }
}

void pcapng_view::on_packet(const trace::packet& p, part of, const trace::flow_key* flow,
                            const trace::packet_place& place) {
  if (flow != nullptr && of == part::undecided) return hold(p, *flow);
  if (flow != nullptr && held_bytes_ > 0) {
    held_flow& before = held_.find_or_add(*flow).first;
    if (of == part::nvme)
      for (const held_packet& h : before) {
        held_bytes_ -= h.bytes.size();
        take({.bytes = h.bytes, .wire_bytes = h.wire_bytes, .link = h.link, .at = h.at},
             {.connection = place.connection, .going = place.going}, h.comments);
      }
    else
      let_go(before);
    before.clear();
  }
  if (of != part::nvme) {
    ++left_out_;
    return;
  }
  take(p, place, all_comments(p));
}

// One of ours may be among them, when the capture is from here.
std::vector<packet_comment> pcapng_view::all_comments(const trace::packet& p) {
  std::vector<packet_comment> all = comments_that_came_with(p);
  const std::size_t came = all.size();
  for (packet_comment& ours : take_comments()) {
    const auto told = std::span{all}.first(came);
    if (std::ranges::find(told, ours.text, &packet_comment::text) == told.end())
      all.push_back(std::move(ours));
  }
  return all;
}

std::vector<packet_comment> pcapng_view::take_comments() {
  comment_bytes_ = 0;
  if (comments_dropped_ > 0)
    comments_.push_back({0, fmt::format("{} comments more did not fit", comments_dropped_)});
  comments_dropped_ = 0;
  return std::exchange(comments_, {});
}

void pcapng_view::take(const trace::packet& p, const trace::packet_place& place,
                       std::vector<packet_comment> comments) {
  if (choice_ != nullptr)
    return choice_->take(place, {.link = p.link,
                                 .wire_bytes = p.wire_bytes,
                                 .at = p.at,
                                 .bytes = {p.bytes.begin(), p.bytes.end()},
                                 .comments = std::move(comments)});
  write({.link = p.link, .ns = p.at.ns, .first = p.bytes, .wire_bytes = p.wire_bytes}, p.at.packet);
  for (const packet_comment& c : comments) put_comment(c, p.at.packet);
}

void pcapng_view::on_made(const trace::made_packet& p) {
  // Not on a handshake that bytes led to.
  const bool carries = p.wire_bytes > p.headers.size();
  if (choice_ != nullptr && p.place != nullptr) {
    waiting_packet made{.link = trace::link_raw_ip, .made = true, .wire_bytes = p.wire_bytes};
    made.at.ns = p.ns;
    made.bytes.assign(p.headers.begin(), p.headers.end());
    for (const trace::byte_span piece : p.data)
      made.bytes.insert(made.bytes.end(), piece.begin(), piece.end());
    if (carries) made.comments = take_comments();
    trace::packet_place place = *p.place;
    place.carries = place.carries && carries;
    place.whole = place.whole && p.last;
    return choice_->take(place, std::move(made));
  }
  file_.begin({.link = trace::link_raw_ip,
               .made = true,
               .ns = p.ns,
               .first = p.headers,
               .rest = p.data,
               .wire_bytes = p.wire_bytes});
  last_ = 0;
  if (carries) put_comments(0);
}

// One that was chosen.
void pcapng_view::write(const waiting_packet& p) {
  write(
      {.link = p.link, .made = p.made, .ns = p.at.ns, .first = p.bytes, .wire_bytes = p.wire_bytes},
      p.at.packet);
  for (const packet_comment& c : p.comments) put_comment(c, p.at.packet);
}

void pcapng_view::write(const pcapng_record& r, std::uint64_t number) {
  file_.begin(r);
  recent_[number % recent_.size()] = {number, file_.packets()};
  last_ = number;
}

// `number`: of the packet that takes it; 0: whatever it is about.
void pcapng_view::put_comment(const packet_comment& c, std::uint64_t number) {
  if (number == 0 || c.packet == 0 || c.packet == number) return file_.comment(c.text);
  // It became clear only now: segments had to be put in order.
  const numbers& n = recent_[c.packet % recent_.size()];
  file_.comment(n.source == c.packet ? fmt::format("frame {}: {}", n.written, c.text)
                                     : fmt::format("an earlier frame: {}", c.text));
}

void pcapng_view::put_comments(std::uint64_t number) {
  for (const packet_comment& c : take_comments()) put_comment(c, number);
}

std::expected<void, std::string> pcapng_view::finish() {
  if (choice_ != nullptr) {
    choice_->finish();
    // Of what was not written there is nothing to say.
    std::erase_if(comments_, [this](const packet_comment& c) {
      return recent_[c.packet % recent_.size()].source != c.packet;
    });
  }
  // What became clear at the end belongs to packets that are written.
  if (file_.is_open()) put_comments(last_);
  while (held_.size() > 0) {
    let_go(held_.oldest());
    held_.erase_oldest();
  }
  return file_.commit();
}

}  // namespace nvmf::cli
