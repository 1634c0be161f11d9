// SPDX-License-Identifier: BSD-2-Clause
// Every layout against bytes made by hand from the figures of the specification: the oracle that
// does not know our codec. tests/golden/README.md tells how the samples are written.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "wire/encode.hpp"
#include "wire/layouts/forms.hpp"
#include "wire/render_walk.hpp"

using namespace nvmf::wire;

namespace {

const std::string room = std::string(NVMF_SOURCE_DIR) + "/tests/golden/wire/";

struct sample {
  std::vector<std::byte> bytes;
  std::vector<std::pair<std::string, std::string>> listing;  // in the order of the file

  const std::string* find(std::string_view path) const {
    for (const auto& [name, value] : listing)
      if (name == path) return &value;
    return nullptr;
  }
};

std::string without_comment(const std::string& line) { return line.substr(0, line.find('#')); }

// "size N", then "offset: bytes in hexadecimal"; what is not given is zero.
std::vector<std::byte> read_hex(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::byte> bytes;
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(without_comment(line));
    std::string word;
    if (!(words >> word)) continue;
    if (word == "size") {
      std::size_t size = 0;
      words >> size;
      bytes.resize(size);
      continue;
    }
    std::size_t at = std::stoul(word);
    while (words >> word) {
      REQUIRE(at < bytes.size());
      bytes[at++] = static_cast<std::byte>(std::stoul(word, nullptr, 16));
    }
  }
  return bytes;
}

sample read_sample(std::string_view name) {
  sample s;
  s.bytes = read_hex(room + std::string(name) + ".hex");
  std::ifstream file(room + std::string(name) + ".txt");
  std::string line;
  while (std::getline(file, line)) {
    const std::size_t equals = line.find(" = ");
    REQUIRE(equals != std::string::npos);
    s.listing.emplace_back(line.substr(0, equals), line.substr(equals + 3));
  }
  return s;
}

std::string hex_of(byte_span b) {
  std::string out;
  for (const std::byte x : b) out += fmt::format("{:02x}", std::to_integer<unsigned>(x));
  return out;
}

// "0:de,1023:ed" for a long field: those bytes, all others zero.
std::string spread_out(const std::string& sparse, std::size_t size) {
  std::vector<std::byte> bytes(size);
  std::istringstream parts(sparse);
  std::string part;
  while (std::getline(parts, part, ',')) {
    const std::size_t colon = part.find(':');
    bytes.at(std::stoul(part)) =
        static_cast<std::byte>(std::stoul(part.substr(colon + 1), nullptr, 16));
  }
  return hex_of(bytes);
}

// The value of the listing in the form that raw_value() gives to a field's.
std::string expected_value(const field_view& v, const std::string& listed) {
  if (v.scalar) return std::to_string(std::stoull(listed, nullptr, 0));
  const bool sparse = v.row->as == kind::raw && listed.find(':') != std::string::npos;
  return sparse ? spread_out(listed, v.bytes.size()) : listed;
}

// A value without any explanation, in a form that encode_field takes back.
std::string raw_value(const field_view& v) {
  if (v.scalar) return std::to_string(v.number);
  switch (v.row->as) {
    case kind::ascii:
    case kind::text:
      return value_text(v);
    case kind::uuid:
      return value_text(v);
    case kind::number: {
      std::vector<std::byte> high_first(v.bytes.rbegin(), v.bytes.rend());
      return "0x" + hex_of(high_first);
    }
    default:
      return hex_of(v.bytes);
  }
}

void check_values(const layout& l, const sample& s) {
  std::set<std::string> seen;
  for_each_field(l, s.bytes, [&](const field_view& v) {
    CHECK(v.event != walk_event::truncated);
    CHECK(v.event != walk_event::rest);
    if (v.event != walk_event::value) return true;
    const std::string path(v.path);
    CAPTURE(path);
    if (v.row->as == kind::reserved) {
      CHECK(v.zero);
      return true;
    }
    const std::string* listed = s.find(path);
    // A list has elements that the sample leaves alone; every other field stands in the listing.
    if (listed == nullptr && path.find('[') != std::string::npos) {
      CHECK(v.zero);
      return true;
    }
    REQUIRE(listed != nullptr);
    CHECK(raw_value(v) == expected_value(v, *listed));
    seen.insert(path);
    return true;
  });
  for (const auto& [path, value] : s.listing) {
    CAPTURE(path);
    CHECK(seen.contains(path));
  }
}

// "name=value" of every field that is not zero, as a user would type them.
std::vector<std::string> assignments_of(const layout& l, byte_span bytes) {
  std::vector<std::string> out;
  for_each_field(l, bytes, [&](const field_view& v) {
    if (v.event != walk_event::value || v.zero || v.row->as == kind::reserved) return true;
    std::string value = raw_value(v);
    if (value.starts_with('"')) value = value.substr(1, value.size() - 2);
    out.push_back(std::string(v.path) + "=" + value);
    return true;
  });
  return out;
}

}  // namespace

TEST_CASE("every layout has a sample made by hand, and every sample a layout") {
  std::set<std::string> wanted;
  for (const layout* l : all_layouts()) {
    wanted.insert(std::string(l->name) + ".hex");
    wanted.insert(std::string(l->name) + ".txt");
  }
  std::set<std::string> there;
  for (const auto& file : std::filesystem::directory_iterator(room))
    there.insert(file.path().filename().string());
  for (const std::string& name : wanted) {
    CAPTURE(name);
    CHECK(there.contains(name));
  }
  for (const std::string& name : there) {
    CAPTURE(name);
    CHECK(wanted.contains(name));
  }
}

TEST_CASE("every field of a sample has the value that its listing says") {
  for (const layout* l : all_layouts()) {
    CAPTURE(l->name);
    const sample s = read_sample(l->name);
    REQUIRE(s.bytes.size() >= l->size);
    REQUIRE_FALSE(s.listing.empty());
    check_values(*l, s);
  }
}

TEST_CASE("fields written one by one into zeros make the sample's bytes") {
  for (const layout* l : all_layouts()) {
    CAPTURE(l->name);
    const sample s = read_sample(l->name);
    std::vector<std::byte> made(s.bytes.size());
    // In this list a zero type is the end, so that zeros have no descriptors to name.
    if (l->name == "namespace-id-descriptor-list") {
      for (const std::size_t at : {0u, 1u, 12u, 13u, 32u, 33u}) made[at] = s.bytes[at];
    }
    const layout* const forms[] = {l};
    const auto result = encode_fields(forms, made, assignments_of(*l, s.bytes));
    if (!result) FAIL(to_text(result.error()));
    const auto differ = std::ranges::mismatch(made, s.bytes).in1 - made.begin();
    CHECK_MESSAGE(made == s.bytes, "first difference at byte " << differ);
  }
}
