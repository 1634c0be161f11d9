// SPDX-License-Identifier: BSD-2-Clause
// The reason of a TermReq in words, and the field that it points at.
#include "engine/termreq_text.hpp"

#include <doctest/doctest.h>

using namespace nvmf;

namespace {

std::string termreq(std::string_view structure, std::uint16_t fes, std::uint32_t fei) {
  protocol_error e;
  e.structure = structure;
  e.fes = fes;
  e.fei = fei;
  return engine::termreq_text(e);
}

}  // namespace

TEST_CASE("a TermReq tells its reason by name, and the field where FEI is one") {
  CHECK(termreq("icreq", 1, 8) == "Invalid PDU Header Field (FES 1, FEI 8h: pfv of icreq)");
  CHECK(termreq("icreq", 6, 10) == "Unsupported Parameter (FES 6, FEI Ah: hpda of icreq)");
  CHECK(termreq("h2c-data", 2, 0) == "PDU Sequence Error (FES 2, FEI 0h)");
  CHECK(termreq("h2c-data", 3, 0xdeadbeef) == "Header Digest Error (FES 3, FEI DEADBEEFh)");
  // What a peer may make up.
  CHECK(termreq("icreq", 1, 0xffffffff) == "Invalid PDU Header Field (FES 1, FEI FFFFFFFFh)");
  CHECK(termreq("", 0x77, 1) == "a reserved reason (FES 119, FEI 1h)");
}
