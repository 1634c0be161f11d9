// SPDX-License-Identifier: BSD-2-Clause
#include "identity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/uuid/name_generator_sha1.hpp>
#include <optional>
#include <random>

#include "output_file.hpp"
#include "wire/nqn.hpp"
#include "wire/uuid.hpp"

namespace nvmf::cli {
namespace {

constexpr std::size_t longest_file_bytes = 4096;

// The namespace of UUIDs that this program derives; drawn once, never to change.
constexpr boost::uuids::uuid derived_namespace{{0x6c, 0x0f, 0x5f, 0x0a, 0x8d, 0x1e, 0x4b, 0x6e,
                                                0x9d, 0x7b, 0x2a, 0x54, 0x31, 0xc8, 0x90, 0xe7}};

wire::uuid derived(std::string_view name) {
  const boost::uuids::uuid made =
      boost::uuids::name_generator_sha1{derived_namespace}(name.data(), name.size());
  wire::uuid out;
  std::ranges::transform(made, out.bytes.begin(), [](std::uint8_t b) { return std::byte{b}; });
  return out;
}

wire::uuid made_up() {
  std::random_device device;
  std::array<std::byte, 16> random{};
  for (std::byte& b : random) b = static_cast<std::byte>(device());
  return wire::make_uuid_v4(random);
}

// The first line, without blanks around it; nullopt when there is no file or nothing in it.
std::optional<std::string> first_line(const std::string& path) {
  const auto bytes = read_file(path, longest_file_bytes);
  if (!bytes) return std::nullopt;
  std::string text;
  for (const std::byte b : *bytes) {
    if (b == std::byte{'\n'}) break;
    text += static_cast<char>(b);
  }
  const std::size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string::npos) return std::nullopt;
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

// The UUID of an NQN in UUID form.
std::optional<wire::uuid> uuid_of(std::string_view nqn) {
  if (!nqn.starts_with(wire::uuid_nqn_prefix)) return std::nullopt;
  const auto id = wire::parse_uuid(nqn.substr(wire::uuid_nqn_prefix.size()));
  if (!id || id->is_zero()) return std::nullopt;
  return *id;
}

std::expected<host_identity, std::string> named(const std::string& given,
                                                const identity_files& files) {
  host_identity who{given, {}, "option --hostnqn"};
  if (given.empty()) {
    if (const auto line = first_line(files.hostnqn)) {
      who = {*line, {}, files.hostnqn};
    } else if (const auto machine = first_line(files.machine_id)) {
      who = {wire::uuid_nqn(derived(*machine)), {}, files.machine_id};
    } else {
      who = {wire::uuid_nqn(made_up()), {}, "made up for this run"};
    }
  }
  if (const auto good = wire::check_nqn(who.nqn, "host NQN"); !good)
    return std::unexpected(fmt::format("{}: {}", who.source, to_text(good.error())));
  return who;
}

}  // namespace

std::expected<host_identity, std::string> make_identity(const std::string& nqn,
                                                        const std::string& id,
                                                        const identity_files& files) {
  auto who = named(nqn, files);
  if (!who) return who;
  std::string text = id, source = "option --hostid";
  if (text.empty() && who->source == files.hostnqn) {
    source = files.hostid;
    text = first_line(files.hostid).value_or("");
  }
  if (!text.empty()) {
    const auto parsed = wire::parse_host_id(text);
    if (!parsed) return std::unexpected(fmt::format("{}: {}", source, to_text(parsed.error())));
    who->id = parsed->bytes;
  } else {
    who->id = uuid_of(who->nqn).value_or(derived(who->nqn)).bytes;
  }
  return who;
}

}  // namespace nvmf::cli
