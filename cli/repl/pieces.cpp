// SPDX-License-Identifier: BSD-2-Clause
#include "pieces.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "output_file.hpp"
#include "wire/encode.hpp"
#include "wire/numbers.hpp"

namespace nvmf::cli::repl {
namespace {

void fill_random(std::span<std::byte> to, std::uint64_t seed) {
  for (std::byte& b : to) {  // splitmix64
    seed += 0x9e3779b97f4a7c15u;
    std::uint64_t z = (seed ^ (seed >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    b = static_cast<std::byte>(z ^ (z >> 31));
  }
}

done copy_whole(std::span<std::byte> to, std::span<const std::byte> from, const word& said) {
  if (from.size() > to.size())
    return wrong(fmt::format("{} bytes do not fit in a buffer of {}", from.size(), to.size()),
                 said.column);
  std::ranges::copy(from, to.begin());
  return {};
}

}  // namespace

done fill_pattern(std::span<std::byte> to, const word& how) {
  const std::string_view text = how.text;
  if (text == "zero") {
    std::ranges::fill(to, std::byte{0});
    return {};
  }
  if (text == "seq") {
    for (std::size_t i = 0; i < to.size(); ++i) to[i] = static_cast<std::byte>(i);
    return {};
  }
  if (text == "lba") {  // each 512 bytes begin with their number, little endian
    for (std::size_t i = 0; i < to.size(); ++i)
      to[i] = i % 512 < 8 ? static_cast<std::byte>((i / 512) >> (8 * (i % 512))) : std::byte{0};
    return {};
  }
  if (text.starts_with("random:")) {
    const auto seed = number_of(how.from(7), "random");
    if (!seed) return std::unexpected(seed.error());
    fill_random(to, *seed);
    return {};
  }
  if (text.starts_with("file:")) {
    const auto bytes = read_file(how.text.substr(5), to.size());
    if (!bytes) return wrong(bytes.error(), how.column);
    return copy_whole(to, *bytes, how);
  }
  if (text.starts_with("hex:")) {
    const auto bytes = wire::parse_hex(text.substr(4), "hex", to.size());
    if (!bytes) return wrong(to_text(bytes.error()), how.column + 4 + bytes.error().position);
    return copy_whole(to, *bytes, how);
  }
  const auto value = number_of(how, "fill", 255);
  if (!value)
    return wrong(fmt::format("fill: {} is not zero, seq, lba, 0xNN, random:SEED, file:PATH or "
                             "hex:BYTES",
                             wire::quoted(text)),
                 how.column);
  std::ranges::fill(to, static_cast<std::byte>(*value));
  return {};
}

done write_fields(std::span<const wire::layout* const> forms, std::span<std::byte> to,
                  const std::vector<word>& fields) {
  std::vector<std::string> texts;
  for (const word& w : fields) texts.push_back(w.text);
  std::size_t which = 0;
  std::vector<std::byte> fresh(to.begin(), to.end());
  if (const auto encoded = wire::encode_fields(forms, fresh, texts, &which); !encoded) {
    std::string text = to_text(encoded.error());
    constexpr std::size_t few = 40;
    if (text.ends_with("no such field")) {
      const auto names = wire::field_names(*forms[0], to);
      text += names.size() <= few
                  ? fmt::format(" ({} has {})", forms[0]->name, fmt::join(names, " "))
                  : fmt::format(" (nvmfctl describe {} lists them)", forms[0]->name);
    }
    return wrong(std::move(text), fields[which].column + encoded.error().position);
  }
  std::ranges::copy(fresh, to.begin());
  return {};
}

std::expected<memory_object::piece, complaint> piece_of(const workbench& bench, const word& w) {
  const std::size_t open = w.text.find('[');
  word name = w;
  name.text = w.text.substr(0, open);
  auto b = bench.buffers.get(name);
  if (!b) return std::unexpected(b.error());
  const std::size_t size = (*b)->bytes.size();
  if (open == std::string::npos) return memory_object::piece{*b, 0, size};
  if (!w.text.ends_with(']')) return wrong("no ] ends this", w.column + open);
  const std::string inner = w.text.substr(open + 1, w.text.size() - open - 2);
  const std::size_t comma = inner.find(',');
  const auto part = [&](std::size_t from, std::size_t n) {
    word p{inner.substr(from, n), w.column + open + 1 + from, w.quoted};
    while (p.text.starts_with(' ')) p = p.from(1);
    while (p.text.ends_with(' ')) p.text.pop_back();
    return p;
  };
  const auto offset = size_of(part(0, comma), "offset", size);
  if (!offset) return std::unexpected(offset.error());
  if (comma == std::string::npos) return memory_object::piece{*b, *offset, size - *offset};
  const auto length = size_of(part(comma + 1, std::string::npos), "length", size - *offset);
  if (!length) return std::unexpected(length.error());
  return memory_object::piece{*b, *offset, *length};
}

std::expected<std::shared_ptr<memory_object>, complaint> memory_of(const workbench& bench,
                                                                   std::string name,
                                                                   const std::vector<word>& words) {
  auto m = std::make_shared<memory_object>();
  m->name = std::move(name);
  for (const word& w : words) {
    auto p = piece_of(bench, w);
    if (!p) return std::unexpected(p.error());
    m->segments.push_back({p->of->bytes.data() + p->offset, p->length});
    m->pieces.push_back(std::move(*p));
  }
  return m;
}

std::expected<std::shared_ptr<memory_object>, complaint> take_memory(const workbench& bench,
                                                                     const std::vector<word>& words,
                                                                     std::size_t column) {
  if (words.empty()) return wrong("a buffer is missing here, such as b1[0,512]", column);
  if (words.size() == 1)
    if (auto m = bench.memories.find(words.front().text)) return m;
  return memory_of(bench, words.front().text, words);
}

}  // namespace nvmf::cli::repl
