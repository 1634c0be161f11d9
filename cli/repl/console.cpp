// SPDX-License-Identifier: BSD-2-Clause
#include "console.hpp"

#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <csignal>

#include "above_prompt.hpp"
#include "completion.hpp"
#include "line_editor.hpp"

namespace nvmf::cli::repl {
namespace {

class console {
 public:
  console(workbench& bench, interpreter& runs);
  ~console();
  void run(const std::vector<std::string>& first);

 private:
  enum class end : std::uint8_t { none, interrupted, leaving };

  void arm_leaving();
  void arm_screen();
  std::optional<char> next_byte();
  void give_up(end why, std::string_view mark);
  std::optional<std::string> read_line();
  std::optional<std::string> read_plain();
  void print(const std::function<void()>& prints);
  void list(const std::vector<std::string>& words);
  std::string prompt() const;
  void keep_prompt_true();
  void take(const std::string& line);
  void remember(const std::string& line);
  void check(const std::expected<void, std::string>& kept);

  workbench& bench_;
  context& ctx_;
  interpreter& runs_;
  terminal tty_;
  boost::asio::posix::stream_descriptor input_;
  boost::asio::signal_set leaving_, screen_;
  std::string bytes_;  // that were read
  std::size_t at_ = 0;
  bool waiting_ = false, readable_ = false;
  bool prompted_ = false;
  std::string drawn_;  // the prompt on the screen
  end end_ = end::none;
  std::string text_;  // of lines that go on
  std::size_t line_ = 0;
  history_file past_;
  bool keeps_ = true;
  std::string last_;
  std::unique_ptr<line_editor> editor_;  // not on a dumb terminal
  above_prompt out_;
  std::optional<above_prompt> err_;
};

console::console(workbench& bench, interpreter& runs)
    : bench_(bench),
      ctx_(bench.world()),
      runs_(runs),
      tty_(*ctx_.person),
      input_(bench.on().context(), ::dup(tty_.in)),
      leaving_(bench.on().context(), SIGTERM, SIGHUP),
      screen_(bench.on().context(), SIGWINCH, SIGCONT),
      past_(ctx_.state_home),
      out_(ctx_.out, [this] { return prompted_; }, [this](const auto& prints) { print(prints); }) {
  ctx_.out.flush();
  if (!tty_.dumb)
    editor_ = std::make_unique<line_editor>(
        tty_.in, tty_.out,
        line_editor::hooks{.next_byte = [this] { return next_byte(); },
                           .more = [this] { return at_ < bytes_.size(); },
                           .prompt = [this] { return drawn_ = prompt(); },
                           .complete =
                               [this](std::string_view before) {
                                 return complete_at(bench_, before, runs_.vars().names());
                               },
                           .list = [this](const auto& words) { list(words); }});
  if (ctx_.err_is_terminal)
    err_.emplace(
        ctx_.err, [this] { return prompted_; }, [this](const auto& prints) { print(prints); });
  if (editor_) {
    const auto lines = past_.load();
    if (!lines) check(std::unexpected(lines.error()));
    for (const std::string& line : lines.value_or(std::vector<std::string>{}))
      editor_->remember(last_ = line);
  }
  arm_leaving();
  arm_screen();
}

console::~console() {
  boost::system::error_code ignored;
  input_.cancel(ignored);
  leaving_.cancel(ignored);
  screen_.cancel(ignored);
  bench_.settle();  // what was due already finds this console
}

void console::arm_leaving() {
  leaving_.async_wait([this](const boost::system::error_code& e, int) {
    if (e) return;
    end_ = end::leaving;
    bench_.interrupt();
    arm_leaving();
  });
}

void console::arm_screen() {
  screen_.async_wait([this](const boost::system::error_code& e, int number) {
    if (e) return;
    if (prompted_ && editor_) number == SIGWINCH ? editor_->resize() : editor_->reclaim();
    arm_screen();
  });
}

// The reactor runs here while a line is typed.
std::optional<char> console::next_byte() {
  while (at_ == bytes_.size()) {
    if (!waiting_ && !readable_) {
      waiting_ = true;
      input_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                        [this](const boost::system::error_code& e) {
                          if (e == boost::asio::error::operation_aborted) return;
                          waiting_ = false;
                          readable_ = !e;
                          bench_.stop_waiting();
                        });
    }
    const bool stopped = readable_ || bench_.run_until_stopped([this] { keep_prompt_true(); });
    if (end_ == end::leaving || !stopped) {
      give_up(end_ == end::leaving ? end_ : end::interrupted, end_ == end::leaving ? "" : "^C");
      return std::nullopt;
    }
    readable_ = false;
    bytes_.resize(4096);
    const ssize_t n = ::read(tty_.in, bytes_.data(), bytes_.size());
    bytes_.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    at_ = 0;
    if (n > 0 || (n < 0 && errno == EINTR)) continue;
    give_up(end::leaving, "");  // the end of the file, or the terminal has hung up
    return std::nullopt;
  }
  return bytes_[at_++];
}

// The line that is being typed is no more.
void console::give_up(end why, std::string_view mark) {
  end_ = why;
  if (editor_) editor_->leave_line();
  prompted_ = false;
  ctx_.out << (editor_ ? mark : "") << "\n";
  ctx_.out.flush();
}

std::string console::prompt() const {
  const bool goes_on = !text_.empty() || runs_.in_block();
  return goes_on ? bench_.look()(tone::faint, "...>") + " " : prompt_text(bench_);
}

// What happens may change it without a word: a command ends after its callbacks have printed.
void console::keep_prompt_true() {
  if (!prompted_ || !editor_ || prompt() == drawn_) return;
  editor_->hide();
  editor_->show();
}

std::optional<std::string> console::read_plain() {
  ctx_.out << prompt();
  ctx_.out.flush();
  prompted_ = true;
  std::string line;
  while (const auto c = next_byte()) {
    if (*c == '\n') return line;
    line += *c;
  }
  return std::nullopt;
}

std::optional<std::string> console::read_line() {
  end_ = end_ == end::leaving ? end_ : end::none;
  ctx_.out.flush();
  ctx_.err.flush();
  std::optional<std::string> line;
  if (editor_) {
    prompted_ = true;
    line = editor_->read();
  } else {
    line = read_plain();
  }
  const bool ended = prompted_ && !line;  // Ctrl-D, not given up
  prompted_ = false;
  if (ended) give_up(end::leaving, "");
  return line;
}

void console::print(const std::function<void()>& prints) {
  if (!editor_) {  // what was typed stays in the terminal
    prompted_ = false;
    ctx_.out << "\n";
    ctx_.out.flush();
    prints();
    ctx_.out << prompt();
    ctx_.out.flush();
    prompted_ = true;
    return;
  }
  editor_->hide();
  prints();
  editor_->show();
}

void console::list(const std::vector<std::string>& words) {
  ctx_.out << in_columns(words, editor_->columns());
  ctx_.out.flush();
}

void console::check(const std::expected<void, std::string>& kept) {
  if (kept || !keeps_) return;
  keeps_ = false;
  ctx_.warn(kept.error() + "; the lines of this session are not kept");
}

void console::remember(const std::string& line) {
  if (!editor_ || line == last_ || !worth_remembering(line)) return;
  editor_->remember(last_ = line);
  if (keeps_) check(past_.add(line));
}

void console::take(const std::string& line) {
  ++line_;
  text_ += line;
  if (!complete_line(text_)) return;
  (void)runs_.run_line(std::exchange(text_, {}), "", line_);
}

void console::run(const std::vector<std::string>& first) {
  for (const std::string& line : first) {
    if (bench_.quitting || end_ == end::leaving) break;
    ctx_.out << prompt() << line << "\n";
    take(line);
  }
  while (!bench_.quitting && end_ != end::leaving) {
    const auto line = read_line();
    if (!line) {
      text_.clear();
      runs_.forget_block();
      continue;
    }
    remember(*line);
    take(*line);
  }
}

}  // namespace

std::string prompt_text(const workbench& bench) {
  const style& look = bench.look();
  const auto q = bench.queues.find(bench.current());
  if (!q) return look(tone::strong, "nvmfctl>") + " ";
  std::string text = look(tone::strong, q->name);
  const auto c = q->of.lock();
  if (q->ended || (c && !c->up)) text += look(tone::bad, " lost");
  if (is_paused(*q)) text += look(tone::warning, " paused");
  if (!q->under_way.empty()) text += look(tone::name, fmt::format(" {}", q->under_way.size()));
  return text + look(tone::strong, ">") + " ";
}

void run_console(workbench& bench, interpreter& runs, const std::vector<std::string>& first) {
  console(bench, runs).run(first);
}

}  // namespace nvmf::cli::repl
