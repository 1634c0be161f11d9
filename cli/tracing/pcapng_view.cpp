// SPDX-License-Identifier: BSD-2-Clause
#include "pcapng_view.hpp"

#include <fmt/format.h>

#include "tracing/clock_text.hpp"
#include "tracing/pdu_text.hpp"

namespace nvmf::cli {

using namespace std::string_view_literals;

std::expected<std::unique_ptr<pcapng_view>, std::string> pcapng_view::create(
    const std::string& path) {
  auto file = pcapng_file::create(path);
  if (!file) return std::unexpected(file.error());
  return std::unique_ptr<pcapng_view>{new pcapng_view(std::move(*file))};
}

void pcapng_view::begin(const trace::connection& c, std::string_view sign) {
  line_.clear();
  line_.push_back('c');
  append_number(line_, c.number());
  if (c.queue_known()) {
    line_.append(" q"sv);
    append_number(line_, c.qid());
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
  comments_.push_back({packet, {line_.data(), line_.size()}});
}

void pcapng_view::on_connection(const trace::connection& c) {
  begin(c, "*");
  fmt::format_to(std::back_inserter(line_), "host {} controller {}{}", to_text(c.host()),
                 to_text(c.controller()), c.carried_by() == trace::fabric::rdma ? " by RDMA" : "");
  put(c.begun().packet);
}

void pcapng_view::on_command(const trace::connection& c, const trace::command& k,
                             const trace::pdu& p) {
  begin(c, ">");
  words_.append_command(line_, c, k);
  put(p.ended.packet);
}

void pcapng_view::on_completion(const trace::connection& c, const trace::command& k,
                                const trace::completion& done, const trace::pdu*) {
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
}

void pcapng_view::on_violation(const trace::connection& c, const trace::violation& v) {
  begin(c, "!");
  if (v.cid) capsule_text::append_cid(line_, *v.cid);
  line_.append(to_text(v));
  put(v.at.packet);
}

void pcapng_view::on_suspension(const trace::connection& c, const trace::suspension& s) {
  begin(c, "!");
  line_.append(to_text(s));
  put(s.at.packet);
}

void pcapng_view::on_end(const trace::connection& c, const trace::stamp& at, bool closed) {
  if (!closed) return;
  begin(c, "*");
  fmt::format_to(std::back_inserter(line_), "closed: {} commands, {} failed", c.counts().commands,
                 c.counts().failed);
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
  f.push_back({p.link, p.wire_bytes, p.at, {p.bytes.begin(), p.bytes.end()}});
  held_bytes_ += p.bytes.size();
  while (held_.size() > held_flows_max || held_bytes_ > held_bytes_max) {
    let_go(held_.oldest());
    held_.erase_oldest();
  }
}

void pcapng_view::on_packet(const trace::packet& p, part of, const trace::flow_key* flow) {
  if (flow != nullptr && of == part::undecided) return hold(p, *flow);
  if (flow != nullptr && held_bytes_ > 0) {
    held_flow& before = held_.find_or_add(*flow).first;
    if (of == part::nvme)
      for (const held_packet& h : before) {
        held_bytes_ -= h.bytes.size();
        write({.link = h.link, .ns = h.at.ns, .first = h.bytes, .wire_bytes = h.wire_bytes},
              h.at.packet);
      }
    else
      let_go(before);
    before.clear();
  }
  if (of != part::nvme) {
    ++left_out_;
    return;
  }
  write({.link = p.link, .ns = p.at.ns, .first = p.bytes, .wire_bytes = p.wire_bytes}, p.at.packet);
  put_comments(p.at.packet);
}

void pcapng_view::on_made(const trace::made_packet& p) {
  file_.begin({.link = trace::link_raw_ip,
               .made = true,
               .ns = p.ns,
               .first = p.headers,
               .rest = p.data,
               .wire_bytes = p.wire_bytes});
  last_ = 0;
  // Not on a handshake that bytes led to.
  if (p.wire_bytes > p.headers.size()) put_comments(0);
}

void pcapng_view::write(const pcapng_record& r, std::uint64_t number) {
  file_.begin(r);
  recent_[number % recent_.size()] = {number, file_.packets()};
  last_ = number;
}

void pcapng_view::put_comments(std::uint64_t number) {
  for (const comment& c : comments_) {
    if (number == 0 || c.packet == number) {
      file_.comment(c.text);
      continue;
    }
    // It became clear only now: segments had to be put in order.
    const numbers& n = recent_[c.packet % recent_.size()];
    file_.comment(n.source == c.packet ? fmt::format("frame {}: {}", n.written, c.text)
                                       : fmt::format("an earlier frame: {}", c.text));
  }
  if (comments_dropped_ > 0)
    file_.comment(fmt::format("{} comments more did not fit", comments_dropped_));
  comments_.clear();
  comment_bytes_ = 0;
  comments_dropped_ = 0;
}

std::expected<void, std::string> pcapng_view::finish() {
  // What became clear at the end belongs to packets that are written.
  if (file_.is_open()) put_comments(last_);
  while (held_.size() > 0) {
    let_go(held_.oldest());
    held_.erase_oldest();
  }
  return file_.commit();
}

}  // namespace nvmf::cli
