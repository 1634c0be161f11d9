// SPDX-License-Identifier: BSD-2-Clause
#include "inside_trace.hpp"

#include <fmt/format.h>
#include <pthread.h>
#include <spdlog/logger.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "context.hpp"
#include "tracing/outputs.hpp"

namespace nvmf::cli {
namespace {

using namespace std::chrono_literals;

// A person may watch; and who tells events need not wake the thread for each.
constexpr auto between_batches = 5ms;
bool is_pdu(event_type t) {
  return t == event_type::pdu_out || t == event_type::pdu_in || t == event_type::pdu_in_data ||
         t == event_type::raw_out;
}
bool is_end(event_type t) { return t == event_type::connected || t == event_type::disconnected; }
bool is_capsule(event_type t) {
  return t == event_type::command_out || t == event_type::command_in ||
         t == event_type::response_out || t == event_type::response_in ||
         t == event_type::data_asked || t == event_type::data_out || t == event_type::data_in ||
         t == event_type::work_posted || t == event_type::work_done;
}

}  // namespace

void trace_choice::add(option_table& table) {
  option& row = table.custom("--trace", "FILE",
                             "show what is said, as lines on standard error or in FILE; by its "
                             "ending .json, .pcapng, .perfetto and .html are other forms",
                             [this](std::string_view text) -> std::expected<void, std::string> {
                               on = true;
                               file = text;
                               return {};
                             });
  row.wants = option::takes::optional;
  row.completion = completes::file;
  table.size("--trace-data", "SIZE", data_bytes,
             "with --trace: how much of the data of each PDU of an I/O queue is kept",
             {.max = 16u << 20});
}

// On the thread: events become bytes of connections, and those whatever was asked for.
class inside_trace::writer {
 public:
  writer(const trace_choice& how, const context& ctx)
      : how_(how),
        json_(how.file.ends_with(".json")),
        verbosity_(ctx.options.verbosity),
        log_(ctx.log) {}

  std::expected<void, std::string> open();
  void take(const inside_record& r, const std::byte* bytes) {
    if (trouble_.empty()) flows_->take(r, bytes);
  }
  // Lines leave. False: they cannot be written, and tracing is over.
  bool flush();
  // The data of I/O queues; lines without -vv have none of it.
  bool shows_data() const { return files_only() || verbosity_ > 1; }
  ending finish();

 private:
  void lines_failed();
  std::string_view name() const {
    return how_.file.empty() ? std::string_view{"standard error"} : std::string_view{how_.file};
  }
  bool files_only() const {
    return !options_.pcapng.empty() || !options_.perfetto.empty() || !options_.html.empty();
  }

  trace_choice how_;
  bool json_;
  int verbosity_;
  style plain_{};
  std::shared_ptr<spdlog::logger> log_;
  output_options options_;
  std::ofstream file_;
  std::unique_ptr<outputs> out_;
  std::unique_ptr<trace::tracer> tracer_;
  std::unique_ptr<inside_flows> flows_;
  std::string trouble_;  // why it cannot be written
};

std::expected<void, std::string> inside_trace::writer::open() {
  if (how_.file.ends_with(".pcapng")) options_.pcapng = how_.file;
  if (how_.file.ends_with(".perfetto")) options_.perfetto = how_.file;
  if (how_.file.ends_with(".html")) options_.html = how_.file;
  options_.source = "the inside of nvmfctl";
  // What is not asked for costs nothing: statistics are the least of the views.
  options_.statistics = files_only();
  if (!files_only()) {
    errno = 0;
    file_.open(how_.file.empty() ? "/dev/stderr" : how_.file,
               how_.file.empty() ? std::ios::app : std::ios::trunc);
    if (!file_)
      return std::unexpected(fmt::format("--trace: {}: cannot be opened for writing: {}", name(),
                                         std::strerror(errno)));
  }
  out_ = std::make_unique<outputs>(options_, json_, verbosity_, file_, plain_);
  if (const auto opened = out_->open(); !opened)
    return std::unexpected("--trace: " + opened.error());
  out_->on_trouble([this](const std::string& wrong) { trouble_ = wrong; });
  tracer_ = std::make_unique<trace::tracer>(out_->options(), out_->listener());
  flows_ = std::make_unique<inside_flows>(*tracer_);
  return {};
}

bool inside_trace::writer::flush() {
  if (!trouble_.empty()) return false;
  out_->flush();
  if (!files_only() && !file_) lines_failed();
  if (!trouble_.empty())
    log_->error("--trace: {}: the trace is over, and nothing of it is left", trouble_);
  return trouble_.empty();
}

// Nothing that looks whole is left.
void inside_trace::writer::lines_failed() {
  trouble_ = fmt::format("{}: cannot be written (is the disk full?)", name());
  std::error_code ignored;
  if (!how_.file.empty() && std::filesystem::is_regular_file(how_.file, ignored))
    std::filesystem::remove(how_.file, ignored);
}

inside_trace::ending inside_trace::writer::finish() {
  ending e;
  flows_->finish();
  tracer_->finish();
  const result r = out_->finish(*tracer_, e.warnings);
  if (!files_only()) {
    flush();
    file_.close();
    if (!file_ && trouble_.empty()) lines_failed();
  }
  e.error = trouble_.empty() ? r.error : trouble_;
  return e;
}

// --- The events ---------------------------------------------------------------------------------

std::expected<std::unique_ptr<inside_trace>, std::string> inside_trace::start(
    const trace_choice& how, context& ctx) {
  if (!how.on) return nullptr;
  auto to = std::make_unique<writer>(how, ctx);
  if (const auto opened = to->open(); !opened) return std::unexpected(opened.error());
  return std::unique_ptr<inside_trace>{new inside_trace(how, std::move(to))};
}

inside_trace::inside_trace(const trace_choice& how, std::unique_ptr<writer> to)
    : data_bytes_(to->shows_data() ? how.data_bytes : 0), writer_(std::move(to)) {
  // Signals are for the threads that wait for them.
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

inside_trace::~inside_trace() { finish(); }

event_set inside_trace::wanted_with_pdus() const noexcept {
  using enum event_type;
  return set_of(connected, pdu_out, pdu_in, pdu_in_data, raw_out, disconnected) |
         (next_ != nullptr ? next_->wanted_with_pdus() : 0);
}

void inside_trace::on_event(const event& e) noexcept {
  // Over TCP its PDU tells what a capsule is: the other event of it need not be kept. A queue lives
  // on one thread, and both come one behind the other.
  thread_local std::uint32_t has_pdus = 0;
  if (is_pdu(e.type)) has_pdus = e.qpair;
  if (is_pdu(e.type) || is_end(e.type) || (is_capsule(e.type) && e.qpair != has_pdus)) {
    std::unique_lock hold(lock_);
    room_.wait(hold, [&] { return over_ || filling_.bytes.size() < waiting_bytes_max; });
    if (!over_) {
      const std::size_t most = e.qid == 0 ? 8192 : data_bytes_;
      inside_record r{.type = e.type,
                      .qpair = e.qpair,
                      .cid = e.cid,
                      .at = e.at,
                      .a = e.a,
                      .b = e.b,
                      .header_bytes = static_cast<std::uint32_t>(e.header.size()),
                      .data_bytes = 0,
                      .text_bytes = static_cast<std::uint32_t>(e.text.size())};
      auto& to = filling_.bytes;
      to.insert(to.end(), e.header.begin(), e.header.end());
      for (const segment& s : e.data) {
        const std::size_t n = std::min(s.size, most - r.data_bytes);
        if (n == 0) break;
        to.insert(to.end(), s.data, s.data + n);
        r.data_bytes += static_cast<std::uint32_t>(n);
      }
      const auto* text = reinterpret_cast<const std::byte*>(e.text.data());
      if (!e.text.empty()) to.insert(to.end(), text, text + e.text.size());
      filling_.records.push_back(r);
      if (idle_) wake_.notify_one();
      idle_ = false;
    }
  }
  if (next_ != nullptr) next_->on_event(e);
}

void inside_trace::run() {
  batch now;
  std::unique_lock hold(lock_);
  while (true) {
    idle_ = true;
    wake_.wait(hold, [&] { return stopping_ || !filling_.records.empty(); });
    idle_ = false;
    if (filling_.records.empty()) return;
    std::swap(now, filling_);
    hold.unlock();
    room_.notify_all();
    const std::byte* bytes = now.bytes.data();
    for (const inside_record& r : now.records) {
      writer_->take(r, bytes);
      bytes += r.header_bytes + r.data_bytes + r.text_bytes;
    }
    const bool more = writer_->flush();
    now.records.clear();
    now.bytes.clear();
    hold.lock();
    if (!more) {
      over_ = true;
      filling_ = {};
      room_.notify_all();
      return;
    }
    // Meanwhile events gather.
    wake_.wait_for(hold, between_batches,
                   [&] { return stopping_ || filling_.bytes.size() > waiting_bytes_max / 2; });
  }
}

inside_trace::ending inside_trace::finish() {
  if (!thread_.joinable()) return {};
  {
    const std::lock_guard hold(lock_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
  return writer_->finish();
}

void inside_trace::end(const std::unique_ptr<inside_trace>& which, context& ctx,
                       std::string_view command, result& r) {
  if (which == nullptr) return;
  const ending e = which->finish();
  for (const std::string& w : e.warnings) ctx.warn(w);
  if (e.error.empty()) return;
  const std::string text = fmt::format("--trace: {}", e.error);
  if (r.status != exit_status::ok) return ctx.warn(text);
  r.status = exit_status::usage;
  r.error = fmt::format("{}: {}", command, text);
}

}  // namespace nvmf::cli
