// SPDX-License-Identifier: BSD-2-Clause
#include "render/fields.hpp"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <charconv>
#include <vector>

#include "render/json.hpp"
#include "wire/render_walk.hpp"

namespace nvmf::cli {
namespace {

namespace json = boost::json;
using wire::field_view;
using wire::kind;
using wire::walk_event;

// Text within the quotes that value_text puts around it would be escaped twice: taken from bytes.
json::value text_value(const field_view& v) {
  std::string text;
  for (const std::byte b : v.bytes) {
    if (v.row->as == kind::text && b == std::byte{0}) break;
    text += static_cast<char>(b);
  }
  if (v.row->as == kind::ascii) text.erase(text.find_last_not_of(std::string_view{" \0", 2}) + 1);
  return json_text(text);
}

// Counters of 16 bytes are numbers while they fit in 64 bits, and text beyond.
json::value wide_value(const field_view& v) {
  const std::string text = wire::value_text(v);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc{} && end == text.data() + text.size()) return number;
  return json_text(text);
}

json::value plain_value(const field_view& v) {
  if (v.scalar) return v.number;
  switch (v.row->as) {
    case kind::ascii:
    case kind::text:
      return text_value(v);
    case kind::uuid:
      return json_text(wire::value_text(v));
    case kind::number:
    case kind::hex:
      return wide_value(v);
    case kind::raw:
    case kind::reserved:
    case kind::nested:
      break;
  }
  return json::value(hex_text(v.bytes));
}

class builder {
 public:
  explicit builder(const wire::layout& l, wire::byte_span bytes) {
    open_.push_back(json::object{});
    wire::for_each_field(l, bytes, [this](const field_view& v) { return take(v); });
  }
  json::object result() && { return std::move(open_.front().get_object()); }

 private:
  bool take(const field_view& v) {
    switch (v.event) {
      case walk_event::value:
        value(v);
        return true;
      case walk_event::begin_bits: {
        // The word's own value was put already; it moves into the object of its bits.
        json::object bits{{"value", v.number}};
        open_.push_back(std::move(bits));
        return true;
      }
      case walk_event::begin:
        open_.push_back(json::object{});
        return true;
      case walk_event::begin_list:
        open_.push_back(json::array{});
        return true;
      case walk_event::end_bits:
      case walk_event::end:
      case walk_event::end_list:
        close(v);
        return true;
      case walk_event::truncated:
        open_.front().get_object()["truncated_at"] = v.offset;
        return true;
      case walk_event::rest:
        open_.front().get_object()["rest"] = hex_text(v.bytes);
        return true;
    }
    return true;
  }

  void value(const field_view& v) {
    if (v.row->as == kind::reserved) {
      if (!v.zero && open_.back().is_object())
        put(fmt::format("rsvd@{}", v.offset), json::value(hex_text(v.bytes)));
      return;
    }
    put(v.row->name, plain_value(v));
    if (const wire::row* r = wire::value_row(v); r != nullptr && open_.back().is_object())
      put(fmt::format("{}_name", v.row->name), json::value(r->name));
  }
  void close(const field_view& v) {
    json::value done = std::move(open_.back());
    open_.pop_back();
    // The bits of an element of a list stand in the element's place.
    if (open_.back().is_array() && v.event == walk_event::end_bits)
      open_.back().get_array().pop_back();
    put(v.row->name, std::move(done));
  }
  void put(std::string_view name, json::value v) {
    if (open_.back().is_array())
      open_.back().get_array().push_back(std::move(v));
    else
      open_.back().get_object()[name] = std::move(v);
  }

  std::vector<json::value> open_;
};

}  // namespace

boost::json::object fields_json(const wire::layout& l, wire::byte_span bytes) {
  return builder{l, bytes}.result();
}

std::string fields_line(const wire::layout& l, wire::byte_span bytes, std::uint64_t from,
                        std::string_view skip) {
  std::string line;
  wire::for_each_field(l, bytes, [&](const field_view& v) {
    if (v.event == walk_event::begin || v.event == walk_event::begin_list ||
        v.event == walk_event::begin_bits)
      return false;
    if (v.event == walk_event::truncated)
      line += fmt::format("{}(cut short at byte {})", line.empty() ? "" : " ", v.offset);
    if (v.event == walk_event::value && v.scalar && !v.zero && v.offset >= from &&
        v.row->name != skip)
      line += fmt::format("{}{}={}", line.empty() ? "" : " ", v.row->name, wire::value_text(v));
    return true;
  });
  return line;
}

}  // namespace nvmf::cli
