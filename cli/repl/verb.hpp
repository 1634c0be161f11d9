// SPDX-License-Identifier: BSD-2-Clause
// A command of the debugger is an object: help, completion and the interpreter are views of it.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "arguments.hpp"
#include "command.hpp"

namespace nvmf::cli::repl {

class workbench;

struct verb_info {
  std::string_view name;  // "memdesc"
  // "NAME BUF[OFF,LEN]... [fill=PATTERN]". Completion reads it too (completion.hpp): words in
  // capitals are kinds of things.
  std::string_view usage;
  std::string_view summary;  // a phrase, as option::help
  std::string_view details;  // paragraphs, as command_info::details
  // Whole lines, each of which runs in a debugger that has run those of the `setup` before.
  std::span<const example> examples;
};

class verb {
 public:
  virtual ~verb() = default;
  virtual const verb_info& info() const = 0;
  virtual done run(workbench& bench, arguments args) const = 0;
  // What may stand at the end of `words`, the last of which has been begun (it may be empty).
  // Candidates are whole words; those that do not begin like it are left out by the caller.
  // Without an own one: by the usage.
  virtual std::vector<std::string> complete(const workbench& bench,
                                            std::span<const word> words) const;
};

// In the order of help. A verb is added by its factory in one of verbs/*.cpp and its line in
// verbs.cpp.
std::span<const std::unique_ptr<const verb>> all_verbs();
// By name or by a beginning that only one has; the complaint suggests near names.
std::expected<const verb*, complaint> find_verb(const word& typed);

}  // namespace nvmf::cli::repl
