// SPDX-License-Identifier: BSD-2-Clause
// A disk in virtual time: each operation is done a while after it was asked for, by the ram backend
// below. What is borrowed from the caller is looked at no sooner than that.
#pragma once

#include <nvmf/backend.hpp>

#include "faults.hpp"
#include "sabotage.hpp"

namespace nvmf::sim {

class slow_backend final : public backend {
 public:
  slow_backend(std::shared_ptr<backend> store, chance& luck, saboteur& sabotage, duration most)
      : store_(std::move(store)), luck_(luck), sabotage_(sabotage), most_(most) {}

  backend_geometry geometry() const override { return store_->geometry(); }
  std::string describe() const override { return "slow " + store_->describe(); }

  void read(executor& on, std::uint64_t lba, std::uint32_t blocks, read_callback done) override {
    later(on, [this, &on, lba, blocks, d = std::move(done)]() mutable {
      store_->read(on, lba, blocks, std::move(d));
    });
  }
  void write(executor& on, std::uint64_t lba, std::span<const std::byte> data, bool durable,
             done_callback done) override {
    later(on, [this, &on, lba, data, durable, d = std::move(done)]() mutable {
      if (sabotage_.now(crime::lose_write, 3)) return d({});
      store_->write(on, lba, data, durable, std::move(d));
    });
  }
  void write_zeroes(executor& on, std::uint64_t lba, std::uint64_t blocks, bool deallocate,
                    bool durable, done_callback done) override {
    later(on, [this, &on, lba, blocks, deallocate, durable, d = std::move(done)]() mutable {
      store_->write_zeroes(on, lba, blocks, deallocate, durable, std::move(d));
    });
  }
  void deallocate(executor& on, std::uint64_t lba, std::uint64_t blocks,
                  done_callback done) override {
    later(on, [this, &on, lba, blocks, d = std::move(done)]() mutable {
      store_->deallocate(on, lba, blocks, std::move(d));
    });
  }
  void flush(executor& on, done_callback done) override {
    later(on, [this, &on, d = std::move(done)]() mutable { store_->flush(on, std::move(d)); });
  }

 private:
  void later(executor& on, task work) {
    const duration wait(luck_.between(0, static_cast<std::uint64_t>(most_.count())));
    if (wait.count() == 0) return work();
    on.start_timer(on.now() + wait, std::move(work));
  }

  std::shared_ptr<backend> store_;
  chance& luck_;
  saboteur& sabotage_;
  duration most_;
};

}  // namespace nvmf::sim
