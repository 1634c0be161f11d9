// SPDX-License-Identifier: BSD-2-Clause
#include "render/status.hpp"

namespace nvmf::cli {

boost::json::object status_json(nvme_status s, status_set set) {
  return {{"code", s.raw_code()},
          {"sct", s.sct},
          {"sc", s.sc},
          {"crd", s.crd},
          {"more", s.more},
          {"dnr", s.dnr},
          {"name", wire::status_name(s.raw_code(), set)}};
}

}  // namespace nvmf::cli
