// SPDX-License-Identifier: BSD-2-Clause
#include "variables.hpp"

#include "wire/numbers.hpp"

namespace nvmf::cli::repl {

const value* variables::find(std::string_view name) const {
  if (name == "#") return &count_;
  if (!name.empty() && name[0] >= '0' && name[0] <= '9') {
    const auto n = wire::parse_number(name, "");
    return n && *n >= 1 && *n <= arguments_.size() ? &arguments_[*n - 1] : nullptr;
  }
  const auto it = named_.find(name);
  return it == named_.end() ? nullptr : &it->second;
}

std::vector<std::string> variables::set_arguments(std::vector<std::string> words) {
  arguments_.clear();
  for (const auto& w : words) arguments_.push_back(value_of_word(w));
  count_ = value::of_number(words.size());
  return std::exchange(words_, std::move(words));
}

std::vector<std::string_view> variables::names() const {
  std::vector<std::string_view> v;
  for (const auto& [name, what] : named_) v.push_back(name);
  return v;
}

}  // namespace nvmf::cli::repl
