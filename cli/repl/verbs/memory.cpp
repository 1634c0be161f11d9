// SPDX-License-Identifier: BSD-2-Clause
// buf, memdesc, attach, detach, hexdump: memory and what commands borrow of it.
#include <fmt/format.h>

#include "../pieces.hpp"
#include "../verbs.hpp"
#include "../workbench.hpp"
#include "wire/render.hpp"

namespace nvmf::cli::repl {
namespace {

constexpr std::uint64_t buffer_bytes_max = std::uint64_t{1} << 30;

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
    if (auto d = fill_pattern(b->bytes, *how); !d) return d;
  bench.buffers.put(std::move(b));
  return {};
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
  add({"attach", "SQE MEMDESC [send|recv]", "give a command its memory",
       "A buffer, or a part of one, will do for a memdesc. Without a direction: the command's. The "
       "memory is borrowed from send until the data callback.",
       attach_examples},
      attach);
  add({"detach", "SQE", "take the memory off a command", "", detach_examples}, detach);
  add({"hexdump", "BUF[OFFSET,LENGTH]", "show bytes", "", hexdump_examples}, dump);
}

}  // namespace nvmf::cli::repl
