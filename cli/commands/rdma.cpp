// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ostream>

#include "context.hpp"
#include "rdma_view.hpp"
#include "render/text.hpp"

namespace nvmf::cli {
namespace {

constexpr std::string_view how_to_make_one =
    "a software one will do: modprobe rdma_rxe; rdma link add rxe0 type rxe netdev INTERFACE";

class rdma_command final : public command {
 public:
  const command_info& info() const override {
    static constexpr std::array<example, 3> examples{{
        {"rdma", "which devices there are, and which of them serve NVMe over Fabrics"},
        {"rdma -v", "with GIDs and limits"},
        {"rdma --json", "for scripts"},
    }};
    static constexpr std::array statuses{exit_status::connect};
    static constexpr std::array<json_key, 3> keys{{
        {"devices",
         "of each \"name\", \"usable\", its \"obstacles\" and \"remarks\", \"type\", \"limits\", "
         "and "
         "\"ports\" with their \"interfaces\" and \"gids\""},
        {"memlock_bytes", "that may be registered; null: any number"},
        {"usable", "how many of the devices are"},
    }};
    static constexpr command_info about{
        .name = "rdma",
        .summary = "list the RDMA devices, and say which can be used",
        .usage = "",
        .details =
            "Lists the RDMA devices of this machine, their ports and addresses, and whether "
            "nvme+rdma:// works over them. Whatever stands in the way is told with what to do "
            "about "
            "it: no permission on a device, a link that is down, no address, limits that are too "
            "small, a limit on locked memory. No traffic is sent, and no root is needed. With "
            "--verbose GIDs and limits are shown.",
        .examples = examples,
        .statuses = statuses,
        .keys = keys,
    };
    return about;
  }
  void add_options(option_table&) override {}
  result run(context& ctx) override;
};

// What is wrong on the whole; empty: something can be used.
std::string trouble(const rdma::machine_report& m, std::ptrdiff_t usable) {
  if (usable != 0) return {};
  if (m.devices.empty()) return fmt::format("no RDMA device here ({})", how_to_make_one);
  if (m.devices.size() == 1) return "the one device here cannot be used";
  return fmt::format("none of the {} devices here can be used", m.devices.size());
}

result rdma_command::run(context& ctx) {
  const auto looked = rdma::look();
  const rdma::machine_report seen = looked.value_or(rdma::machine_report{});
  const auto usable = std::ranges::count_if(
      seen.devices, [&](const auto& d) { return rdma::obstacles(d, seen).empty(); });
  const std::string wrong = looked ? trouble(seen, usable) : looked.error();
  result r;
  if (!wrong.empty())
    r = result::fail(rdma::have_rdma_core() ? exit_status::connect : exit_status::usage,
                     "rdma: " + wrong);
  if (!ctx.json()) {
    ctx.out << rdma_text(seen, ctx.out_style, ctx.options.verbosity);
    return r;
  }
  r.document = rdma_json(seen);
  r.document["schema"] = "nvmfctl.rdma/1";
  r.document["usable"] = usable;
  return r;
}

}  // namespace

std::unique_ptr<command> make_rdma() { return std::make_unique<rdma_command>(); }

}  // namespace nvmf::cli
