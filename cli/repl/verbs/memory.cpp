// SPDX-License-Identifier: BSD-2-Clause
// buf, memdesc, attach, detach, hexdump: memory and what commands borrow of it.
#include <fmt/format.h>

#include "../verbs.hpp"
#include "../workbench.hpp"
#include "output_file.hpp"
#include "wire/numbers.hpp"
#include "wire/render.hpp"

namespace nvmf::cli::repl {
namespace {

constexpr std::uint64_t buffer_bytes_max = std::uint64_t{1} << 30;

using filled = std::expected<void, complaint>;

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

// zero, 0xNN, seq, random:SEED, lba, file:PATH, hex:...
filled fill(std::span<std::byte> to, const word& how) {
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

done make_buf(workbench& bench, arguments args) {
  const auto name = args.take("a name for the buffer");
  if (!name) return std::unexpected(name.error());
  if (auto d = check_name(*name, "buffer"); !d) return d;
  const auto how = args.take_option("fill");
  const auto typed = args.take("a size, such as 4K");
  if (!typed) return std::unexpected(typed.error());
  const auto size = size_of(*typed, "size", buffer_bytes_max);
  if (!size) return std::unexpected(size.error());
  if (*size == 0) return wrong("a buffer has at least one byte", typed->column);
  if (auto d = args.end(); !d) return d;
  if (const auto old = bench.buffers.find(name->text); old && old->uses > 0)
    return wrong(fmt::format("{} is in use by a command under way", name->text), name->column);
  auto b = std::make_shared<buffer_object>();
  b->name = name->text;
  b->bytes.resize(*size);
  if (how)
    if (auto d = fill(b->bytes, *how); !d) return d;
  bench.buffers.put(std::move(b));
  return {};
}

// "b1" or "b1[512,100]" or "b1[512]": from there to the end.
std::expected<memory_object::piece, complaint> piece_of(workbench& bench, const word& w) {
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

std::expected<std::shared_ptr<memory_object>, complaint> memory_of(workbench& bench,
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

done make_memdesc(workbench& bench, arguments args) {
  const auto name = args.take("a name for the memdesc");
  if (!name) return std::unexpected(name.error());
  if (auto d = check_name(*name, "memdesc"); !d) return d;
  if (args.empty()) return wrong("a buffer is missing here, such as b1[0,512]", args.column());
  auto m = memory_of(bench, name->text, args.take_all());
  if (!m) return std::unexpected(m.error());
  bench.memories.put(std::move(*m));
  return {};
}

done attach(workbench& bench, arguments args) {
  const auto name = args.take("a command to attach to");
  if (!name) return std::unexpected(name.error());
  const auto c = bench.capsules.get(*name);
  if (!c) return std::unexpected(c.error());
  const auto what = args.take("a memdesc or buffer");
  if (!what) return std::unexpected(what.error());
  if ((*c)->under_way()) return wrong(fmt::format("{} is under way", name->text), name->column);
  if ((*c)->memory)
    return wrong(fmt::format("{} has memory attached already: {} (detach {} takes it off)",
                             name->text, (*c)->memory->name, name->text),
                 name->column);
  auto m = bench.memories.find(what->text);
  if (!m) {  // a buffer, or a part of one, is a memdesc without a name
    auto made = memory_of(bench, what->text, {*what});
    if (!made) return std::unexpected(made.error());
    m = std::move(*made);
  }
  direction way = (*c)->command.direction == wire::data_transfer::host_to_controller
                      ? direction::send
                      : direction::receive;
  if (args.take_keyword("send"))
    way = direction::send;
  else if (args.take_keyword("recv"))
    way = direction::receive;
  if (auto d = args.end(); !d) return d;
  (*c)->memory = std::move(m);
  (*c)->way = way;
  return {};
}

done detach(workbench& bench, arguments args) {
  const auto name = args.take("a command");
  if (!name) return std::unexpected(name.error());
  const auto c = bench.capsules.get(*name);
  if (!c) return std::unexpected(c.error());
  if (auto d = args.end(); !d) return d;
  if ((*c)->under_way()) return wrong(fmt::format("{} is under way", name->text), name->column);
  (*c)->memory = nullptr;
  (*c)->way = direction::none;
  return {};
}

done dump(workbench& bench, arguments args) {
  const auto what = args.take("a buffer, such as b1 or b1[0,64]");
  if (!what) return std::unexpected(what.error());
  const auto p = piece_of(bench, *what);
  if (!p) return std::unexpected(p.error());
  if (auto d = args.end(); !d) return d;
  bench.say(wire::hexdump(std::span{p->of->bytes}.subspan(p->offset, p->length), p->offset));
  return {};
}

constexpr std::array<example, 3> buf_examples{{
    {"buf b1 4K", "4096 zeroes"},
    {"buf b2 4K fill=random:7", "the same bytes each time"},
    {"buf b3 16 fill=hex:00112233", "four bytes, then zeroes"},
}};
constexpr std::array<example, 2> memdesc_examples{{
    {"memdesc m1 b1[0,512] b2[100,300]", "a scatter list of two windows"},
    {"memdesc m2 b1", "all of a buffer"},
}};
constexpr std::array<example, 2> attach_examples{{
    {"attach r b1[0,4096] recv", "the read writes there"},
    {"attach w m1 send", "the write sends that"},
}};
constexpr std::array<example, 1> detach_examples{{{"detach r", "it has no data any more"}}};
constexpr std::array<example, 1> hexdump_examples{{{"hexdump b1[0,64]", "64 bytes"}}};

}  // namespace

void add_memory_verbs(verb_list& to) {
  const auto add = [&](verb_info info, simple_verb::action does) {
    to.push_back(std::make_unique<simple_verb>(info, does));
  };
  add({"buf", "NAME SIZE [fill=PATTERN]", "make a buffer",
       "PATTERN: zero, seq, lba, 0xNN, random:SEED, file:PATH or hex:BYTES.", buf_examples},
      make_buf);
  add({"memdesc", "NAME BUF[OFFSET,LENGTH]...", "describe memory: pieces of buffers, in order",
       "Sizes and offsets may be odd. BUF alone is all of it, BUF[OFFSET] from there to the end.",
       memdesc_examples},
      make_memdesc);
  add({"attach", "COMMAND MEMDESC [send|recv]", "give a command its memory",
       "A buffer, or a part of one, will do for a memdesc. Without a direction: the command's. The "
       "memory is borrowed from send until the data callback.",
       attach_examples},
      attach);
  add({"detach", "COMMAND", "take the memory off a command", "", detach_examples}, detach);
  add({"hexdump", "BUF[OFFSET,LENGTH]", "show bytes", "", hexdump_examples}, dump);
}

}  // namespace nvmf::cli::repl
