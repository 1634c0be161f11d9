// SPDX-License-Identifier: BSD-2-Clause
#include "load.hpp"

#include <sys/resource.h>

#include <cassert>
#include <cstdlib>
#include <new>

#include "wire/layouts/commands.hpp"

namespace nvmf::cli {
namespace {

constexpr std::size_t page = 4096;

// SplitMix64: even in all bits and cheap.
std::uint64_t mixed(std::uint64_t& state) {
  std::uint64_t z = state += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

double thread_cpu_seconds() {
  rusage use{};
  ::getrusage(RUSAGE_THREAD, &use);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(use.ru_utime) + seconds(use.ru_stime);
}

}  // namespace

struct load::slot {
  sqe_bytes sqe{};
  std::span<std::byte> memory;
  std::uint16_t qid = 1;
  std::uint64_t position = 0;  // sequential: the place of its next command
  time_point submitted{};
};

void load::free_memory::operator()(std::byte* p) const noexcept { std::free(p); }

load::load(association& with, executor& on, load_shape shape)
    : with_(with), on_(on), shape_(shape), random_(shape.seed) {
  const std::size_t bytes = std::size_t{shape.blocks_per_command} * shape.block_size;
  const std::size_t stride = (bytes + page - 1) / page * page;
  const std::size_t count = std::size_t{shape.depth} * shape.queues;
  positions_ = shape.blocks / shape.blocks_per_command;
  assert(positions_ > 0 && count > 0);
  auto* memory = static_cast<std::byte*>(std::aligned_alloc(page, stride * count));
  if (memory == nullptr) throw std::bad_alloc{};
  memory_.reset(memory);
  for (std::size_t i = 0; i < stride * count; ++i) memory[i] = static_cast<std::byte>(i * 7);
  slots_.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    slot& s = slots_[i];
    s.memory = {memory + i * stride, bytes};
    s.qid = static_cast<std::uint16_t>(1 + i % shape.queues);
    s.position = i % positions_;
    const auto opcode = shape.write ? wire::nvm_opcode::write : wire::nvm_opcode::read;
    wire::set<wire::read_command, "opc">(s.sqe, static_cast<std::uint8_t>(opcode));
    wire::set<wire::read_command, "nsid">(s.sqe, shape.nsid);
    wire::set<wire::read_command, "nlb">(s.sqe, shape.blocks_per_command - 1);
  }
}

load::~load() = default;

std::uint64_t load::next_lba(slot& s) {
  std::uint64_t place = s.position;
  if (shape_.random)
    place = mixed(random_) % positions_;
  else
    s.position = (s.position + slots_.size()) % positions_;
  return place * shape_.blocks_per_command;
}

void load::start(task done) {
  done_ = std::move(done);
  const time_point now = on_.now();
  timer_ = on_.start_timer(now + shape_.warm_up, [this] { begin_measuring(); });
  for (slot& s : slots_) {
    s.submitted = now;
    submit(s);
  }
}

void load::submit(slot& s) {
  wire::set<wire::read_command, "slba">(s.sqe, next_lba(s));
  ++in_flight_;
  const memdesc memory =
      shape_.write ? memdesc::of(std::span<const std::byte>{s.memory}) : memdesc::of(s.memory);
  with_.submit(s.qid, s.sqe, memory, shape_.write ? direction::send : direction::receive, {},
               [this, &s](const command_result& r) { completed(s, r); });
}

void load::completed(slot& s, const command_result& r) {
  --in_flight_;
  const time_point now = on_.now();
  const bool whole = r.ok() && r.bytes == s.memory.size();
  if (!whole && !stopping_) {
    report_.failure = r;
    ++report_.failed;
    if (measuring_) end_measuring();
    stop();
  } else if (measuring_) {
    report_.times.add(static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(now - s.submitted).count()));
  }
  if (!stopping_) {
    s.submitted = now;
    return submit(s);
  }
  if (in_flight_ == 0 && done_) std::exchange(done_, task{})();
}

void load::begin_measuring() {
  report_.times.clear();
  cpu_began_ = thread_cpu_seconds();
  began_ = on_.now();
  measuring_ = true;
  timer_ = on_.start_timer(began_ + shape_.measured, [this] {
    timer_ = 0;
    end_measuring();
    stop();
  });
}

void load::end_measuring() {
  measuring_ = false;
  report_.elapsed = on_.now() - began_;
  report_.cpu_seconds = thread_cpu_seconds() - cpu_began_;
}

void load::stop() {
  if (stopping_) return;
  stopping_ = true;
  if (measuring_) end_measuring();
  if (timer_ != 0) on_.cancel_timer(std::exchange(timer_, 0));
  if (in_flight_ == 0 && done_) on_.post(std::exchange(done_, task{}));
}

}  // namespace nvmf::cli
