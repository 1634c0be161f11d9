// SPDX-License-Identifier: BSD-2-Clause
#include "line_editor.hpp"

#include <fmt/format.h>
#include <histedit.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <clocale>
#include <system_error>

#include "screen_rows.hpp"

namespace nvmf::cli::repl {
namespace {

constexpr char invisible = '\1';  // on both sides of an escape sequence in a prompt
constexpr int lines_remembered = 1000;

struct closes_file {
  void operator()(std::FILE* f) const { std::fclose(f); }
};
using file = std::unique_ptr<std::FILE, closes_file>;

file stream_of(int descriptor, const char* mode) {
  const int own = ::dup(descriptor);
  std::FILE* made = own < 0 ? nullptr : ::fdopen(own, mode);
  if (made == nullptr) throw std::system_error(errno, std::generic_category(), "the terminal");
  return file{made};
}

void append_utf8(std::string& to, wchar_t wide) {
  const auto c = static_cast<std::uint32_t>(wide);
  const auto put = [&](std::uint32_t byte) { to += static_cast<char>(byte); };
  if (c < 0x80) return put(c);
  if (c < 0x800) {
    put(0xc0 | c >> 6);
  } else if (c < 0x10000) {
    put(0xe0 | c >> 12);
    put(0x80 | (c >> 6 & 0x3f));
  } else {
    put(0xf0 | (c >> 18 & 7));
    put(0x80 | (c >> 12 & 0x3f));
    put(0x80 | (c >> 6 & 0x3f));
  }
  put(0x80 | (c & 0x3f));
}

std::string narrow(std::wstring_view text) {
  std::string out;
  for (const wchar_t c : text) append_utf8(out, c);
  return out;
}

std::wstring widen(std::string_view text) {
  std::wstring out;
  for (std::size_t i = 0; i < text.size();) {
    const auto first = static_cast<unsigned char>(text[i++]);
    const unsigned more = first < 0xc0 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    std::uint32_t c = more == 0 ? first : first & (0x3fu >> more);
    for (unsigned n = 0; n < more && i < text.size(); ++n)
      c = c << 6 | (static_cast<unsigned char>(text[i++]) & 0x3fu);
    out += static_cast<wchar_t>(c);
  }
  return out;
}

// With its colours enclosed: they take no room.
std::string marked(std::string_view prompt) {
  std::string out;
  for (std::size_t at = 0; at < prompt.size();) {
    const std::size_t escape = std::min(prompt.find('\033', at), prompt.size());
    out += prompt.substr(at, escape - at);
    const std::size_t end = std::min(prompt.find('m', escape), prompt.size() - 1) + 1;
    if (escape < end) {
      // libedit wants a character between two of them.
      if (out.ends_with(invisible) && escape == at)
        out.pop_back();
      else
        out += invisible;
      out.append(prompt.substr(escape, end - escape)) += invisible;
    }
    at = std::max(end, escape);
  }
  return out;
}

// What all of them begin with.
std::string common_beginning(const std::vector<std::string>& words) {
  std::string same = words.front();
  for (const std::string& w : words)
    same.resize(static_cast<std::size_t>(std::ranges::mismatch(same, w).in1 - same.begin()));
  return same;
}

}  // namespace

struct line_editor::state {
  hooks h;
  int out;
  termios mode_before{};
  file in_stream, out_stream;
  EditLine* el = nullptr;
  History* past = nullptr;
  std::string prompt{};  // as drawn last

  // Of the text up to `end`, from the first byte of the prompt on.
  screen_place place(const wchar_t* end) const {
    std::wstring shown;
    bool seen = true;
    for (const char c : prompt) {
      if (c == invisible) seen = !seen;
      if (seen && c != invisible) shown += static_cast<wchar_t>(c);
    }
    const LineInfoW* line = ::el_wline(el);
    return place_after({line->buffer, static_cast<std::size_t>(end - line->buffer)},
                       place_after(shown, {}, columns()), columns());
  }
  screen_place cursor() const { return place(::el_wline(el)->cursor); }
  screen_place end() const { return place(::el_wline(el)->lastchar); }
  unsigned columns() const {
    winsize size{};
    return ::ioctl(out, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
  }
  void write(std::string_view text) const {
    std::fwrite(text.data(), 1, text.size(), out_stream.get());
    std::fflush(out_stream.get());
  }
  int take_character(wchar_t* into) const;
  unsigned char tab();
};

namespace {

line_editor::state& of(EditLine* el) {
  void* data = nullptr;
  ::el_get(el, EL_CLIENTDATA, &data);
  return *static_cast<line_editor::state*>(data);
}

int take_character(EditLine* el, wchar_t* into) { return of(el).take_character(into); }
unsigned char complete(EditLine* el, int) { return of(el).tab(); }
char* draw_prompt(EditLine* el) {
  line_editor::state& s = of(el);
  s.prompt = marked(s.h.prompt());
  return s.prompt.data();
}

}  // namespace

// 1, or 0 at the end of the file.
int line_editor::state::take_character(wchar_t* into) const {
  const auto first = h.next_byte();
  if (!first) return 0;
  std::string bytes(1, *first);
  const auto lead = static_cast<unsigned char>(*first);
  for (unsigned more = lead < 0xc0 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3; more > 0; --more) {
    const auto next = h.next_byte();
    if (!next) return 0;
    bytes += *next;
  }
  *into = widen(bytes).front();
  return 1;
}

unsigned char line_editor::state::tab() {
  const LineInfoW* line = ::el_wline(el);
  const std::string before = narrow({line->buffer, line->cursor});
  const auto typed_something = before.find_first_not_of(" \t") != std::string::npos;
  // A tab in pasted text is a blank: more than a tab has come at once.
  if (h.more() && (!typed_something || before.back() == ' '))
    return ::el_winsertstr(el, L" ") == 0 ? CC_REFRESH : CC_ERROR;
  completions found = h.complete(before);
  if (found.words.empty()) return CC_REFRESH_BEEP;
  const std::string same = common_beginning(found.words);
  std::string fresh = same.substr(before.size() - found.from);
  if (found.words.size() == 1 && !found.words.front().ends_with('=') &&
      !found.words.front().ends_with('/') && !found.words.front().ends_with(':'))
    fresh += ' ';
  if (!fresh.empty()) return ::el_winsertstr(el, widen(fresh).c_str()) == 0 ? CC_REFRESH : CC_ERROR;
  // Values are shown without the name of their field.
  if (const std::size_t equals = same.find('='); equals != std::string::npos)
    for (std::string& w : found.words) w.erase(0, equals + 1);
  h.list(found.words);
  return CC_NORM;
}

line_editor::line_editor(int in, int out, hooks h)
    : state_(new state{.h = std::move(h),
                       .out = out,
                       .in_stream = stream_of(in, "r"),
                       .out_stream = stream_of(out, "w")}) {
  // What is typed is UTF-8, whatever the locale says: so are the names that go over the wire.
  std::setlocale(LC_CTYPE, "C.UTF-8");
  state& s = *state_;
  ::tcgetattr(in, &s.mode_before);
  s.el = ::el_init_fd("nvmfctl", s.in_stream.get(), s.out_stream.get(), s.out_stream.get(), in, out,
                      out);
  if (s.el == nullptr) throw std::system_error(ENOMEM, std::generic_category(), "the line editor");
  ::el_set(s.el, EL_CLIENTDATA, &s);
  ::el_set(s.el, EL_SIGNAL, 0);
  ::el_set(s.el, EL_EDITOR, "emacs");
  ::el_set(s.el, EL_GETCFN, &repl::take_character);
  ::el_set(s.el, EL_PROMPT_ESC, &draw_prompt, invisible);
  ::el_set(s.el, EL_SETTY, "-x", "-echo", "-icanon", nullptr);
  ::el_wset(s.el, EL_ADDFN, L"nvmf-complete", L"complete the word", &complete);  // el_set leaks
  ::el_set(s.el, EL_BIND, "^I", "nvmf-complete", nullptr);
  ::el_set(s.el, EL_BIND, "^R", "em-inc-search-prev", nullptr);
  ::el_set(s.el, EL_BIND, "\033[3~", "ed-delete-next-char", nullptr);
  ::el_set(s.el, EL_BIND, "\033[1;5C", "em-next-word", nullptr);
  ::el_set(s.el, EL_BIND, "\033[1;5D", "ed-prev-word", nullptr);
  HistEvent e{};
  s.past = ::history_init();
  ::history(s.past, &e, H_SETSIZE, lines_remembered);
  ::history(s.past, &e, H_SETUNIQUE, 1);
  ::el_set(s.el, EL_HIST, &::history, s.past);
  ::el_source(s.el, nullptr);  // ~/.editrc, as other programs with libedit
}

line_editor::~line_editor() {
  ::el_end(state_->el);
  ::history_end(state_->past);
  ::tcsetattr(state_->out, TCSADRAIN, &state_->mode_before);
}

std::optional<std::string> line_editor::read() {
  int count = 0;
  const wchar_t* text = ::el_wgets(state_->el, &count);
  if (text == nullptr || count <= 0) return std::nullopt;
  std::string line = narrow({text, static_cast<std::size_t>(count)});
  if (!line.ends_with('\n')) return std::nullopt;  // given up in the middle
  line.pop_back();
  return line;
}

void line_editor::remember(const std::string& line) {
  HistEvent e{};
  ::history(state_->past, &e, H_ENTER, line.c_str());
}

void line_editor::hide() {
  const unsigned row = state_->cursor().row;
  state_->write(fmt::format("\r{}\033[J", row > 0 ? fmt::format("\033[{}A", row) : ""));
}

void line_editor::show() { ::el_set(state_->el, EL_REFRESH); }

void line_editor::leave_line() {
  const unsigned down = state_->end().row - state_->cursor().row;
  state_->write(down > 0 ? fmt::format("\033[{}B", down) : "");
}

void line_editor::resize() {
  hide();
  ::el_resize(state_->el);
  show();
}

void line_editor::reclaim() {
  ::el_set(state_->el, EL_PREP_TERM, 1);
  state_->write("\r");
  show();
}

unsigned line_editor::columns() const { return state_->columns(); }

}  // namespace nvmf::cli::repl
