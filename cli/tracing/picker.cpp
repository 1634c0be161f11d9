// SPDX-License-Identifier: BSD-2-Clause
#include "picker.hpp"

#include <fmt/format.h>

#include <ostream>

namespace nvmf::cli {

namespace {
constexpr std::size_t pending_max = 128u << 10;
}

picker::answer picker::wants(const sight& s) const {
  if (done_) return answer::no;
  if (how_.filter.always()) return answer::yes;
  if (s.of != nullptr && s.done == nullptr && how_.filter.waits(s)) return answer::later;
  return how_.filter.matches(s) ? answer::yes : answer::no;
}

void picker::put(answer what, const sight& s, std::string_view text) {
  if (what == answer::yes) return emit(text);
  if (what == answer::no) return;
  auto& slots = waiting_[s.on.number()];
  if (slots.size() <= s.of->slot) slots.resize(s.of->slot + 1);
  waiting& w = slots[s.of->slot];
  if (w.bytes + text.size() > waiting_bytes_max ||
      waiting_bytes_ + text.size() > all_waiting_bytes_max) {
    ++w.left_out;
    return;
  }
  w.bytes += text.size();
  waiting_bytes_ += text.size();
  if (w.used == w.chunks.size()) w.chunks.emplace_back();
  chunk& c = w.chunks[w.used++];
  c.pdu = s.pdu;
  c.text = text;
}

void picker::settle(const sight& s) {
  if (!how_.filter.needs_end()) return;
  const auto slots = waiting_.find(s.on.number());
  if (slots == waiting_.end() || slots->second.size() <= s.of->slot) return;
  waiting& w = slots->second[s.of->slot];
  for (std::size_t i = 0; i < w.used; ++i) {
    sight then = s;
    then.pdu = w.chunks[i].pdu;
    if (!done_ && how_.filter.matches(then)) emit(w.chunks[i].text);
  }
  if (w.left_out > 0 && !done_ && how_.filter.matches(s))
    pending_ += fmt::format("  ... {} longer ones of this command were not kept\n", w.left_out);
  waiting_bytes_ -= w.bytes;
  w.used = w.bytes = w.left_out = 0;
}

void picker::forget(std::uint32_t connection) {
  const auto slots = waiting_.find(connection);
  if (slots == waiting_.end()) return;
  for (const waiting& w : slots->second) waiting_bytes_ -= w.bytes;
  waiting_.erase(slots);
}

void picker::emit(std::string_view text) {
  if (done_) return;
  ++shown_;
  if (how_.last > 0) {
    std::string line;
    if (tail_.size() == how_.last) {
      line = std::move(tail_.front());
      tail_.pop_front();
    }
    line = text;
    tail_.push_back(std::move(line));
  } else {
    pending_ += text;
    if (pending_.size() >= pending_max) flush();
  }
  if (how_.first > 0 && shown_ == how_.first) done_ = true;
}

void picker::flush() {
  if (pending_.empty()) return;
  out_.write(pending_.data(), static_cast<std::streamsize>(pending_.size()));
  out_.flush();
  pending_.clear();
  if (!out_) done_ = true;
}

void picker::finish() {
  for (const std::string& line : tail_) {
    pending_ += line;
    if (pending_.size() >= pending_max) flush();
  }
  tail_.clear();
  flush();
}

}  // namespace nvmf::cli
