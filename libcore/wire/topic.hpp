// SPDX-License-Identifier: BSD-2-Clause
// A piece of explanation that is made from tables: `describe`, man pages and docs/generated show
// it, each in its own way.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace nvmf::wire {

struct topic_row {
  std::string term;  // "wrong-cid [CID]": shown as it is
  std::string text;
};

struct topic_section {
  std::string_view title;  // "Fields"; empty for what stands first
  std::string text;        // paragraphs apart by an empty line
  std::vector<topic_row> rows;
};

struct topic {
  std::string_view name;   // "fault-plan"
  std::string_view title;  // "Fault plans: ..."
  std::vector<topic_section> sections;
};

}  // namespace nvmf::wire
