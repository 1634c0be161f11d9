// SPDX-License-Identifier: BSD-2-Clause
#include "model.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>

namespace nvmf::sim {

octets block_content(std::uint32_t block, std::uint64_t version) {
  octets b(block_model::block_bytes);
  if (version == 0) return b;
  for (std::size_t i = 0; i < b.size(); i += 8) {
    const std::uint64_t word = i == 0 ? version : version * 0x9e3779b97f4a7c15u ^ (block + i);
    std::memcpy(b.data() + i, &word, sizeof word);
  }
  return b;
}

bool block_model::busy(std::uint32_t first, std::uint32_t count) const {
  return std::any_of(blocks_.begin() + first, blocks_.begin() + first + count,
                     [](const block& b) { return b.writing; });
}

octets block_model::begin_write(std::uint32_t first, std::uint32_t count, std::uint64_t version) {
  octets data;
  for (std::uint32_t i = 0; i < count; ++i) {
    block& b = blocks_[first + i];
    b.writing = true;
    b.possible.insert(version);
    const octets one = block_content(first + i, version);
    data.insert(data.end(), one.begin(), one.end());
  }
  for (auto& [id, r] : reads_)
    for (std::uint32_t i = 0; i < r.versions.size(); ++i)
      if (r.first + i >= first && r.first + i < first + count && !r.versions[i].empty())
        r.versions[i].insert(version);
  return data;
}

void block_model::end_write(std::uint32_t first, std::uint32_t count, std::uint64_t version,
                            bool good) {
  for (std::uint32_t i = 0; i < count; ++i) {
    block& b = blocks_[first + i];
    b.writing = false;
    if (good) {
      b.possible = {version};
      b.unknown = false;
    } else {
      b.lost.insert(version);
    }
    b.possible.insert(b.lost.begin(), b.lost.end());
  }
}

void block_model::forget(std::uint32_t first, std::uint32_t count) {
  for (std::uint32_t i = first; i < first + count; ++i) blocks_[i].unknown = true;
  for (auto& [id, r] : reads_)
    for (std::uint32_t i = 0; i < r.versions.size(); ++i)
      if (r.first + i >= first && r.first + i < first + count) r.versions[i].clear();
}

void block_model::begin_read(std::uint32_t first, std::uint32_t count, std::uint64_t id) {
  reading r{first, {}};
  for (std::uint32_t i = first; i < first + count; ++i)
    r.versions.push_back(blocks_[i].unknown ? std::set<std::uint64_t>{} : blocks_[i].possible);
  reads_.emplace(id, std::move(r));
}

std::string block_model::end_read(std::uint64_t id, std::span<const std::byte> data, bool good) {
  const auto r = std::move(reads_.extract(id).mapped());
  if (!good) return {};
  for (std::uint32_t i = 0; i < r.versions.size(); ++i) {
    if (r.versions[i].empty()) continue;
    const auto got = data.subspan(i * block_bytes, block_bytes);
    std::uint64_t version = 0;
    std::memcpy(&version, got.data(), sizeof version);
    if (!r.versions[i].contains(version))
      return fmt::format("read {}: block {} has version {}, possible are {}", id, r.first + i,
                         version, fmt::join(r.versions[i], " "));
    const octets whole = block_content(r.first + i, version);
    if (!std::equal(whole.begin(), whole.end(), got.begin()))
      return fmt::format("read {}: block {} is torn", id, r.first + i);
  }
  return {};
}

std::vector<std::uint64_t> block_model::likely(std::uint64_t id) const {
  std::vector<std::uint64_t> versions;
  for (const auto& of_block : reads_.at(id).versions)
    versions.push_back(of_block.empty() ? 0 : *of_block.rbegin());
  return versions;
}

std::string block_model::end_compare(std::uint64_t id, std::span<const std::uint64_t> versions,
                                     bool equal) {
  const auto r = std::move(reads_.extract(id).mapped());
  bool may_differ = false;
  for (std::size_t i = 0; i < versions.size(); ++i) {
    const auto& may = r.versions[i];
    const bool has = may.empty() || may.contains(versions[i]);
    if (equal && !has)
      return fmt::format("compare {}: block {} is called equal to version {}, possible are {}", id,
                         r.first + i, versions[i], fmt::join(may, " "));
    may_differ = may_differ || may.empty() || !has || may.size() > 1;
  }
  if (!equal && !may_differ)
    return fmt::format("compare {}: blocks from {} are called different and are not", id, r.first);
  return {};
}

}  // namespace nvmf::sim
