// SPDX-License-Identifier: BSD-2-Clause
#include "namespaces.hpp"

#include <algorithm>

#include "wire/bytes.hpp"

namespace nvmf::engine {
namespace {

// FNV-1a over the text, then the finalizer of SplitMix64 so that every bit depends on every byte.
std::uint64_t mix(std::string_view text, std::uint64_t salt) {
  std::uint64_t h = 0xcbf2'9ce4'8422'2325u ^ salt;
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x0000'0100'0000'01b3u;
  h += salt * 0x9e37'79b9'7f4a'7c15u;
  h = (h ^ (h >> 30)) * 0xbf58'476d'1ce4'e5b9u;
  h = (h ^ (h >> 27)) * 0x94d0'49bb'1331'11ebu;
  return h ^ (h >> 31);
}

template <std::size_t N>
void fill(std::array<std::byte, N>& out, std::string_view text, std::uint64_t salt) {
  for (std::size_t at = 0; at < N; at += 8) wire::store_le(out, at, 8, mix(text, salt + at));
}

}  // namespace

namespace_ids ids_of(std::string_view subsystem_nqn, std::uint32_t nsid) {
  namespace_ids ids;
  const std::uint64_t salt = std::uint64_t{nsid} << 8;
  fill(ids.uuid, subsystem_nqn, salt | 1);
  // RFC 9562: version 8 (made by our own rule), variant 10b.
  ids.uuid[6] = (ids.uuid[6] & std::byte{0x0f}) | std::byte{0x80};
  ids.uuid[8] = (ids.uuid[8] & std::byte{0x3f}) | std::byte{0x80};
  fill(ids.eui64, subsystem_nqn, salt | 0x21);
  // We own no OUI: the "local" bit of an EUI-64 says that nobody assigned it.
  ids.eui64[0] = (ids.eui64[0] & std::byte{0xfc}) | std::byte{0x02};
  // NGUID: a vendor's 64 bits, then the EUI-64's form (Base 2.0, 4.5.1).
  fill(ids.nguid, subsystem_nqn, salt | 0x41);
  std::ranges::copy(ids.eui64, ids.nguid.begin() + 8);
  return ids;
}

}  // namespace nvmf::engine
