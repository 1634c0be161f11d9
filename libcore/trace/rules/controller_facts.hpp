// SPDX-License-Identifier: BSD-2-Clause
// What the Admin Queue of a controller told, for the rules of all its queues; and the controllers
// that are connected now.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>

#include "trace/capture/segment.hpp"

namespace nvmf::trace {

class connection;

struct controller_facts {
  const connection* admin = nullptr;  // its Admin Queue, until that ends
  bool whole = true;                  // nothing of its Admin Queue is missing
  bool open = false;                  // its Connect succeeded, and its Admin Queue has not ended
  std::string host_nqn;
  std::array<std::byte, 16> host_id{};
  bool enabled = false;  // CC.EN, as it was set last
  std::optional<std::uint64_t> cap;

  bool identified = false;
  std::uint8_t mdts = 0, aerl = 0;
  std::uint16_t kas = 0;
  std::uint32_t ioccsz = 0;
  std::uint16_t icdoff = 0;
  bool tbkas = true;  // until Identify says that only Keep Alive counts

  std::uint64_t io_queues = 0;  // that were connected
  std::uint32_t kato_ms = 0;
  std::int64_t alive_ns = 0;  // when the host was heard last

  // Bytes, or 0: no limit is known.
  std::uint64_t transfer_max() const;
  // In-capsule data of I/O queues, when it is known.
  std::optional<std::uint32_t> capsule_data_max() const;
  // KATO as the controller counts it, ns; 0: none.
  std::int64_t kato_ns() const;
};

class controllers {
 public:
  std::shared_ptr<controller_facts> find(const endpoint& at, const std::string& nqn,
                                         std::uint16_t cntlid) const;
  void add(const endpoint& at, const std::string& nqn, std::uint16_t cntlid,
           std::shared_ptr<controller_facts> facts);
  // The Admin Queue has ended.
  void remove(const std::shared_ptr<controller_facts>& facts);
  std::size_t size() const { return known_.size(); }

 private:
  using key = std::tuple<std::array<std::byte, 16>, std::string, std::uint16_t>;
  std::map<key, std::shared_ptr<controller_facts>> known_;
};

}  // namespace nvmf::trace
