// SPDX-License-Identifier: BSD-2-Clause
// send-capsule: options and dry run in send_capsule.cpp, sending in send_capsule_run.cpp.
#pragma once

#include "capsule_plan.hpp"
#include "context.hpp"
#include "host_options.hpp"
#include "tracing/inside_trace.hpp"

namespace nvmf::cli {

class send_capsule_command final : public command {
 public:
  const command_info& info() const override;
  void add_options(option_table& table) override;
  result run(context& ctx) override;

 private:
  void take_words();
  void take_plan(const host_plan& to);
  result dry_run(context& ctx);
  result send(context& ctx);

  std::vector<std::string> words_;
  capsule_request request_;
  host_options host_;
  std::string out_;
  bool dry_run_ = false;
  std::uint64_t repeat_ = 1;
  trace_choice trace_;
};

}  // namespace nvmf::cli
