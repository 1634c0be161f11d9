// SPDX-License-Identifier: BSD-2-Clause
#include "follow_view.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>

#include <algorithm>

#include "render/text.hpp"
#include "tracing/clock_text.hpp"

namespace nvmf::cli {

namespace {

std::string duration_text(std::uint64_t ns) {
  line_buffer b;
  append_duration(b, static_cast<std::int64_t>(ns));
  return std::string{b.view()};
}

std::string rate(std::uint64_t n, double seconds) {
  return fmt::format("{:.0f}", static_cast<double>(n) / seconds);
}
std::string megabytes(std::uint64_t bytes, double seconds) {
  return fmt::format("{:.1f}", static_cast<double>(bytes) / seconds / 1e6);
}

// Text without colours, cut to the width; the last column stays free, so that nothing wraps.
std::string cut(std::string line, std::size_t columns) {
  if (line.size() >= columns) line.resize(columns - 1);
  return line;
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    out.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

void add_latencies(std::vector<std::string>& cells, const histogram& h) {
  for (const double share : {0.5, 0.99})
    cells.push_back(h.count() == 0 ? "" : duration_text(h.percentile(share)));
  cells.push_back(h.count() == 0 ? "" : duration_text(h.most()));
}

}  // namespace

follow_view::follow_view(const trace_filter& filter, std::ostream& out, int terminal,
                         const style& look, clock::time_point now)
    : filter_(filter),
      out_(out),
      terminal_(terminal),
      look_(look),
      begun_(now),
      drawn_(now),
      due_(now) {}

void follow_view::row::add(const trace::command& k, const trace::completion& done) {
  ++commands;
  ++all;
  bytes[0] += k.in_capsule + k.h2c_bytes;
  bytes[1] += k.c2h_bytes;
  if (!done.answered()) return;
  const std::int64_t total = latency_of(k, done).total;
  latency_ns.add(total < 0 ? 0 : static_cast<std::uint64_t>(total));
  if (!done.failed()) return;
  ++failed;
  ++all_failed;
}

void follow_view::row::begin_again() {
  commands = failed = bytes[0] = bytes[1] = 0;
  if (latency_ns.count() > 0) latency_ns.clear();
}

follow_view::queue* follow_view::queue_of(const trace::connection& c) {
  if (last_ != nullptr && last_number_ == c.number()) return last_;
  auto found = queues_.find(c.number());
  if (found == queues_.end()) {
    if (queues_.size() == rows_max) return nullptr;
    found = queues_.emplace(c.number(), std::make_unique<queue>()).first;
  }
  last_number_ = c.number();
  last_ = found->second.get();
  last_->known = c.queue_known();
  last_->qid = c.qid();
  return last_;
}

void follow_view::note_depth(const trace::connection& c) {
  queue* const q = queue_of(c);
  if (q == nullptr) return;
  q->depth = c.outstanding();
  q->most = std::max(q->most, q->depth);
}

void follow_view::on_command(const trace::connection& c, const trace::command&, const trace::pdu&) {
  note_depth(c);
}

void follow_view::on_completion(const trace::connection& c, const trace::command& k,
                                const trace::completion& done, const trace::pdu*) {
  // It is outstanding until it has been told.
  note_depth(c);
  queue* const q = queue_of(c);
  if (q != nullptr) --q->depth;
  if (!filter_.always() && !filter_.matches({.on = c, .of = &k, .done = &done})) return;
  if (q != nullptr) q->counts.add(k, done);
  all_.counts.add(k, done);
  auto& [name, counts] = commands_[command_key(k)];
  if (counts == nullptr) {
    name = known_.of(k).name;
    counts = std::make_unique<row>();
  }
  counts->add(k, done);
}

void follow_view::on_end(const trace::connection& c, const trace::stamp&, bool) {
  queues_.erase(c.number());
  last_ = nullptr;
}

follow_view::window follow_view::size() const {
  winsize now{};
  if (::ioctl(terminal_, TIOCGWINSZ, &now) != 0 || now.ws_row == 0 || now.ws_col == 0) return {};
  return {now.ws_row, now.ws_col};
}

std::string follow_view::queues(double seconds) const {
  text_table t(0);
  t.add({"", "queue", "depth", "most", "commands/s", "> MB/s", "< MB/s", "p50", "p99", "max",
         "commands", "failed"});
  for (std::size_t right = 2; right < 12; ++right) t.align_right(right);
  const auto show = [&](std::string number, std::string name, const queue& q) {
    const row& r = q.counts;
    std::vector<std::string> cells{std::move(number),
                                   std::move(name),
                                   fmt::format("{}", q.depth),
                                   fmt::format("{}", q.most),
                                   rate(r.commands, seconds),
                                   megabytes(r.bytes[0], seconds),
                                   megabytes(r.bytes[1], seconds)};
    add_latencies(cells, r.latency_ns);
    cells.push_back(fmt::format("{}", r.all));
    cells.push_back(fmt::format("{}", r.all_failed));
    t.add(std::move(cells));
  };
  queue all;
  all.counts = all_.counts;
  for (const auto& [number, q] : queues_) {
    all.depth += q->depth;
    all.most = std::max(all.most, q->most);
  }
  show("all", "", all);
  // Who is at work comes first.
  for (const bool busy : {true, false})
    for (const auto& [number, q] : queues_)
      if ((q->counts.commands > 0) == busy)
        show(fmt::format("c{}", number), q->known ? fmt::format("q{}", q->qid) : "q?", *q);
  return t.str();
}

std::string follow_view::commands(double seconds) const {
  text_table t(0);
  t.add({"command", "per second", "> MB/s", "< MB/s", "p50", "p99", "max", "count", "failed"});
  for (std::size_t right = 1; right < 9; ++right) t.align_right(right);
  for (const auto& [key, named] : commands_) {
    const row& r = *named.second;
    std::vector<std::string> cells{named.first, rate(r.commands, seconds),
                                   megabytes(r.bytes[0], seconds), megabytes(r.bytes[1], seconds)};
    add_latencies(cells, r.latency_ns);
    cells.push_back(fmt::format("{}", r.all));
    cells.push_back(fmt::format("{}", r.all_failed));
    t.add(std::move(cells));
  }
  return t.str();
}

// At most `room` of them: queues give way to commands, of which there are few.
std::vector<std::string> follow_view::lines(clock::time_point now, std::size_t room) const {
  const double seconds = std::max(std::chrono::duration<double>(now - drawn_).count(), 1e-3);
  std::vector<std::string> of_commands = split(commands(seconds));
  std::vector<std::string> out = split(queues(seconds));
  if (of_commands.size() + 4 > room) of_commands.resize(room > 4 ? room - 4 : 0);
  const std::size_t left = room > of_commands.size() + 1 ? room - of_commands.size() - 1 : 0;
  if (out.size() > left && left > 0) {
    const std::size_t more = out.size() - (left - 1);
    out.resize(left - 1);
    out.push_back(fmt::format("and {} more", more));
  }
  out.emplace_back();
  out.insert(out.end(), of_commands.begin(), of_commands.end());
  return out;
}

void follow_view::draw(clock::time_point now, const std::vector<std::string>& below) {
  const window have = size();
  std::string text;
  if (shown_ > 0 && have != last_size_)
    text = "\x1b[H\x1b[2J";  // lines were wrapped anew: nobody knows where they are
  else if (shown_ > 1)
    text = fmt::format("\r\x1b[{}A", shown_ - 1);
  else
    text = "\r";
  last_size_ = have;
  const auto at_s = std::chrono::duration_cast<std::chrono::seconds>(now - begun_).count();
  std::vector<std::string> all{fmt::format("{} s, {} queue{}; in the last second:", at_s,
                                           queues_.size(), queues_.size() == 1 ? "" : "s")};
  const std::size_t taken = all.size() + below.size() + 1;
  const auto middle = lines(now, have.rows > taken ? have.rows - taken : 1);
  all.insert(all.end(), middle.begin(), middle.end());
  all.insert(all.end(), below.begin(), below.end());
  if (all.size() >= have.rows) all.resize(std::max<std::size_t>(have.rows - 1, 1));
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::string line = cut(std::move(all[i]), have.columns);
    text += i == 0 ? look_(tone::strong, line) : line;
    text += i + 1 < all.size() ? "\x1b[K\r\n" : "\x1b[K\x1b[J";
  }
  shown_ = all.size();
  out_ << text;
  out_.flush();
  drawn_ = now;
  due_ = std::max(due_ + interval, now);
  all_.counts.begin_again();
  for (auto& [number, q] : queues_) {
    q->counts.begin_again();
    q->most = q->depth;
  }
  for (auto& [key, named] : commands_) named.second->begin_again();
}

void follow_view::leave() {
  if (shown_ == 0) return;
  out_ << (shown_ > 1 ? fmt::format("\r\x1b[{}A\x1b[J", shown_ - 1) : std::string{"\r\x1b[J"});
  out_.flush();
  shown_ = 0;
}

}  // namespace nvmf::cli
