// SPDX-License-Identifier: BSD-2-Clause
// The first exchange of a connection, as a machine: the host's ICReq, the controller's ICResp, or
// the TermReq of the side that does not like what it got (NVMe/TCP 3.3, 3.6.2.2, 3.6.2.3).
#pragma once

#include <array>
#include <span>

#include "emitter.hpp"
#include "session.hpp"

namespace nvmf::tcp {

class ic_exchange {
 public:
  enum class standing : std::uint8_t { waiting, done, failed };

  // The host's begins with an ICReq to send.
  ic_exchange(role side, const transport_options& wanted, emitter events);

  // How many bytes to read next, so that nothing beyond this exchange is taken; 0: none.
  std::size_t wanted() const;
  // At most wanted() bytes.
  void consume(std::span<const std::byte> in);
  // The peer closed its side.
  void end_of_input();

  // What has to leave, in order; sent(n) takes it off.
  std::span<const std::byte> output() const {
    return std::span{out_.head}.first(out_.head_size).subspan(out_.sent);
  }
  void sent(std::size_t n) { out_.sent += n; }

  standing stands() const { return standing_; }
  // standing::done.
  const negotiated& agreed() const { return agreed_; }
  // standing::failed. When output() is not empty it is a TermReq, after which the peer is given
  // time to close.
  const qpair_error& error() const { return error_; }
  // The headers as they were on the wire, for the narration. Good when done.
  std::span<const std::byte> request() const { return request_; }
  std::span<const std::byte> response() const { return response_; }

 private:
  void begin();
  void finish();
  void take_request();
  void take_response();
  bool check_fields(std::string_view name, std::uint8_t alignment);
  void fail(const protocol_error& why);
  void send(wire::pdu_type type);

  role side_;
  transport_options wanted_;
  emitter events_;
  standing standing_ = standing::waiting;
  negotiated agreed_{};
  qpair_error error_{};
  tx_pdu out_{};
  std::size_t in_size_ = 0;
  std::size_t total_ = 8;  // bytes of the PDU being received, as far as is known
  std::array<std::byte, max_header> in_{};
  std::array<std::byte, 128> request_{};
  std::array<std::byte, 128> response_{};
};

}  // namespace nvmf::tcp
