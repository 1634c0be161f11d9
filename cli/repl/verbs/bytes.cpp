// SPDX-License-Identifier: BSD-2-Clause
// bufs, memdescs, free, fill, load, save, decode, diff, crc: what lies in memory.
#include <fmt/format.h>

#include "../pieces.hpp"
#include "../verbs.hpp"
#include "output_file.hpp"
#include "wire/crc32c.hpp"
#include "wire/layouts/forms.hpp"
#include "wire/numbers.hpp"
#include "wire/render.hpp"

namespace nvmf::cli::repl {
namespace {

constexpr std::size_t file_bytes_max = std::size_t{1} << 30;
constexpr std::size_t lines_max = 16;  // of a difference
constexpr std::size_t line = 16;       // bytes of a hexdump

using bytes = std::vector<std::byte>;

// The bytes of a memdesc, or of a part of a buffer.
std::expected<bytes, complaint> take_bytes(const workbench& bench, arguments& args) {
  const auto what = args.take("a buffer, such as b1 or b1[0,64], or a memdesc");
  if (!what) return std::unexpected(what.error());
  const auto m = take_memory(bench, {*what}, what->column);
  if (!m) return std::unexpected(m.error());
  bytes all((*m)->size());
  (*m)->mem().copy_out(0, all);
  return all;
}

std::string text_of(const memory_object& m) {
  std::string text;
  for (const auto& p : m.pieces) text += fmt::format(" {}[{},{}]", p.of->name, p.offset, p.length);
  return text;
}

done list_buffers(workbench& bench, arguments args) {
  if (auto d = args.end(); !d) return d;
  for (const auto& [name, b] : bench.buffers.all())
    bench.say(fmt::format("{:<8} {}{}", name, wire::size_text(b->bytes.size()),
                          b->uses > 0 ? ", in use by a command under way" : ""));
  if (bench.buffers.empty()) bench.say("there is no buffer; buf makes one");
  return {};
}

done list_memories(workbench& bench, arguments args) {
  if (auto d = args.end(); !d) return d;
  for (const auto& [name, m] : bench.memories.all())
    bench.say(fmt::format("{:<8} {}:{}", name, wire::size_text(m->size()), text_of(*m)));
  if (bench.memories.empty()) bench.say("there is no memdesc; memdesc makes one");
  return {};
}

done free_memory(workbench& bench, arguments args) {
  const auto name = args.take("a buffer or memdesc");
  if (!name) return std::unexpected(name.error());
  if (auto d = args.end(); !d) return d;
  if (bench.memories.remove(name->text)) return {};  // a command that has it keeps it
  const auto b = bench.buffers.get(*name);
  if (!b) return std::unexpected(b.error());
  if ((*b)->uses > 0)
    return wrong(fmt::format("{} is in use by a command under way: wait for it", name->text),
                 name->column);
  for (const auto& [other, m] : bench.memories.all())
    for (const auto& p : m->pieces)
      if (p.of == *b)
        return wrong(
            fmt::format("{} is part of the memdesc {}: free {} first", name->text, other, other),
            name->column);
  for (const auto& [other, c] : bench.capsules.all())
    if (c->memory)
      for (const auto& p : c->memory->pieces)
        if (p.of == *b)
          return wrong(
              fmt::format("{} is attached to {}: detach {} first", name->text, other, other),
              name->column);
  bench.buffers.remove(name->text);
  return {};
}

std::expected<const wire::layout*, complaint> take_layout(arguments& args) {
  const auto name = args.take("a layout, such as identify-controller");
  if (!name) return std::unexpected(name.error());
  if (const wire::layout* form = wire::find_layout(wire::to_kebab(name->text))) return form;
  std::vector<std::string_view> names;
  for (const wire::layout* l : wire::all_layouts()) names.push_back(l->name);
  return wrong(fmt::format("there is no layout {}{} (nvmfctl describe lists them)",
                           wire::quoted(name->text), wire::did_you_mean(name->text, names)),
               name->column);
}

done fill_structure(std::span<std::byte> to, const word& what, arguments& args) {
  const auto form = take_layout(args);
  if (!form) return std::unexpected(form.error());
  if (to.size() < (*form)->size)
    return wrong(fmt::format("{} has {} bytes, {} takes {}", what.text, to.size(), (*form)->name,
                             (*form)->size),
                 what.column);
  if (args.empty()) return wrong("a field is missing here, such as nsid=1", args.column());
  return write_fields(std::array{*form}, to, args.take_all());
}

done fill(workbench& bench, arguments args) {
  const auto what = args.take("a buffer, such as b1 or b1[0,64]");
  if (!what) return std::unexpected(what.error());
  const auto p = piece_of(bench, *what);
  if (!p) return std::unexpected(p.error());
  const auto to = std::span{p->of->bytes}.subspan(p->offset, p->length);
  if (args.take_keyword("as")) return fill_structure(to, *what, args);
  const auto how = args.take("a pattern, such as random:7, or as LAYOUT");
  if (!how) return std::unexpected(how.error());
  if (auto d = args.end(); !d) return d;
  return fill_pattern(to, *how);
}

done load(workbench& bench, arguments args) {
  const auto name = args.take("a name for the buffer");
  if (!name) return std::unexpected(name.error());
  if (auto d = check_name(*name, "buffer"); !d) return d;
  const auto file = args.take("a file");
  if (!file) return std::unexpected(file.error());
  if (auto d = args.end(); !d) return d;
  if (const auto old = bench.buffers.find(name->text); old && old->uses > 0)
    return wrong(fmt::format("{} is in use by a command under way", name->text), name->column);
  auto content = read_file(file->text, file_bytes_max);
  if (!content) return wrong(content.error(), file->column);
  if (content->empty()) return wrong(file->text + ": the file is empty", file->column);
  auto b = std::make_shared<buffer_object>();
  b->name = name->text;
  b->bytes = std::move(*content);
  bench.say(fmt::format("{}: {}", b->name, wire::size_text(b->bytes.size())));
  bench.buffers.put(std::move(b));
  return {};
}

done save(workbench& bench, arguments args) {
  const auto all = take_bytes(bench, args);
  if (!all) return std::unexpected(all.error());
  const auto file = args.take("a file");
  if (!file) return std::unexpected(file.error());
  if (auto d = args.end(); !d) return d;
  if (const auto written = write_file(file->text, *all); !written)
    return wrong(written.error(), file->column);
  return {};
}

done decode(workbench& bench, arguments args) {
  const auto all = take_bytes(bench, args);
  if (!all) return std::unexpected(all.error());
  (void)args.take_keyword("as");
  const auto taken = take_layout(args);
  if (!taken) return std::unexpected(taken.error());
  const wire::layout* form = *taken;
  const bool verbose = args.take_keyword("all");
  if (auto d = args.end(); !d) return d;
  bench.say(fmt::format(
      "{}\n{}", form->title,
      wire::render_text(*form, *all,
                        {.zero = verbose ? wire::zeros::some : wire::zeros::hide, .indent = 2})));
  return {};
}

// "<" and ">" before the lines of a hexdump in which the two differ.
std::string difference(const bytes& a, const bytes& b) {
  std::string text;
  const std::size_t end = std::max(a.size(), b.size());
  const auto part = [](const bytes& of, std::size_t at) {
    const std::size_t from = std::min(at, of.size());
    return std::span{of}.subspan(from, std::min(line, of.size() - from));
  };
  const auto row = [&](char sign, std::span<const std::byte> some, std::size_t at) {
    if (some.empty()) return;
    const std::string dump = wire::hexdump(some, at);
    text += fmt::format("{} {}\n", sign, dump.substr(0, dump.find('\n')));
  };
  std::size_t shown = 0, lines = 0;
  for (std::size_t at = 0; at < end; at += line) {
    const auto left = part(a, at), right = part(b, at);
    if (std::ranges::equal(left, right)) continue;
    if (++lines > lines_max) continue;
    ++shown;
    row('<', left, at);
    row('>', right, at);
  }
  if (lines > shown) text += fmt::format("... and {} more lines of 16 bytes\n", lines - shown);
  return text;
}

done diff(workbench& bench, arguments args) {
  const auto a = take_bytes(bench, args);
  if (!a) return std::unexpected(a.error());
  const auto b = take_bytes(bench, args);
  if (!b) return std::unexpected(b.error());
  if (auto d = args.end(); !d) return d;
  if (*a == *b) {
    bench.say(fmt::format("equal: {}", wire::size_text(a->size())));
    return {};
  }
  std::size_t count = a->size() > b->size() ? a->size() - b->size() : b->size() - a->size();
  for (std::size_t i = 0; i < std::min(a->size(), b->size()); ++i) count += (*a)[i] != (*b)[i];
  bench.say(difference(*a, *b) + fmt::format("{} byte{} of {} differ{}", count,
                                             count == 1 ? "" : "s", std::max(a->size(), b->size()),
                                             count == 1 ? "s" : ""));
  return {};
}

done crc(workbench& bench, arguments args) {
  const auto all = take_bytes(bench, args);
  if (!all) return std::unexpected(all.error());
  if (auto d = args.end(); !d) return d;
  bench.say(
      fmt::format("CRC32C {:08X}h of {}", wire::crc32c(0, *all), wire::size_text(all->size())));
  return {};
}

constexpr std::array<example, 1> bufs_examples{{{"bufs", "with their sizes"}}};
constexpr std::array<example, 1> memdescs_examples{{{"memdescs", "with their pieces"}}};
constexpr std::array<example, 1> free_examples{{{"free b3", "a buffer that nothing uses"}}};
constexpr std::array<example, 3> fill_examples{{
    {"fill b1 seq", "00, 01, 02 ..."},
    {"fill b1[512,512] 0xaa", "a part of it"},
    {"fill b1 as identify-controller sqes=0x66 nn=1", "fields of a structure; the rest stays"},
}};
constexpr std::array<example, 1> save_examples{{{"save b1[0,512] first.bin", "512 bytes"}}};
constexpr std::array<example, 1> load_examples{{{"load f first.bin", "a buffer of the file"}}};
constexpr std::array<example, 2> decode_examples{{
    {"decode b1 as identify-controller", "what is not zero in it"},
    {"decode b1[0,8] as pdu-common all", "zeroes too"},
}};
constexpr std::array<example, 2> diff_examples{{
    {"diff b1 b2", "the lines of a hexdump that differ"},
    {"diff m1 b1[0,812]", "a memdesc will do"},
}};
constexpr std::array<example, 1> crc_examples{{{"crc b1[0,512]", "as a data digest has it"}}};

}  // namespace

void add_byte_verbs(verb_list& to) {
  const auto add = [&](verb_info info, simple_verb::action does) {
    to.push_back(std::make_unique<simple_verb>(info, does));
  };
  add({"bufs", "", "list the buffers", "", bufs_examples}, list_buffers);
  add({"memdescs", "", "list the memdescs", "", memdescs_examples}, list_memories);
  add({"fill", "BUF[OFFSET,LENGTH] PATTERN | BUF[OFFSET,LENGTH] as LAYOUT FIELD=VALUE...",
       "fill a buffer, or a part of it",
       "PATTERN: zero, seq, lba, 0xNN, random:SEED, file:PATH or hex:BYTES. With a layout of "
       "`nvmfctl describe`, the fields that are named, as set does for commands.",
       fill_examples},
      fill);
  add({"diff", "BUF[OFFSET,LENGTH] BUF[OFFSET,LENGTH]", "compare bytes", "", diff_examples}, diff);
  add({"decode", "BUF [as] LAYOUT [all]", "show bytes as a structure",
       "LAYOUT: a name of `nvmfctl describe`, such as identify-controller, sqe or r2t.",
       decode_examples},
      decode);
  add({"crc", "BUF[OFFSET,LENGTH]", "the CRC32C of bytes", "", crc_examples}, crc);
  add({"save", "BUF[OFFSET,LENGTH] FILE", "write bytes to a file", "", save_examples}, save);
  add({"load", "NAME FILE", "make a buffer of a file", "", load_examples}, load);
  add({"free", "BUF|MEMDESC", "forget a buffer or memdesc", "", free_examples}, free_memory);
}

}  // namespace nvmf::cli::repl
