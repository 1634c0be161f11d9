// SPDX-License-Identifier: BSD-2-Clause
// What a session tells its observer.
#include "session.hpp"
#include "wire/layouts/entries.hpp"

namespace nvmf::rdma {

// A SEND's first piece is its capsule, and the second what that carries. Of what touches memory by
// a key, the peer's or one that is lent to it, the descriptor says which.
void session::tell_posted(const work_request& work, const posted_work& what) {
  const auto bytes_of = [&](std::size_t n) -> std::span<const std::byte> {
    if (n >= work.pieces.size()) return {};
    return {work.pieces[n].data, work.pieces[n].length};
  };
  const auto tell = [&](std::span<const std::byte> header, std::span<const std::byte> data) {
    emit(event_type::work_posted, what.cid, header, what.bytes, work.remote_key, {},
         work_name(work.kind), data);
  };
  switch (work.kind) {
    case work_kind::send:
    case work_kind::send_invalidate:
      return tell(bytes_of(0), bytes_of(1));
    case work_kind::invalidate:
      return tell({}, {});
    case work_kind::receive:
    case work_kind::write:
    case work_kind::read:
    case work_kind::bind:
      break;
  }
  const bool lent = work.kind == work_kind::bind;
  std::array<std::byte, wire::keyed_sgl_layout.size> about{};
  wire::set<wire::keyed_sgl_layout, "addr">(
      about, lent ? reinterpret_cast<std::uintptr_t>(bytes_of(0).data()) : work.remote_address);
  wire::set<wire::keyed_sgl_layout, "length">(about, bytes_of(0).size());
  wire::set<wire::keyed_sgl_layout, "key">(about, work.remote_key);
  wire::set<wire::keyed_sgl_layout, "type">(
      about, static_cast<std::uint64_t>(wire::sgl_type::keyed_data_block));
  tell(about, work.kind == work_kind::write ? bytes_of(0) : std::span<const std::byte>{});
}

void session::tell_done(const posted_work& work, work_status status) {
  const bool ok = status == work_status::success;
  const bool brought = ok && work.kind == work_kind::read;
  emit(event_type::work_done, work.cid, {}, work.bytes, work.remote_key,
       ok ? std::error_code{} : error_of(status), ok ? work_name(work.kind) : status_name(status),
       brought ? work.memory.first(work.bytes) : std::span<std::byte>{});
}

}  // namespace nvmf::rdma
