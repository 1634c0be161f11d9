// SPDX-License-Identifier: BSD-2-Clause
// Named things of one kind, in the order of their names.
#pragma once

#include <fmt/format.h>

#include <map>
#include <memory>
#include <string>

#include "wire/names.hpp"
#include "words.hpp"

namespace nvmf::cli::repl {

template <class T>
class shelf {
 public:
  // `what`: "buffer"; `made_by`: the verb that makes one, "buf".
  shelf(std::string_view what, std::string_view made_by) : what_(what), made_by_(made_by) {}

  std::shared_ptr<T> find(std::string_view name) const {
    const auto it = things_.find(name);
    return it == things_.end() ? nullptr : it->second;
  }
  std::expected<std::shared_ptr<T>, complaint> get(const word& name) const {
    if (auto found = find(name.text)) return found;
    return wrong(fmt::format("there is no {} {}{} ({} makes one)", what_, wire::quoted(name.text),
                             wire::did_you_mean(name.text, names()), made_by_),
                 name.column);
  }
  void put(std::shared_ptr<T> thing) { things_[thing->name] = std::move(thing); }
  bool remove(std::string_view name) {
    const auto it = things_.find(name);
    if (it == things_.end()) return false;
    things_.erase(it);
    return true;
  }
  bool empty() const { return things_.empty(); }
  const auto& all() const { return things_; }
  std::vector<std::string_view> names() const {
    std::vector<std::string_view> v;
    for (const auto& [name, thing] : things_) v.push_back(name);
    return v;
  }
  // prefix1, prefix2, ...: the first that is free.
  std::string fresh_name(std::string_view prefix) const {
    for (int n = 1;; ++n)
      if (auto name = fmt::format("{}{}", prefix, n); !things_.contains(name)) return name;
  }

 private:
  std::string what_, made_by_;
  std::map<std::string, std::shared_ptr<T>, std::less<>> things_;
};

// A name begins with a letter and goes on with letters, digits, _ and -.
done check_name(const word& w, std::string_view what);

}  // namespace nvmf::cli::repl
