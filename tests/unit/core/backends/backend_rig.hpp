// SPDX-License-Identifier: BSD-2-Clause
// Drives a backend to the end of each operation, whether it completes inside the call or later.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <nvmf/backend.hpp>
#include <optional>
#include <semaphore>
#include <string>
#include <vector>

#include "support/virtual_executor.hpp"

namespace nvmf::test {

struct backend_rig {
  // Posts of worker threads are waited for, without a clock.
  class waiting_executor final : public executor {
   public:
    time_point now() const noexcept override { return inner_.now(); }
    void post(task t) override {
      inner_.post(std::move(t));
      posted_.release();
    }
    timer_id start_timer(time_point when, task t) override {
      return inner_.start_timer(when, std::move(t));
    }
    void cancel_timer(timer_id id) noexcept override { inner_.cancel_timer(id); }
    void wait_for_post() { posted_.acquire(); }
    void run_one() {
      wait_for_post();
      inner_.step();
    }

   private:
    virtual_executor inner_;
    std::counting_semaphore<> posted_{0};
  };

  std::shared_ptr<backend> store;
  waiting_executor on{};

  explicit backend_rig(std::shared_ptr<backend> b) : store(std::move(b)) {}
  explicit backend_rig(std::string_view spec) {
    auto made = parse_backend(spec);
    REQUIRE_MESSAGE(made.has_value(), made.error());
    store = *made;
  }

  // SCT and SC of what `start(done)` completes with.
  template <class Start>
  unsigned finish(Start start) {
    std::optional<unsigned> result;
    start([&](nvme_status s) {
      REQUIRE_FALSE(result.has_value());
      result = s.raw_code();
    });
    while (!result) on.run_one();
    return *result;
  }

  unsigned write(std::uint64_t lba, const std::vector<std::byte>& data, bool durable = false) {
    return finish([&](auto done) { store->write(on, lba, data, durable, done); });
  }
  unsigned write_zeroes(std::uint64_t lba, std::uint64_t blocks, bool deallocate = false,
                        bool durable = false) {
    return finish(
        [&](auto done) { store->write_zeroes(on, lba, blocks, deallocate, durable, done); });
  }
  unsigned deallocate(std::uint64_t lba, std::uint64_t blocks) {
    return finish([&](auto done) { store->deallocate(on, lba, blocks, done); });
  }
  unsigned flush() {
    return finish([&](auto done) { store->flush(on, done); });
  }
  unsigned read(std::uint64_t lba, std::uint32_t blocks, std::vector<std::byte>& to) {
    std::optional<unsigned> result;
    store->read(on, lba, blocks, [&](nvme_status s, buffer b) {
      REQUIRE_FALSE(result.has_value());
      result = s.raw_code();
      to.assign(b.bytes().begin(), b.bytes().end());
    });
    while (!result) on.run_one();
    return *result;
  }
  std::vector<std::byte> get(std::uint64_t lba, std::uint32_t blocks) {
    std::vector<std::byte> data;
    CHECK(read(lba, blocks, data) == 0);
    return data;
  }
};

inline std::vector<std::byte> bytes(std::size_t n, unsigned seed) {
  std::vector<std::byte> v(n);
  for (std::size_t i = 0; i < n; ++i)
    v[i] = static_cast<std::byte>((i * 31 + i / 251 + seed) & 0xff);
  return v;
}
inline const std::vector<std::byte>& zeroes(std::size_t n) {
  static std::vector<std::byte> z;
  z.assign(n, std::byte{0});
  return z;
}

// A directory that goes with the test.
class scratch {
 public:
  scratch() {
    std::string name = (std::filesystem::temp_directory_path() / "nvmf-test-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~scratch() { std::filesystem::remove_all(path_); }
  std::string file(std::string_view name, std::uint64_t size) const {
    const auto p = path_ / name;
    std::FILE* f = std::fopen(p.c_str(), "w");
    REQUIRE(f != nullptr);
    std::fclose(f);
    std::filesystem::resize_file(p, size);
    return p.string();
  }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace nvmf::test
