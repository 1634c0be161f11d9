// SPDX-License-Identifier: BSD-2-Clause
// `--follow`: statistics that are drawn again and again at the same place of a terminal. The clock
// on the wall decides when, and rates are by it; latencies are those of the traffic.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "filter.hpp"
#include "histogram.hpp"
#include "known_commands.hpp"
#include "render/style.hpp"
#include "trace/conversation/connection.hpp"

namespace nvmf::cli {

class follow_view final : public trace::listener {
 public:
  using clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds interval{1};
  // Queues with a row of their own; the others are in the row of all.
  static constexpr std::size_t rows_max = 256;

  // `terminal`: the descriptor that `out` writes to, for its size.
  follow_view(const trace_filter& filter, std::ostream& out, int terminal, const style& look,
              clock::time_point now);

  void on_command(const trace::connection& c, const trace::command& k,
                  const trace::pdu& p) override;
  void on_completion(const trace::connection& c, const trace::command& k,
                     const trace::completion& done, const trace::pdu* by) override;
  void on_end(const trace::connection& c, const trace::stamp& at, bool closed) override;

  clock::time_point due() const { return due_; }
  // What happened since the last time, and `below` it.
  void draw(clock::time_point now, const std::vector<std::string>& below);
  // Takes it off the terminal.
  void leave();

 private:
  // What is counted from one drawing to the next, and since the beginning.
  struct row {
    std::uint64_t commands = 0, failed = 0, bytes[2] = {};
    std::uint64_t all = 0, all_failed = 0;
    histogram latency_ns;
    void add(const trace::command& k, const trace::completion& done);
    void begin_again();
  };
  struct queue {
    row counts;
    bool known = false;
    std::uint16_t qid = 0;
    std::size_t depth = 0, most = 0;
  };
  struct window {
    std::size_t rows = 24, columns = 80;
    friend bool operator==(const window&, const window&) = default;
  };
  window size() const;
  queue* queue_of(const trace::connection& c);
  void note_depth(const trace::connection& c);
  std::vector<std::string> lines(clock::time_point now, std::size_t room) const;
  std::string queues(double seconds) const;
  std::string commands(double seconds) const;

  const trace_filter& filter_;
  std::ostream& out_;
  int terminal_;
  const style& look_;
  clock::time_point begun_, drawn_, due_;
  std::map<std::uint32_t, std::unique_ptr<queue>> queues_;  // by connection
  std::uint32_t last_number_ = 0;
  queue* last_ = nullptr;  // of that connection: commands come in runs
  std::map<std::size_t, std::pair<std::string, std::unique_ptr<row>>> commands_;
  queue all_;
  known_commands known_;
  std::size_t shown_ = 0;  // lines on the terminal
  window last_size_;
};

}  // namespace nvmf::cli
