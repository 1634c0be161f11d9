// SPDX-License-Identifier: BSD-2-Clause
#include "captures/pdu_walk.hpp"

#include <array>
#include <map>

#include "wire/crc32c.hpp"
#include "wire/layouts/entries.hpp"
#include "wire/layouts/fabrics.hpp"
#include "wire/layouts/pdu.hpp"

namespace nvmf::test {
namespace {

using namespace wire;

constexpr std::uint8_t hdgst = 1, ddgst = 2, success = 8;

struct walker {
  std::map<std::uint16_t, std::span<const std::byte>> commands;  // by CID, the last one wins
  bool admin_queue = true;
};

// Cuts one PDU off `stream`.
std::expected<seen_pdu, std::string> next_pdu(std::span<const std::byte> stream) {
  if (stream.size() < pdu_common.size) return std::unexpected("a common header cut short");
  seen_pdu p;
  p.header = pdu_layout(static_cast<std::uint8_t>(get<pdu_common, "type">(stream)));
  if (p.header == nullptr) return std::unexpected("an unknown PDU type");
  const auto flags = get<pdu_common, "flags">(stream);
  const auto hlen = get<pdu_common, "hlen">(stream);
  const auto plen = get<pdu_common, "plen">(stream);
  const auto pdo = get<pdu_common, "pdo">(stream);
  if (hlen != p.header->size || plen < hlen || plen > stream.size())
    return std::unexpected("HLEN or PLEN that cannot be");
  p.bytes = stream.first(plen);
  if (flags & hdgst) {
    if (hlen + 4 > plen) return std::unexpected("no room for the header digest");
    p.header_digest_ok = crc32c(0, p.bytes.first(hlen)) == load_le(p.bytes, hlen, 4);
  }
  if (pdo != 0) {
    const std::size_t tail = flags & ddgst ? 4 : 0;
    if (pdo < hlen || pdo + tail > plen) return std::unexpected("PDO that cannot be");
    p.payload = p.bytes.subspan(pdo, plen - pdo - tail);
    p.payload_offset = static_cast<std::uint32_t>(pdo);
    if (tail != 0) p.data_digest_ok = crc32c(0, p.payload) == load_le(p.bytes, plen - 4, 4);
  }
  return p;
}

// The CID that a PDU speaks of, in the command it belongs to.
std::optional<std::uint16_t> cid_of(const seen_pdu& p) {
  std::size_t at = 0;
  if (p.header == &pdu_capsule_cmd) at = 8 + offset_of<sqe_layout, "cid">();
  if (p.header == &pdu_capsule_resp) at = 8 + offset_of<cqe_layout, "cid">();
  if (p.header == &pdu_r2t || p.header == &pdu_h2c_data || p.header == &pdu_c2h_data)
    at = offset_of<pdu_r2t, "cccid">();
  if (at == 0) return std::nullopt;
  return static_cast<std::uint16_t>(load_le(p.bytes, at, 2));
}

}  // namespace

std::expected<void, std::string> walk(const tcp_conversation& conversation,
                                      const std::function<void(const seen_pdu&)>& each) {
  walker w;
  std::span<const std::byte> rest[2] = {conversation.to_client.bytes, conversation.to_server.bytes};
  std::uint32_t count[2] = {};
  const auto step = [&](bool to_server) -> std::expected<bool, std::string> {
    auto& from = rest[to_server];
    if (from.empty()) return false;
    auto p = next_pdu(from);
    if (!p)
      return std::unexpected((to_server ? "to the server, PDU " : "to the client, PDU ") +
                             std::to_string(count[to_server]) + ": " + p.error());
    p->to_server = to_server;
    p->number = count[to_server]++;
    if (p->header == &pdu_capsule_cmd) {
      w.commands[*cid_of(*p)] = p->bytes.subspan(8, 64);
      const auto sqe = p->bytes.subspan(8, 64);
      if (sqe[0] == std::byte{0x7f} && sqe[4] == std::byte{0x01})
        w.admin_queue = get<connect_command, "qid">(sqe) == 0;
    }
    if (p->header == &pdu_capsule_resp) p->cqe = p->bytes.subspan(8, 16);
    if (const auto cid = cid_of(*p); cid && w.commands.contains(*cid)) p->sqe = w.commands[*cid];
    p->admin_queue = w.admin_queue;
    each(*p);
    // The command is over: its CID may come again.
    if (p->header == &pdu_capsule_resp || (get<pdu_common, "flags">(p->bytes) & success) != 0)
      w.commands.erase(*cid_of(*p));
    from = from.subspan(p->bytes.size());
    return true;
  };
  // A PDU of the server's is due once its command has been seen; else the client's go first.
  while (!rest[0].empty() || !rest[1].empty()) {
    bool server_due = false;
    if (auto p = next_pdu(rest[0]); !rest[0].empty() && p) {
      const auto cid = cid_of(*p);
      server_due = p->header == &pdu_icresp ? count[1] > 0 : !cid || w.commands.contains(*cid);
    }
    const bool to_server = !server_due && !rest[1].empty();
    auto moved = step(to_server);
    if (!moved) return std::unexpected(moved.error());
    if (!*moved) return std::unexpected("a PDU of a command that was never sent");
  }
  return {};
}

}  // namespace nvmf::test
