// SPDX-License-Identifier: BSD-2-Clause
#include "controller_facts.hpp"

#include "wire/layouts/fabrics.hpp"

namespace nvmf::trace {

std::uint64_t controller_facts::transfer_max() const {
  if (!identified || mdts == 0 || !cap) return 0;
  std::array<std::byte, 8> bytes{};
  wire::store_le(bytes, 0, 8, *cap);
  const unsigned shift = 12 + static_cast<unsigned>(wire::get<wire::cap_layout, "mpsmin">(bytes));
  // SGLs hold lengths of 32 bits.
  return shift + mdts < 32 ? std::uint64_t{1} << (shift + mdts) : 0;
}

std::optional<std::uint32_t> controller_facts::capsule_data_max() const {
  constexpr std::uint32_t sqe_units = 4;  // of 16 bytes
  constexpr std::uint32_t units_max = ~std::uint32_t{0} / 16;
  if (!identified || ioccsz < sqe_units || ioccsz > units_max) return std::nullopt;
  return (ioccsz - sqe_units) * 16;
}

std::int64_t controller_facts::kato_ns() const {
  const std::uint64_t unit_ms = kas == 0 ? 1 : std::uint64_t{kas} * 100;
  const std::uint64_t ms = (kato_ms + unit_ms - 1) / unit_ms * unit_ms;
  return static_cast<std::int64_t>(ms * 1'000'000);
}

std::shared_ptr<controller_facts> controllers::find(const endpoint& at, const std::string& nqn,
                                                    std::uint16_t cntlid) const {
  const auto found = known_.find(key{at.address, nqn, cntlid});
  return found == known_.end() ? nullptr : found->second;
}

void controllers::add(const endpoint& at, const std::string& nqn, std::uint16_t cntlid,
                      std::shared_ptr<controller_facts> facts) {
  known_.insert_or_assign(key{at.address, nqn, cntlid}, std::move(facts));
}

void controllers::remove(const std::shared_ptr<controller_facts>& facts) {
  std::erase_if(known_, [&](const auto& entry) { return entry.second == facts; });
}

}  // namespace nvmf::trace
