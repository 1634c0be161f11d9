// SPDX-License-Identifier: BSD-2-Clause
#include "render.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace nvmf::wire {

namespace {

// Columns grow with what stands in them, up to these; a longer cell pushes its own line only.
constexpr std::size_t widest_name = 24;
constexpr std::size_t widest_value = 40;

struct line {
  std::string name;  // with its indentation
  std::string value;
  std::string_view title;
  bool marked = false;  // the caret's line follows
  bool remark = false;  // the name is a sentence and takes no part in the columns
};

class text_renderer {
 public:
  text_renderer(const layout& l, byte_span bytes, const render_options& options)
      : options_(options) {
    if (options.at) bad_ = field_at(l, options.at->offset, bytes);
    for_each_field(l, bytes, [this](const field_view& v) { return take(v); });
  }

  std::string text() const {
    std::size_t name_width = 0;
    std::size_t value_width = 0;
    for (const line& l : lines_) {
      if (l.remark) continue;
      name_width = std::max(name_width, std::min(l.name.size(), widest_name));
      value_width = std::max(value_width, std::min(l.value.size(), widest_value));
    }
    std::string out;
    for (const line& l : lines_) {
      std::string s = fmt::format("{:{}}  {:{}}  {}", l.name, name_width, l.value, value_width,
                                  options_.titles ? l.title : std::string_view{});
      s.erase(s.find_last_not_of(' ') + 1);
      out += s + '\n';
      if (l.marked) out += caret_line(l);
    }
    if (options_.at && !bad_) {
      fmt::format_to(std::back_inserter(out), "{:{}}^ byte {} is beyond the structure{}\n", "",
                     options_.indent, options_.at->offset, note());
    }
    return out;
  }

 private:
  std::string note() const {
    return options_.at->note.empty() ? std::string{} : ": " + options_.at->note;
  }

  std::string caret_line(const line& l) const {
    const std::size_t start = l.name.find_first_not_of(' ');
    return fmt::format("{:{}}{:^>{}} byte {}{}\n", "", start, "", l.name.size() - start,
                       options_.at->offset, note());
  }

  bool is_bad(const field_view& v) const {
    return bad_ && v.row == bad_->row && v.path == bad_->path;
  }
  // A structure or word that the caret points into is shown whatever it holds.
  bool holds_bad(const field_view& v) const { return bad_ && bad_->path.starts_with(v.path); }

  bool hidden(const field_view& v, bool within) const {
    if (!v.zero || is_bad(v)) return false;
    if (v.row->as == kind::reserved) return true;
    if (options_.zero == zeros::show) return false;
    return options_.zero == zeros::hide || within || v.row->as == kind::raw;
  }

  void add(const field_view& v, std::string value, std::string_view title) {
    const std::size_t dot = v.path.rfind('.');
    std::string name(options_.indent + v.depth * 2, ' ');
    name += dot == std::string_view::npos ? v.path : v.path.substr(dot + 1);
    lines_.push_back({std::move(name), std::move(value), title, is_bad(v), false});
  }

  void remark(const std::string& sentence) {
    lines_.push_back({std::string(options_.indent, ' ') + sentence, {}, {}, false, true});
  }

  bool take(const field_view& v) {
    switch (v.event) {
      case walk_event::value:
        if (!hidden(v, in_bits_ > 0 || v.row->count != 1)) {
          add(v, value_text(v),
              v.row->as == kind::reserved && !v.zero ? "Reserved, not zero" : v.row->title);
        }
        return true;
      case walk_event::begin_bits:
        if (v.zero && options_.zero != zeros::show) return false;
        ++in_bits_;
        return true;
      case walk_event::end_bits:
        --in_bits_;
        return true;
      case walk_event::begin:
        if (v.zero && options_.zero != zeros::show && !holds_bad(v)) return false;
        add(v, {}, v.index == 0 ? v.row->title : std::string_view{});
        return true;
      case walk_event::begin_list:
        return !v.zero || options_.zero == zeros::show || holds_bad(v);
      case walk_event::end:
      case walk_event::end_list:
        return true;
      case walk_event::truncated:
        remark(fmt::format("truncated after byte {}", v.offset));
        return true;
      case walk_event::rest:
        remark(fmt::format("{} more bytes follow the structure", v.bytes.size()));
        return true;
    }
    return true;
  }

  const render_options& options_;
  std::optional<located_field> bad_;
  std::vector<line> lines_;
  int in_bits_ = 0;
};

// "46", "44-45", "2048-3071", "16-" for a list to the end.
std::string byte_range(const field& f, std::uint64_t base) {
  const std::uint64_t first = base + f.offset;
  if (f.count == field::open) return fmt::format("{}-", first);
  const std::uint64_t last = first + std::uint64_t{f.size} * f.count - 1;
  return first == last ? fmt::format("{}", first) : fmt::format("{}-{}", first, last);
}

std::string bit_range(const field& f) {
  if (f.bits == 0) return {};
  if (f.bits == 1) return fmt::format("{}", f.bit);
  return fmt::format("{}:{}", f.bit + f.bits - 1, f.bit);
}

std::string notes(const layout& l, const field& f) {
  std::string out;
  if (f.values != nullptr) out += fmt::format(" [{}]", f.values->name);
  if (f.as == kind::nested) out += fmt::format(" [{}]", f.of->name);
  if (!f.section.empty() && f.section != l.section) out += fmt::format(" ({})", f.section);
  return out;
}

void describe_fields(std::string& out, const layout& l, std::uint64_t base, unsigned depth) {
  for (const field& f : l.fields) {
    std::string name = std::string(depth * 2, ' ');
    name += f.as == kind::reserved ? std::string_view{"-"} : f.name;
    if (f.count == field::open) name += "[]";
    if (f.count > 1) name += fmt::format("[{}]", f.count);
    fmt::format_to(std::back_inserter(out), "{:>11}  {:>5}  {:18}  {}{}\n", byte_range(f, base),
                   bit_range(f), name, f.title, notes(l, f));
    if (f.as != kind::nested && f.of != nullptr) {
      describe_fields(out, *f.of, base + f.offset, depth + 1);
    }
  }
}

}  // namespace

std::string render_text(const layout& l, byte_span bytes, const render_options& options) {
  return text_renderer(l, bytes, options).text();
}

std::string render_layout(const layout& l) {
  std::string out = fmt::format("{}: {} ({})\n", l.name, l.title, l.section);
  const bool open = !l.fields.empty() && l.fields.back().count == field::open;
  out +=
      open ? fmt::format("{} bytes and what follows\n", l.size) : fmt::format("{} bytes\n", l.size);
  fmt::format_to(std::back_inserter(out), "{:>11}  {:>5}  {:18}  {}\n", "bytes", "bits", "field",
                 "meaning");
  describe_fields(out, l, 0, 0);
  return out;
}

std::string hexdump(byte_span bytes, std::uint64_t base) {
  constexpr std::size_t row_size = 16;
  std::string out;
  bool folded = false;
  for (std::size_t at = 0; at < bytes.size(); at += row_size) {
    const byte_span row = bytes.subspan(at, std::min(row_size, bytes.size() - at));
    const bool last = at + row_size >= bytes.size();
    if (at > 0 && !last && std::ranges::equal(row, bytes.subspan(at - row_size, row_size))) {
      if (!folded) out += "*\n";
      folded = true;
      continue;
    }
    folded = false;
    fmt::format_to(std::back_inserter(out), "{:08x} ", base + at);
    std::string characters;
    for (std::size_t i = 0; i < row_size; ++i) {
      if (i == row_size / 2) out += ' ';
      if (i >= row.size()) {
        out += "   ";
        continue;
      }
      const auto c = std::to_integer<unsigned char>(row[i]);
      fmt::format_to(std::back_inserter(out), " {:02x}", c);
      characters += c >= 0x20 && c < 0x7f ? static_cast<char>(c) : '.';
    }
    fmt::format_to(std::back_inserter(out), "  |{}|\n", characters);
  }
  if (!bytes.empty()) fmt::format_to(std::back_inserter(out), "{:08x}\n", base + bytes.size());
  return out;
}

}  // namespace nvmf::wire
