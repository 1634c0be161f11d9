// SPDX-License-Identifier: BSD-2-Clause
#include "render_walk.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace nvmf::wire {

namespace {

bool all_zero(byte_span b) {
  return std::all_of(b.begin(), b.end(), [](std::byte x) { return x == std::byte{0}; });
}

bool is_text(kind k) { return k == kind::ascii || k == kind::text || k == kind::raw; }

bool is_number(const field& f) {
  return (f.as == kind::number || f.as == kind::hex || f.as == kind::reserved) && f.size <= 8;
}

class walker {
 public:
  explicit walker(const std::function<bool(const field_view&)>& fn) : fn_(fn) {}

  void walk(const layout& l, byte_span bytes) {
    if (!structure(l, bytes, 0, 0)) {
      emit({.event = walk_event::truncated, .offset = bytes.size()});
    } else if (bytes.size() > l.size && !open_ended(l)) {
      emit({.event = walk_event::rest, .offset = l.size, .bytes = bytes.subspan(l.size)});
    }
  }

 private:
  // Where a field's structure lies: its bytes, the offset of the first of them, and the depth.
  struct place {
    const layout& in;
    byte_span bytes;
    std::uint64_t base;
    unsigned depth;
  };

  static bool open_ended(const layout& l) {
    return !l.fields.empty() && l.fields.back().count == field::open;
  }

  bool emit(field_view v) {
    v.path = path_;
    return fn_(v);
  }

  field_view view(walk_event event, const place& p, const field& f, std::uint64_t at,
                  byte_span bytes) const {
    return {.event = event,
            .in = &p.in,
            .row = &f,
            .depth = p.depth,
            .offset = p.base + at,
            .bytes = bytes,
            .structure = p.bytes,
            .zero = all_zero(bytes)};
  }

  // All of the functions below answer false when the bytes ended early: nothing follows then but
  // the ends of what was begun.
  bool structure(const layout& l, byte_span bytes, std::uint64_t base, unsigned depth) {
    const place p{l, bytes, base, depth};
    for (const field& f : l.fields) {
      const std::size_t length = path_.size();
      if (!path_.empty()) path_ += '.';
      path_ += f.name;
      const bool whole = f.count == 1 ? element(p, f, f.offset, f.size, 0) : list(p, f);
      path_.resize(length);
      if (!whole) return false;
    }
    return true;
  }

  bool list(const place& p, const field& f) {
    if (f.count == field::open && is_text(f.as)) {  // one value of unknown length
      if (f.offset >= p.bytes.size()) return f.offset == p.bytes.size();
      return element(p, f, f.offset, p.bytes.size() - f.offset, 0);
    }
    const std::size_t from = std::min<std::size_t>(f.offset, p.bytes.size());
    std::size_t length = p.bytes.size() - from;
    if (f.count != field::open) length = std::min(length, std::size_t{f.size} * f.count);
    field_view v = view(walk_event::begin_list, p, f, f.offset, p.bytes.subspan(from, length));
    if (!emit(v)) return f.count == field::open || length == std::size_t{f.size} * f.count;
    const bool whole = elements(p, f);
    v.event = walk_event::end_list;
    emit(v);
    return whole;
  }

  bool elements(const place& p, const field& f) {
    const layout* of = f.as == kind::nested ? f.of : nullptr;
    std::uint64_t at = f.offset;
    for (std::uint32_t i = 0; f.count == field::open || i < f.count; ++i) {
      if (f.count == field::open && at >= p.bytes.size()) return at == p.bytes.size();
      std::uint64_t size = f.size;
      if (of != nullptr && of->extent != nullptr) {
        size = of->extent(p.bytes.subspan(at));
        if (size == 0) return true;
      }
      const std::size_t length = path_.size();
      path_ += fmt::format("[{}]", i);
      const bool whole = element(p, f, at, size, i);
      path_.resize(length);
      if (!whole) return false;
      at += size;
    }
    return true;
  }

  bool element(const place& p, const field& f, std::uint64_t at, std::uint64_t size,
               std::uint32_t index) {
    if (at >= p.bytes.size()) return size == 0;
    const std::uint64_t there = std::min<std::uint64_t>(size, p.bytes.size() - at);
    const byte_span bytes = p.bytes.subspan(at, there);
    field_view v = view(walk_event::value, p, f, at, bytes);
    v.index = index;
    if (f.as == kind::nested) return nested(p, f, v) && there == size;
    if (is_number(f)) {
      if (there != size) return false;
      const std::uint64_t word = load_le(bytes, 0, f.size);
      v.scalar = true;
      v.number = f.bits == 0 ? word : (word >> f.bit) & f.max();
      v.zero = v.number == 0;
    }
    emit(v);
    if (there != size) return false;
    if (v.scalar) bits(p, f, v);
    return true;
  }

  bool nested(const place& p, const field& f, field_view v) {
    const layout* of = inner(f, p.bytes);
    v.event = walk_event::begin;
    if (!emit(v)) return true;
    const bool whole = structure(*of, v.bytes, v.offset, p.depth + 1);
    v.event = walk_event::end;
    emit(v);
    return whole;
  }

  void bits(const place& p, const field& f, field_view v) {
    const layout* of = inner(f, p.bytes);
    if (of == nullptr) return;
    v.event = walk_event::begin_bits;
    if (!emit(v)) return;
    structure(*of, v.bytes.first(of->size), v.offset, p.depth + 1);
    v.event = walk_event::end_bits;
    emit(v);
  }

  const std::function<bool(const field_view&)>& fn_;
  std::string path_;
};

// The bytes with zeros after them, so that every field of the layout can be visited.
std::vector<std::byte> padded(const layout& l, byte_span bytes, std::uint64_t reach) {
  std::vector<std::byte> all(bytes.begin(), bytes.end());
  const std::uint64_t whole = std::max<std::uint64_t>(l.size, reach);
  if (all.size() < whole) all.resize(whole);
  return all;
}

bool covers(const field_view& v, std::uint64_t byte) {
  const field& f = *v.row;
  if (f.bits == 0) return byte >= v.offset && byte - v.offset < v.bytes.size();
  return byte >= v.offset + f.bit / 8 && byte <= v.offset + (f.bit + f.bits - 1u) / 8;
}

located_field located(const field_view& v, byte_span all) {
  return {v.in,     v.row,          std::string(v.path),
          v.offset, v.bytes.size(), static_cast<std::uint64_t>(v.structure.data() - all.data())};
}

}  // namespace

void for_each_field(const layout& l, byte_span bytes,
                    const std::function<bool(const field_view&)>& fn) {
  walker(fn).walk(l, bytes);
}

std::optional<located_field> field_at(const layout& l, std::uint64_t offset, byte_span bytes) {
  if (offset >= std::max<std::uint64_t>(l.size, bytes.size())) return std::nullopt;
  const std::vector<std::byte> all = padded(l, bytes, 0);
  std::optional<located_field> found;
  for_each_field(l, all, [&](const field_view& v) {
    switch (v.event) {
      case walk_event::value:
        if (!found && covers(v, offset)) found = located(v, all);
        return true;
      case walk_event::begin_bits:
        return false;
      default:
        return !found;
    }
  });
  return found;
}

std::optional<located_field> find_field(const layout& l, std::string_view path, byte_span bytes) {
  const std::vector<std::byte> all = padded(l, bytes, 0);
  std::optional<located_field> exact;
  std::optional<located_field> loose;
  unsigned loose_depth = 0;
  bool ambiguous = false;
  for_each_field(l, all, [&](const field_view& v) {
    const bool target = v.event == walk_event::value || v.event == walk_event::begin;
    if (!target || v.row->as == kind::reserved) return true;
    if (v.path == path && !exact) exact = located(v, all);
    // "nosqfc" for "cattr.nosqfc": the path's end, at a dot.
    if (v.depth == 0 || !v.path.ends_with(path)) return true;
    if (v.path.size() > path.size() && v.path[v.path.size() - path.size() - 1] != '.') return true;
    if (!loose || v.depth < loose_depth) {
      loose = located(v, all);
      loose_depth = v.depth;
      ambiguous = false;
    } else if (v.depth == loose_depth) {
      ambiguous = true;
    }
    return true;
  });
  if (exact) return exact;
  return ambiguous ? std::nullopt : loose;
}

}  // namespace nvmf::wire
