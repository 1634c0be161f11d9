// SPDX-License-Identifier: BSD-2-Clause
// An SQE, a completion and data of any bytes, also cut short: some form is found for each, it can
// be shown, and whatever command and status they hold have names. The first byte: 1: of an admin
// queue; the next two: how much of the rest is SQE and how much CQE.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "wire/commands.hpp"
#include "wire/layouts/entries.hpp"
#include "wire/layouts/forms.hpp"
#include "wire/render.hpp"
#include "wire/status.hpp"

using namespace nvmf::wire;

namespace {

void require(bool good) {
  if (!good) std::abort();
}

bool printable(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

// Named, and shown whatever is there of it.
void check_form(const layout& l, byte_span bytes) {
  require(printable(l.name));
  (void)render_text(l, bytes, {});
}

void check_names(bool admin_queue, byte_span sqe, byte_span cqe) {
  if (sqe.size() >= 8) {
    const auto opcode = static_cast<std::uint8_t>(load_le(sqe, 0, 1));
    const auto fctype = static_cast<std::uint8_t>(load_le(sqe, 4, 1));
    const command_info c = command_of_sqe(admin_queue, opcode, fctype);
    require(c.opcode == opcode && printable(c.title) && printable(to_text(c)));
    require(&sqe_form(opcode, admin_queue, fctype) == &sqe_form(sqe, admin_queue));
    const auto again = command_of(c.set, c.set == command_set::fabrics ? fctype : opcode);
    require(again.title == c.title);
  }
  if (cqe.size() >= 16) {
    const auto code = static_cast<std::uint16_t>(load_le(cqe, 14, 2) >> 1 & 0x7ff);
    for (const status_set set : {status_set::nvm, status_set::fabrics}) {
      require(printable(status_name(code, set)));
      if (const row* r = find_status(code, set)) require(status_name(code, set) == r->title);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const bool admin_queue = (data[0] & 1) != 0;
  const byte_span rest = std::as_bytes(std::span(data, size)).subspan(3);
  const byte_span sqe = rest.first(std::min<std::size_t>({data[1], 64u, rest.size()}));
  const byte_span after = rest.subspan(sqe.size());
  const byte_span cqe = after.first(std::min<std::size_t>({data[2], 16u, after.size()}));
  const layout& command = sqe_form(sqe, admin_queue);
  const layout& completion = cqe_form(sqe, admin_queue, cqe);
  require(command.size == 64 && completion.size == 16);
  check_form(command, sqe);
  check_form(completion, cqe);
  if (const layout* l = data_form(sqe, admin_queue)) check_form(*l, after.subspan(cqe.size()));
  check_names(admin_queue, sqe, cqe);
  return 0;
}
