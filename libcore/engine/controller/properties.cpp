// SPDX-License-Identifier: BSD-2-Clause
#include "properties.hpp"

#include <array>
#include <utility>

#include "wire/layouts/fabrics.hpp"
#include "wire/layouts/properties.hpp"

namespace nvmf::engine {
namespace {

using wire::cap_layout;
using wire::cc_layout;
using wire::csts_layout;
using wire::offset_of;
using wire::property;
using wire::property_get_command;
using wire::property_set_command;
using wire::status_code;

constexpr std::uint8_t nvm_iosqes = 6, nvm_iocqes = 4;  // 64 and 16 bytes
constexpr std::uint8_t shst_occurring = 1, shst_complete = 2;

// The value of a property as bytes that layouts read and write.
template <class Value>
class word {
 public:
  explicit word(Value v = 0) { wire::store_le(bytes_, 0, sizeof(Value), v); }
  operator Value() const { return static_cast<Value>(wire::load_le(bytes_, 0, sizeof(Value))); }
  template <const wire::layout& L, wire::fixed_name Name>
  std::uint64_t get() const {
    return wire::get<L, Name>(bytes_);
  }
  template <const wire::layout& L, wire::fixed_name Name>
  void set(std::uint64_t v) {
    wire::set<L, Name>(bytes_, v);
  }

 private:
  std::array<std::byte, sizeof(Value)> bytes_{};
};
using word32 = word<std::uint32_t>;
using word64 = word<std::uint64_t>;

std::uint32_t crto() {
  word32 w;
  w.set<wire::crto_layout, "crwmt">(ready_timeout);
  return w;
}

refusal bad_set(std::string_view why, std::uint16_t location) {
  return refuse(status_code::invalid_field, why, location);
}

// Bits of CC that nothing defines: CC.EN to CRIME are 0, 4 to 24.
constexpr std::uint32_t cc_reserved = 0xfe00'000e;

// What is wrong with a new value of CC, whatever the old one was.
std::string_view fault_of_cc(word32 cc, bool io) {
  if ((static_cast<std::uint32_t>(cc) & cc_reserved) != 0) return "CC: reserved bits";
  if (cc.get<cc_layout, "css">() != 0) return "CC.CSS: only the NVM command set";
  if (cc.get<cc_layout, "mps">() != 0) return "CC.MPS: outside CAP.MPSMIN to MPSMAX";
  if (cc.get<cc_layout, "ams">() != 0) return "CC.AMS: only round robin";
  if (cc.get<cc_layout, "shn">() == 3) return "CC.SHN: reserved value";
  if (cc.get<cc_layout, "crime">() != 0) return "CC.CRIME: CAP.CRIMS is 0";
  // Zero will do while the controller is disabled, and where there are no I/O queues at all.
  const bool may_be_zero = !io || cc.get<cc_layout, "en">() == 0;
  const auto iosqes = cc.get<cc_layout, "iosqes">();
  if (iosqes != nvm_iosqes && (iosqes != 0 || !may_be_zero)) return "CC.IOSQES: must be 6";
  const auto iocqes = cc.get<cc_layout, "iocqes">();
  if (iocqes != nvm_iocqes && (iocqes != 0 || !may_be_zero)) return "CC.IOCQES: must be 4";
  return {};
}

}  // namespace

properties::properties(std::uint32_t max_queue_entries, bool io) : io_(io) {
  word64 cap;
  cap.set<cap_layout, "mqes">(max_queue_entries - 1);
  cap.set<cap_layout, "cqr">(1);  // required over fabrics (Base 2.0, 3.1.3.1)
  cap.set<cap_layout, "to">(ready_timeout);
  cap.set<cap_layout, "css_nvm">(1);
  cap.set<cap_layout, "crwms">(1);
  cap_ = cap;
}

std::expected<std::uint64_t, refusal> properties::get(std::uint32_t offset,
                                                      std::uint8_t size_code) const {
  const bool eight = size_code == 1;
  if (size_code > 1)
    return std::unexpected(refuse(status_code::invalid_field, "Property Get: reserved size",
                                  offset_of<property_get_command, "attrib">()));
  const bool is_cap = offset == static_cast<std::uint32_t>(property::cap);
  std::uint64_t value = 0;
  switch (static_cast<property>(offset)) {
    case property::cap:
      value = cap_;
      break;
    case property::vs:
      value = version_2_0;
      break;
    case property::cc:
      value = cc_;
      break;
    case property::csts:
      value = csts_;
      break;
    case property::crto:
      value = crto();
      break;
    default:
      return std::unexpected(refuse(status_code::invalid_field, "Property Get: no such property",
                                    offset_of<property_get_command, "ofst">()));
  }
  if (eight != is_cap)
    return std::unexpected(refuse(status_code::invalid_field, "Property Get: wrong size",
                                  offset_of<property_get_command, "attrib">()));
  return value;
}

std::expected<properties::effect, refusal> properties::set(std::uint32_t offset,
                                                           std::uint8_t size_code,
                                                           std::uint64_t value) {
  if (offset != static_cast<std::uint32_t>(property::cc))
    return std::unexpected(bad_set("Property Set: not a property that can be written",
                                   offset_of<property_set_command, "ofst">()));
  if (size_code != 0)
    return std::unexpected(
        bad_set("Property Set: CC has 4 bytes", offset_of<property_set_command, "attrib">()));
  return set_cc(static_cast<std::uint32_t>(value));
}

std::expected<properties::effect, refusal> properties::set_cc(std::uint32_t value) {
  constexpr std::uint16_t at = offset_of<property_set_command, "value">();
  const word32 next{value}, old{cc_};
  if (const auto fault = fault_of_cc(next, io_); !fault.empty())
    return std::unexpected(bad_set(fault, at));
  if (settling())
    return std::unexpected(refuse(status_code::command_sequence_error,
                                  "CC written while a reset or shutdown is under way", at));
  const bool en = next.get<cc_layout, "en">() != 0, was_en = old.get<cc_layout, "en">() != 0;
  const auto shn = next.get<cc_layout, "shn">();
  const bool asks_shutdown = shn != 0 && shn != old.get<cc_layout, "shn">();
  word32 csts{csts_};
  if (en && !was_en && (csts.get<csts_layout, "cfs">() != 0 || shn != 0))
    return std::unexpected(bad_set("CC.EN set together with a shutdown or after a failure", at));

  cc_ = next;
  effect result = effect::none;
  if (asks_shutdown && !shut_down()) {
    csts.set<csts_layout, "shst">(shst_occurring);
    result = effect::shutdown;
  }
  if (was_en && !en) {
    resetting_ = true;
    if (result == effect::none) result = effect::reset;
  }
  if (en && !was_en) {
    csts = word32{};
    csts.set<csts_layout, "rdy">(1);
    result = effect::enable;
  }
  csts_ = csts;
  return result;
}

bool properties::settle() {
  word32 csts{csts_};
  if (csts.get<csts_layout, "shst">() == shst_occurring)
    csts.set<csts_layout, "shst">(shst_complete);
  if (resetting_) {
    csts.set<csts_layout, "rdy">(0);
    // A reset ends a shutdown that was complete before it; one that came with it stays visible.
    if (word32{cc_}.get<cc_layout, "shn">() == 0) csts.set<csts_layout, "shst">(0);
  }
  csts_ = csts;
  return std::exchange(resetting_, false);
}

void properties::fail() {
  word32 csts{csts_};
  csts.set<csts_layout, "cfs">(1);
  csts_ = csts;
}

bool properties::enabled() const {
  return word32{cc_}.get<cc_layout, "en">() != 0 && !shut_down() &&
         word32{csts_}.get<csts_layout, "cfs">() == 0;
}

bool properties::settling() const {
  return resetting_ || word32{csts_}.get<csts_layout, "shst">() == shst_occurring;
}

bool properties::shut_down() const { return word32{csts_}.get<csts_layout, "shst">() != 0; }

}  // namespace nvmf::engine
