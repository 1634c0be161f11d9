// SPDX-License-Identifier: BSD-2-Clause
// A command is an object: it says what it is called, what options it takes and which exit statuses
// it may end with, and its run() gives a result. Command line, REPL, help, completion and man pages
// are views of it.
#pragma once

#include <boost/json/object.hpp>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "exit_status.hpp"
#include "options.hpp"

namespace nvmf::cli {

struct context;

struct example {
  std::string_view line;  // without "nvmfctl "
  std::string_view what;
};

// A key at the top of the document that --json prints.
struct json_key {
  std::string_view name;
  std::string_view what;
};

struct command_info {
  std::string_view name;     // "send-capsule"
  std::string_view summary;  // "send one command and show what happens"
  std::string_view usage;    // positional arguments: "URI COMMAND [FIELD=VALUE]..."
  std::string_view details;  // paragraphs apart by an empty line, for help and man page
  std::span<const example> examples;
  std::span<const exit_status> statuses;  // beside ok, internal_error, usage and interrupted
  // What may stand after "--": "CMD [ARGUMENT]..."; empty: nothing may.
  std::string_view trailing = {};
  // With --json; "schema" and "error" are every document's. Keys are added, never taken away.
  std::span<const json_key> keys = {};
  // The man page has the sections of this topic (topics.hpp); empty: none.
  std::string_view topic = {};
};

// What a run ends with. Text for people went to context::out as it arose.
struct result {
  exit_status status = exit_status::ok;
  // One sentence for the person at the keyboard, "what: why (what to do)"; printed to stderr.
  std::string error = {};
  // With --json: the one document, which has a "schema"; empty when the command wrote JSON Lines.
  boost::json::object document = {};
  // With --json: the command wrote JSON Lines; an error becomes one more of them.
  bool streamed = false;

  static result fail(exit_status status, std::string error) {
    return {.status = status, .error = std::move(error)};
  }
};

class command {
 public:
  virtual ~command() = default;
  virtual const command_info& info() const = 0;
  // Rows bound to members of this object. Called once.
  virtual void add_options(option_table& table) = 0;
  // Called at most once, after the options were filled in.
  virtual result run(context& ctx) = 0;
};

// What stands after "--", for commands that take it.
class takes_trailing {
 public:
  virtual ~takes_trailing() = default;
  virtual void set_trailing(std::vector<std::string> words) = 0;
};

}  // namespace nvmf::cli
