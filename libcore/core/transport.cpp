// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>
#include <atomic>
#include <nvmf/transport.hpp>

namespace nvmf {

std::uint32_t next_qpair_id() noexcept {
  static std::atomic<std::uint32_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

std::expected<void, std::string_view> check(const qpair_params& p) {
  const transport_options& o = p.options;
  const std::uint32_t most = p.admin ? 4096 : 65536;
  if (p.admin != (p.qid == 0))
    return std::unexpected("qid: 0 is the admin queue, I/O queues have 1 and up");
  if (p.queue_size < 2 || p.queue_size > most)
    return std::unexpected(p.admin ? "queue_size: an admin queue has 2 to 4096 entries"
                                   : "queue_size: an I/O queue has 2 to 65536 entries");
  if (o.alignment < 4 || o.alignment > 128 || o.alignment % 4 != 0)
    return std::unexpected("alignment: 4 to 128 bytes in steps of 4");
  if (o.max_h2c_data < 4096 || o.max_h2c_data % 4 != 0)
    return std::unexpected("max_h2c_data: at least 4096 bytes and a multiple of 4");
  if (o.max_r2t < 1 || o.max_r2t > 65536) return std::unexpected("max_r2t: 1 to 65536");
  return {};
}

void transport_registry::add(std::shared_ptr<transport> provider) {
  const auto at = std::ranges::find_if(
      providers_, [&](const auto& p) { return p->priority() < provider->priority(); });
  providers_.insert(at, std::move(provider));
}

std::error_code transport_registry::remove(const transport* provider) {
  const auto at =
      std::ranges::find_if(providers_, [&](const auto& p) { return p.get() == provider; });
  if (at == providers_.end()) return errc::no_transport;
  if ((*at)->qpairs() != 0) return errc::busy;
  providers_.erase(at);
  return {};
}

std::expected<std::shared_ptr<transport>, std::error_code> transport_registry::find(
    std::string_view type, const qpair_params& params) const {
  bool known = false;
  for (const auto& p : providers_) {
    if (p->type() != type) continue;
    if (p->accepts(params)) return p;
    known = true;
  }
  return std::unexpected(make_error_code(known ? errc::transport_refused : errc::no_transport));
}

}  // namespace nvmf
