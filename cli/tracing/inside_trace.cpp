// SPDX-License-Identifier: BSD-2-Clause
#include "inside_trace.hpp"

#include <fmt/format.h>
#include <pthread.h>
#include <spdlog/logger.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "context.hpp"
#include "trace/byte_stream.hpp"
#include "tracing/outputs.hpp"
#include "wire/host.hpp"
#include "wire/layouts/pdu.hpp"

namespace nvmf::cli {
namespace {

using namespace std::chrono_literals;
using trace::byte_span;

// A person may watch; and who tells events need not wake the thread for each.
constexpr auto between_batches = 5ms;
constexpr std::size_t flows_max = 4096;
constexpr std::uint16_t default_port = 4420, first_made_port = 49'152;
constexpr std::uint8_t flag_hdgst = 1, flag_ddgst = 2;

// PDUs of even types travel from the host (NVMe/TCP 3.6).
bool is_from_host(byte_span header) { return (std::to_integer<unsigned>(header[0]) & 1) == 0; }
bool is_termreq(byte_span header) {
  const auto type = std::to_integer<unsigned>(header[0]);
  return type == 2 || type == 3;
}

trace::endpoint endpoint_of(std::string_view text) {
  trace::endpoint e;
  const auto at = wire::parse_endpoint(text);
  if (!at) return e;
  boost::system::error_code wrong;
  const auto address = boost::asio::ip::make_address(at->host, wrong);
  const auto put = [&](const auto& bytes) {
    std::ranges::transform(bytes, e.address.begin(), [](auto b) { return std::byte{b}; });
  };
  if (!wrong && address.is_v6()) {
    e.family = trace::ip_family::v6;
    put(address.to_v6().to_bytes());
  } else if (!wrong) {
    put(address.to_v4().to_bytes());
  }
  e.port = at->port.value_or(0);
  return e;
}

}  // namespace

void trace_choice::add(option_table& table) {
  option& row =
      table.custom("--trace", "FILE",
                   "show what is said over TCP, as lines on standard error or in FILE; by its "
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
        to_wall_(std::chrono::duration_cast<std::chrono::nanoseconds>(
            std::chrono::system_clock::now().time_since_epoch() - clock::now().time_since_epoch())),
        log_(ctx.log) {}

  std::expected<void, std::string> open();
  void take(const record& r, const std::byte* bytes);
  // Lines leave. False: they cannot be written, and tracing is over.
  bool flush();
  ending finish();

 private:
  struct flow {
    std::string peer{};
    std::unique_ptr<trace::byte_stream> stream{};
    bool host_here = true;
    std::vector<std::byte> header{};  // whose data has not come
    std::uint64_t data = 0;
    std::uint64_t used = 0;  // at which frame, last
  };
  flow& flow_of(const record& r);
  void out_or_in(flow& f, const record& r, byte_span header, byte_span data);
  void complete(flow& f, const record& r);
  void add_pdu(flow& f, const record& r, byte_span header, byte_span data, std::uint64_t size);
  void begin(flow& f, const record& r, byte_span header, bool leaves);
  trace::stamp stamp_of(const record& r);
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
  std::chrono::nanoseconds to_wall_;
  std::shared_ptr<spdlog::logger> log_;
  output_options options_;
  std::ofstream file_;
  std::unique_ptr<outputs> out_;
  std::unique_ptr<trace::tracer> tracer_;
  std::map<std::uint32_t, flow> flows_;  // by qpair
  std::uint64_t frames_ = 0;
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
  return {};
}

trace::stamp inside_trace::writer::stamp_of(const record& r) {
  return {(r.at.time_since_epoch() + to_wall_).count(), ++frames_};
}

void inside_trace::writer::begin(flow& f, const record& r, byte_span header, bool leaves) {
  if (f.stream != nullptr) return;
  f.host_here = is_from_host(header) == leaves;
  const trace::endpoint peer = endpoint_of(f.peer);
  // Its own end is not told: a port that tells connections apart, or the one of controllers.
  trace::endpoint own{.port = f.host_here
                                  ? static_cast<std::uint16_t>(first_made_port + r.qpair % 16'000)
                                  : default_port,
                      .family = peer.family};
  f.stream = std::make_unique<trace::byte_stream>(
      *tracer_, f.host_here ? own : peer, f.host_here ? peer : own, trace::packet_maker_options{});
}

// An end that we closed ourselves tells no end: those that are quiet for long make room.
inside_trace::writer::flow& inside_trace::writer::flow_of(const record& r) {
  if (flows_.size() >= flows_max && !flows_.contains(r.qpair)) {
    const auto quiet =
        std::ranges::min_element(flows_, {}, [](const auto& known) { return known.second.used; });
    if (quiet->second.stream != nullptr) quiet->second.stream->close(stamp_of(r), false);
    flows_.erase(quiet);
  }
  flow& f = flows_[r.qpair];
  f.used = frames_;
  return f;
}

void inside_trace::writer::take(const record& r, const std::byte* bytes) {
  if (!trouble_.empty()) return;
  const byte_span header{bytes, r.header_bytes}, data{bytes + r.header_bytes, r.data_bytes};
  flow& f = flow_of(r);
  switch (r.type) {
    case event_type::connected:
      f = {};
      f.peer = {reinterpret_cast<const char*>(bytes) + r.header_bytes + r.data_bytes, r.text_bytes};
      return;
    case event_type::pdu_out:
      if (header.size() < wire::pdu_common.size) return;
      begin(f, r, header, true);
      return add_pdu(f, r, header, data, r.a);
    case event_type::pdu_in:
    case event_type::pdu_in_data:
      if (header.size() < wire::pdu_common.size) return;
      begin(f, r, header, false);
      return out_or_in(f, r, header, data);
    case event_type::raw_out:
      if (f.stream == nullptr) return;  // whose end it is would be a guess
      f.stream->bytes(f.host_here ? 0 : 1, data, stamp_of(r));
      if (r.a > data.size()) f.stream->absent(f.host_here ? 0 : 1, r.a - data.size(), {0, frames_});
      return;
    case event_type::disconnected:
      if (f.stream != nullptr) {
        complete(f, r);
        f.stream->close(stamp_of(r), true);
      }
      flows_.erase(r.qpair);
      return;
    default:
      return;
  }
}

void inside_trace::writer::out_or_in(flow& f, const record& r, byte_span header, byte_span data) {
  if (r.type == event_type::pdu_in_data) {
    f.header.clear();
    return add_pdu(f, r, header, data, r.a);
  }
  complete(f, r);
  if (r.a == 0 || is_termreq(header)) return add_pdu(f, r, header, {}, r.a);
  f.header.assign(header.begin(), header.end());
  f.data = r.a;
}

// Its data has not come, or nobody has seen it.
void inside_trace::writer::complete(flow& f, const record& r) {
  if (f.header.empty()) return;
  const std::vector<std::byte> header = std::exchange(f.header, {});
  add_pdu(f, r, header, {}, f.data);
}

// Digests and padding are not told: they are absent.
void inside_trace::writer::add_pdu(flow& f, const record& r, byte_span header, byte_span data,
                                   std::uint64_t size) {
  const trace::stamp at = stamp_of(r);
  const unsigned from = is_from_host(header) ? 0 : 1;
  const bool digests = !is_termreq(header);
  const auto flags = std::to_integer<unsigned>(header[1]);
  const std::uint64_t begins =
      size > 0 && digests
          ? std::max<std::uint64_t>(header.size(), wire::get<wire::pdu_common, "pdo">(header))
          : header.size();
  const std::uint64_t gap =
      std::max<std::uint64_t>(begins - header.size(), digests && (flags & flag_hdgst) != 0 ? 4 : 0);
  const std::uint64_t tail = size > 0 && digests && (flags & flag_ddgst) != 0 ? 4 : 0;
  if (gap == 0) {
    const std::array<byte_span, 2> all{header, data};
    f.stream->pieces(from, std::span{all}.first(data.empty() ? 1 : 2), at);
  } else {
    f.stream->bytes(from, header, at);
    f.stream->absent(from, gap, at);
    if (!data.empty()) f.stream->bytes(from, data, at);
  }
  if (const std::uint64_t rest = size - std::min<std::uint64_t>(size, data.size()) + tail; rest > 0)
    f.stream->absent(from, rest, at);
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
  const trace::stamp last{tracer_->counts().last_ns, frames_};
  for (auto& [qpair, f] : flows_)
    if (f.stream != nullptr) f.stream->close(last, false);
  flows_.clear();
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
    : data_bytes_(how.data_bytes), writer_(std::move(to)) {
  // Signals are for the threads that wait for them.
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

inside_trace::~inside_trace() { finish(); }

void inside_trace::on_event(const event& e) noexcept {
  const bool wanted = e.type == event_type::connected || e.type == event_type::pdu_out ||
                      e.type == event_type::pdu_in || e.type == event_type::pdu_in_data ||
                      e.type == event_type::raw_out || e.type == event_type::disconnected;
  if (wanted) {
    std::unique_lock hold(lock_);
    room_.wait(hold, [&] { return over_ || filling_.bytes.size() < waiting_bytes_max; });
    if (!over_) {
      const std::size_t most = e.qid == 0 ? 8192 : data_bytes_;
      record r{.type = e.type,
               .qpair = e.qpair,
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
        to.insert(to.end(), s.data, s.data + n);
        r.data_bytes += static_cast<std::uint32_t>(n);
      }
      const auto* text = reinterpret_cast<const std::byte*>(e.text.data());
      to.insert(to.end(), text, text + e.text.size());
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
    for (const record& r : now.records) {
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
