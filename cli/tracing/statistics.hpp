// SPDX-License-Identifier: BSD-2-Clause
// `--stats`: counts, bytes, errors and latency percentiles, by connection and command. With a
// filter they are of the commands that fit, and of the connections that such a command was on; what
// belongs to a queue as a whole (depth, limits, digests) is of all of it.
#pragma once

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "filter.hpp"
#include "histogram.hpp"
#include "known_commands.hpp"
#include "over_time.hpp"
#include "reached.hpp"
#include "render/style.hpp"
#include "trace/conversation/connection.hpp"

namespace nvmf::cli {

class statistics final : public trace::listener {
 public:
  // Rows of one connection and command, each with a histogram of 30 KiB; commands of further
  // connections are counted in the rows of all connections only.
  static constexpr std::size_t rows_max = 512;
  static constexpr std::size_t connections_max = 4096;

  explicit statistics(const trace_filter& filter) : filter_(filter) {}

  void on_pdu(const trace::connection& c, const trace::pdu& p, const trace::command* of) override;
  void on_command(const trace::connection& c, const trace::command& k,
                  const trace::pdu& p) override;
  void on_completion(const trace::connection& c, const trace::command& k,
                     const trace::completion& done, const trace::pdu* by) override;
  void on_end(const trace::connection& c, const trace::stamp& at, bool closed) override;

  // `unicode`: charts may be drawn with block signs.
  std::string text(const style& look, bool unicode) const;
  boost::json::object json() const;

 private:
  struct row {
    std::string name;
    std::uint16_t qid = 0;
    bool queue_known = false;
    std::uint64_t count = 0, failed = 0, unanswered = 0, bytes = 0, r2ts = 0, data_pdus = 0;
    histogram latency_ns;
    std::map<std::uint16_t, std::uint64_t> errors;  // by status code
  };
  struct end_of {
    std::string host, controller;
    trace::agreement agreed;
    trace::connection_counts counts;
    std::uint32_t number;
    std::size_t most_outstanding;
    reached_limits reached;
  };
  // Of one connection while it goes on.
  struct watched {
    limit_watch limits = {};
    bool shown = false;                                                      // something of it fits
    std::uint64_t commands = 0, completions = 0, failed = 0, bytes[2] = {};  // that fit
    std::vector<bool> in_depth = {};  // by slot: the command is counted as outstanding
    // The rows of its commands that were looked up last, by key.
    std::array<std::pair<std::size_t, row*>, 4> recent = {};
  };
  // A filter that is about more than time can tell of a command at its beginning.
  bool depth_fits() const { return !filter_.always() && !filter_.needs_end(); }
  static void add(row& to, const trace::command& k, const trace::completion& done);
  row& total_of(const trace::command& k, std::size_t key);
  // Null: there are too many rows.
  row* row_of(const trace::connection& c, watched& w, std::size_t key, const row& total);
  void add_connections(std::string& out, const style& look) const;
  void add_agreements(std::string& out, const style& look) const;
  void add_reached(std::string& out, const style& look) const;
  // Who told the limits of its controller: itself, or its admin queue.
  const trace::agreement* identified(const end_of& e) const;
  watched& watch(const trace::connection& c);
  trace::connection_counts shown_counts(const trace::connection& c, const watched& w) const;
  void add_rows(std::string& out, const style& look) const;
  void add_errors(std::string& out, const style& look) const;

  const trace_filter& filter_;
  over_time over_time_;
  std::map<std::uint32_t, watched> watches_;  // by connection
  // Those that were asked for last, by number; 0 is no connection.
  std::array<std::pair<std::uint32_t, watched*>, 16> recent_{};
  known_commands known_;
  std::map<std::pair<std::uint32_t, std::size_t>, std::unique_ptr<row>> rows_;
  std::map<std::size_t, std::unique_ptr<row>> all_;  // by command
  std::array<row*, 3 * 256> totals_{};               // the same
  std::vector<end_of> ends_;
  boost::json::array ends_json_;
  std::uint64_t more_connections_ = 0;
  bool folded_ = false;
};

}  // namespace nvmf::cli
