// SPDX-License-Identifier: BSD-2-Clause
// What a correct device may answer to reads while writes are under way, acknowledged, or lost.
#pragma once

#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "pdu.hpp"

namespace nvmf::sim {

// Every block says which write it is of, and of which block.
octets block_content(std::uint32_t block, std::uint64_t version);

// What may be in each block: versions that were written and not yet overwritten for certain.
class block_model {
 public:
  static constexpr std::size_t block_bytes = 512;
  explicit block_model(std::uint32_t blocks) : blocks_(blocks) {}

  std::uint32_t blocks() const { return static_cast<std::uint32_t>(blocks_.size()); }
  // A write under way excludes other writes of its blocks, as a file system would.
  bool busy(std::uint32_t first, std::uint32_t count) const;
  // The data of a write; its version may be in the blocks from now on.
  octets begin_write(std::uint32_t first, std::uint32_t count, std::uint64_t version);
  // Acknowledged, or of unknown fate: such a version may come to light at any later time, for the
  // command may still be under way when its host has given it up.
  void end_write(std::uint32_t first, std::uint32_t count, std::uint64_t version, bool good);
  // Nothing is known of these blocks until they are written again: see network::doubtful.
  void forget(std::uint32_t first, std::uint32_t count);
  // What a read may return, remembered when it begins.
  using allowed = std::vector<std::set<std::uint64_t>>;  // empty: anything
  void begin_read(std::uint32_t first, std::uint32_t count, std::uint64_t id);
  // Says what is wrong with the data of that read, if anything.
  std::string end_read(std::uint64_t id, std::span<const std::byte> data, bool good);
  // A read in the controller: Compare with one version for each block. Data that is likely to be
  // there, when begin_read has been called; then what is wrong with its answer, if anything.
  std::vector<std::uint64_t> likely(std::uint64_t id) const;
  std::string end_compare(std::uint64_t id, std::span<const std::uint64_t> versions, bool equal);
  void end_unjudged(std::uint64_t id) { reads_.erase(id); }

 private:
  struct block {
    std::set<std::uint64_t> possible{0};  // 0: zeroes, never written
    std::set<std::uint64_t> lost;         // of unknown fate
    bool writing = false;
    bool unknown = false;  // any version, of any block
  };
  struct reading {
    std::uint32_t first;
    allowed versions;
  };
  std::vector<block> blocks_;
  std::map<std::uint64_t, reading> reads_;
};

}  // namespace nvmf::sim
