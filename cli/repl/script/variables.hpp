// SPDX-License-Identifier: BSD-2-Clause
// $NAME: what `let` and loops have named, and the arguments of the script.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "value.hpp"

namespace nvmf::cli::repl {

class variables {
 public:
  // NAME, 1, 2, ... or #. nullptr when there is none.
  const value* find(std::string_view name) const;
  void set(std::string name, value v) { named_[std::move(name)] = std::move(v); }
  // Of a script. What there was comes back with another call: `source` has its own.
  std::vector<std::string> set_arguments(std::vector<std::string> words);
  std::vector<std::string_view> names() const;

 private:
  std::map<std::string, value, std::less<>> named_;
  std::vector<std::string> words_;
  std::vector<value> arguments_;
  value count_ = value::of_number(0);
};

}  // namespace nvmf::cli::repl
