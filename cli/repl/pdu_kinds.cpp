// SPDX-License-Identifier: BSD-2-Clause
#include "pdu_kinds.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "wire/names.hpp"

namespace nvmf::cli::repl {

std::string_view title_of(outgoing_kind kind) {
  return std::ranges::find(pdu_kinds, kind, &pdu_kind::kind)->title;
}

std::expected<outgoing_kind, complaint> take_pdu_kind(arguments& args) {
  constexpr std::string_view names = "command, response, r2t, h2cdata, c2hdata or termreq";
  const auto w = args.take(fmt::format("a kind of PDU ({})", names));
  if (!w) return std::unexpected(w.error());
  // As the tables of PDU types write them, too: "h2c-data", "capsule-cmd".
  std::string typed = wire::to_kebab(w->text);
  std::erase(typed, '-');
  if (typed == "capsulecmd") typed = "command";
  if (typed == "capsuleresp") typed = "response";
  if (typed.ends_with("termreq")) typed = "termreq";
  const auto found = std::ranges::find(pdu_kinds, typed, &pdu_kind::name);
  if (found != pdu_kinds.end()) return found->kind;
  std::vector<std::string_view> near;
  for (const pdu_kind& k : pdu_kinds) near.push_back(k.name);
  return wrong(fmt::format("{} is no kind of PDU{}: {}", wire::quoted(w->text),
                           wire::did_you_mean(w->text, near), names),
               w->column);
}

}  // namespace nvmf::cli::repl
