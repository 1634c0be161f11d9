// SPDX-License-Identifier: BSD-2-Clause
// A backend whose operations end when the test says so, as it says.
#pragma once

#include <deque>
#include <nvmf/backend.hpp>
#include <string>
#include <vector>

namespace nvmf::test {

class held_backend final : public backend {
 public:
  struct operation {
    std::string what;  // "write 8+4 durable"
    executor* on;
    std::move_only_function<void(nvme_status)> end;
  };
  std::deque<operation> operations;
  bool hold = true;
  backend_geometry shape{1000, 512, false, true};

  backend_geometry geometry() const override { return shape; }
  std::string describe() const override { return "held"; }

  void read(executor& on, std::uint64_t lba, std::uint32_t blocks, read_callback done) override {
    add(on, name("read", lba, blocks), [this, blocks, d = std::move(done)](nvme_status s) mutable {
      const std::vector<std::byte> data(std::size_t{blocks} * shape.block_size, std::byte{0x5a});
      d(s, s.ok() ? buffer::copy_of(data) : buffer{});
    });
  }
  void write(executor& on, std::uint64_t lba, std::span<const std::byte> data, bool durable,
             done_callback done) override {
    add(on, name("write", lba, data.size() / shape.block_size) + (durable ? " durable" : ""),
        std::move(done));
  }
  void write_zeroes(executor& on, std::uint64_t lba, std::uint64_t blocks, bool deallocate,
                    bool durable, done_callback done) override {
    add(on,
        name("zero", lba, blocks) + (deallocate ? " deallocate" : "") + (durable ? " durable" : ""),
        std::move(done));
  }
  void deallocate(executor& on, std::uint64_t lba, std::uint64_t blocks,
                  done_callback done) override {
    add(on, name("deallocate", lba, blocks), std::move(done));
  }
  void flush(executor& on, done_callback done) override { add(on, "flush", std::move(done)); }

  // Ends the oldest operation, on its executor.
  void end_one(nvme_status s = {}) {
    operation o = std::move(operations.front());
    operations.pop_front();
    o.on->post([end = std::move(o.end), s]() mutable { end(s); });
  }

 private:
  static std::string name(std::string what, std::uint64_t lba, std::uint64_t blocks) {
    return what + " " + std::to_string(lba) + "+" + std::to_string(blocks);
  }
  void add(executor& on, std::string what, std::move_only_function<void(nvme_status)> end) {
    if (!hold) return end({});
    operations.push_back({std::move(what), &on, std::move(end)});
  }
};

}  // namespace nvmf::test
