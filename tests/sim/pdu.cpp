// SPDX-License-Identifier: BSD-2-Clause
#include "pdu.hpp"

#include "wire/crc32c.hpp"

namespace nvmf::sim {

void renew_header_digest(octets& pdu) {
  const pdu_view view{pdu};
  if (!view.header_digest()) return;
  test::put(pdu, view.header(), digest_bytes, wire::crc32c(0, std::span{pdu}.first(view.header())));
}

}  // namespace nvmf::sim
