// SPDX-License-Identifier: BSD-2-Clause
// Two TCP streams that are joined: what one sends the other gets, ends and resets too. Whatever the
// bytes are, nothing of them is known here.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "tcp/room.hpp"
#include "tcp/socket.hpp"

namespace nvmf::cli::proxy {

// Who opened the connection, and who answers.
inline constexpr unsigned client_end = 0, target_end = 1;

enum class relay_end : std::uint8_t { closed, reset, stopped };

// Who looks at what goes by. None of it may let go of the relay.
class relay_tap {
 public:
  virtual ~relay_tap() = default;
  // What is passed on for the next bytes of an end; may be less for now, and more later. It stays
  // until the next call.
  virtual std::span<const std::byte> passed_on(unsigned /*from*/, std::span<std::byte> bytes) {
    return bytes;
  }
  // The end sends no more: what has not been passed on yet.
  virtual std::span<const std::byte> rest(unsigned /*from*/) { return {}; }
  // They are with the other end's socket, or wait for it.
  virtual void on_bytes(unsigned from, std::span<const std::byte> bytes) = 0;
  // The end sends no more, in order.
  virtual void on_end(unsigned /*from*/) {}
  // Once, the last. A reset came from `from`.
  virtual void on_over(relay_end how, unsigned from) = 0;
};

class relay final : public std::enable_shared_from_this<relay> {
 public:
  // Of one read, and so what waits for an end that reads slowly: nothing more is read for it.
  static constexpr std::size_t chunk_bytes = 128 * 1024;
  static_assert(chunk_bytes <= tcp::room::scratch_size);

  relay(reactor& on, tcp::tcp_stream from_client, tcp::tcp_stream to_target, relay_tap& tap);

  void start();
  // Closes both ends. The tap is told, within this call.
  void stop() { finish(relay_end::stopped); }
  // Bytes that an end has not taken yet.
  std::size_t waiting(unsigned for_end) const {
    return halves_[for_end].waiting.size() - halves_[for_end].written;
  }

 private:
  struct half {
    tcp::tcp_stream stream;
    std::vector<std::byte> waiting{};  // to be written to it, from written_ on
    std::size_t written = 0;
    bool ended = false;     // it sends no more
    bool told_end = false;  // that nothing more comes
    bool broken = false;    // takes no more
    bool read_armed = false, write_armed = false, trouble_armed = false;

    bool behind() const { return written < waiting.size(); }
  };

  void pump(unsigned from);
  void take(unsigned from, std::span<std::byte> bytes);
  void put(unsigned to, std::span<const std::byte> bytes);
  void drain(unsigned to);
  void cannot_write(unsigned to);
  void end_of(unsigned from);
  void pass_end_on(unsigned to);
  void finish(relay_end how, unsigned from = 0);
  void arm_read(unsigned from);
  void arm_write(unsigned to);
  void arm_trouble(unsigned of);

  tcp::room& room_;
  relay_tap& tap_;
  std::array<half, 2> halves_;
  bool over_ = false;
};

}  // namespace nvmf::cli::proxy
