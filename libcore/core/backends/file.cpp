// SPDX-License-Identifier: BSD-2-Clause
// file:PATH[,ro]. A regular file or a block device, read and written by a few threads of its own so
// that a slow disk holds up nobody else. What was acknowledged is in the file (the page cache): it
// survives this process. Flush and FUA bring it to the disk.
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <mutex>
#include <nvmf/backend.hpp>
#include <optional>
#include <shared_mutex>

#include "block_pool.hpp"
#include "spec.hpp"
#include "worker_pool.hpp"

namespace nvmf {
namespace {

using wire::status_code;

constexpr std::size_t threads_max = 4;
constexpr std::uint64_t lock_bytes = 65536;
constexpr std::size_t lock_count = 64;
constexpr std::size_t zero_piece_bytes = std::size_t{1} << 20;

// In place of an errno: the file ends before the range. Somebody cut it short.
constexpr int cut_short = -1;
// Between two words about operations of a kind that go on failing.
constexpr std::chrono::seconds quiet_for{10};

// What an errno of the file means to the host.
nvme_status status_of(int error, bool writing) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return {status_code::capacity_exceeded, true};
    case EROFS:
    case EPERM:
    case EBADF:
      if (writing) return {status_code::namespace_is_write_protected, true};
      return status_code::access_denied;
    case EACCES:
      return status_code::access_denied;
    case ENOMEM:
    case EAGAIN:
      return status_code::internal_error;  // may pass: no DNR
    default:
      return writing ? status_code::write_fault : status_code::unrecovered_read_error;
  }
}

std::string text_of(int error) {
  if (error == cut_short) return "the file ends before, it was cut short";
  return std::generic_category().message(error);
}

class file_descriptor {
 public:
  explicit file_descriptor(int fd) : fd_(fd) {}
  file_descriptor(file_descriptor&& o) noexcept : fd_(std::exchange(o.fd_, -1)) {}
  ~file_descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

// Holds the stripes of a range, so that a block is read as one write left it.
class range_lock {
 public:
  using locks = std::array<std::shared_mutex, lock_count>;
  range_lock(locks& all, std::uint64_t offset, std::uint64_t size, bool exclusive)
      : all_(all), exclusive_(exclusive) {
    const std::uint64_t first = offset / lock_bytes, last = (offset + size - 1) / lock_bytes;
    for (std::uint64_t s = first; s <= last && s - first < lock_count; ++s)
      held_[s % lock_count] = true;
    // In ascending order, so that two ranges cannot wait for each other.
    for (std::size_t i = 0; i < lock_count; ++i)
      if (held_[i]) exclusive_ ? all_[i].lock() : all_[i].lock_shared();
  }
  ~range_lock() {
    for (std::size_t i = 0; i < lock_count; ++i)
      if (held_[i]) exclusive_ ? all_[i].unlock() : all_[i].unlock_shared();
  }
  range_lock(const range_lock&) = delete;
  range_lock& operator=(const range_lock&) = delete;

 private:
  locks& all_;
  std::array<bool, lock_count> held_{};
  bool exclusive_;
};

enum class work : std::uint8_t { read, write, write_zeroes, deallocate, flush };
constexpr std::array<std::string_view, 5> work_names{"read", "write", "write zeroes", "deallocate",
                                                     "flush"};

class file;

// One command on its way through the threads.
class file_job final : public worker_job {
 public:
  void run() noexcept override;
  void finish();

  std::shared_ptr<file> owner;  // alive until the callback has run
  executor* on = nullptr;
  work what = work::flush;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::span<const std::byte> data;
  bool durable = false;
  bool deallocate = false;
  pooled_block block;
  backend::read_callback on_read;
  backend::done_callback on_done;
  nvme_status result{};
};
using job_ptr = std::unique_ptr<file_job>;

class file final : public backend, public std::enable_shared_from_this<file> {
 public:
  file(std::string path, file_descriptor fd, backend_geometry geometry, bool regular)
      : path_(std::move(path)),
        fd_(std::move(fd)),
        geometry_(geometry),
        regular_(regular),
        workers_(threads_max) {}

  backend_geometry geometry() const override { return geometry_; }
  std::string describe() const override {
    return fmt::format("file:{}{}{}", path_, geometry_.read_only ? ",ro" : "",
                       geometry_.block_size == 512 ? "" : ",bs=4096");
  }

  void read(executor& on, std::uint64_t lba, std::uint32_t blocks, read_callback done) override {
    job_ptr job = make_job(on, work::read, lba, blocks);
    job->block = pooled_block(job->size);
    if (!job->block) return done(no_memory, {});
    job->on_read = std::move(done);
    workers_.submit(*job.release());
  }
  void write(executor& on, std::uint64_t lba, std::span<const std::byte> data, bool durable,
             done_callback done) override {
    job_ptr job = make_job(on, work::write, lba, data.size() / geometry_.block_size);
    job->data = data;
    job->durable = durable;
    job->on_done = std::move(done);
    workers_.submit(*job.release());
  }
  void write_zeroes(executor& on, std::uint64_t lba, std::uint64_t blocks, bool deallocate,
                    bool durable, done_callback done) override {
    job_ptr job = make_job(on, work::write_zeroes, lba, blocks);
    job->deallocate = deallocate;
    job->durable = durable;
    job->on_done = std::move(done);
    workers_.submit(*job.release());
  }
  void deallocate(executor& on, std::uint64_t lba, std::uint64_t blocks,
                  done_callback done) override {
    job_ptr job = make_job(on, work::deallocate, lba, blocks);
    job->on_done = std::move(done);
    workers_.submit(*job.release());
  }
  void flush(executor& on, done_callback done) override {
    job_ptr job = make_job(on, work::flush, 0, 0);
    job->on_done = std::move(done);
    workers_.submit(*job.release());
  }

  void on_trouble(std::function<void(std::string_view)> tell) override {
    const std::scoped_lock hold(trouble_lock_);
    tell_ = std::move(tell);
  }

  // On a worker's thread.
  nvme_status perform(file_job& job);
  // Back for the next command.
  void recycle(job_ptr job);

 private:
  job_ptr make_job(executor& on, work what, std::uint64_t lba, std::uint64_t blocks);
  int carry_out(file_job& job);
  void tell(const file_job& job, int error, nvme_status told);
  int read_all(std::span<std::byte> to, std::uint64_t offset);
  int write_all(std::span<const std::byte> from, std::uint64_t offset);
  int check_end(std::uint64_t end) const;
  int zero(std::uint64_t offset, std::uint64_t size, bool deallocate);
  int write_zero_bytes(std::uint64_t offset, std::uint64_t size);

  static constexpr std::size_t spare_max = 256;
  std::string path_;
  file_descriptor fd_;
  backend_geometry geometry_;
  bool regular_;  // and no block device, whose size stays
  range_lock::locks locks_;
  std::mutex spare_lock_;
  std::vector<job_ptr> spare_;

  // Of one kind of operation: when its failure was told last, and what was not told since.
  struct told_trouble {
    std::optional<time_point> at;
    std::uint64_t untold = 0;
  };
  std::mutex trouble_lock_;
  std::function<void(std::string_view)> tell_;
  std::array<told_trouble, work_names.size()> told_;
  worker_pool workers_;  // last: its threads use all of the above
};

void file_job::run() noexcept {
  result = owner->perform(*this);
  // The closure owns the job: should the executor never run it, the job goes with it.
  on->post([job = job_ptr(this)]() mutable {
    const std::shared_ptr<file> keep = std::move(job->owner);
    job->finish();
    keep->recycle(std::move(job));
  });
}

void file_job::finish() {
  if (what != work::read) return std::exchange(on_done, nullptr)(result);
  pooled_block b = std::move(block);
  std::exchange(on_read, nullptr)(result, result.ok() ? std::move(b).into_buffer() : buffer{});
}

job_ptr file::make_job(executor& on, work what, std::uint64_t lba, std::uint64_t blocks) {
  job_ptr job;
  {
    const std::scoped_lock hold(spare_lock_);
    if (!spare_.empty()) {
      job = std::move(spare_.back());
      spare_.pop_back();
    }
  }
  if (job == nullptr) job = std::make_unique<file_job>();
  job->owner = shared_from_this();
  job->on = &on;
  job->what = what;
  job->offset = lba * geometry_.block_size;
  job->size = blocks * geometry_.block_size;
  job->durable = job->deallocate = false;
  return job;
}

void file::recycle(job_ptr job) {
  const std::scoped_lock hold(spare_lock_);
  if (spare_.size() < spare_max) spare_.push_back(std::move(job));
}

int file::read_all(std::span<std::byte> to, std::uint64_t offset) {
  while (!to.empty()) {
    const auto n = ::pread(fd_.get(), to.data(), to.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    if (n == 0) return cut_short;
    to = to.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return 0;
}

int file::write_all(std::span<const std::byte> from, std::uint64_t offset) {
  while (!from.empty()) {
    const auto n = ::pwrite(fd_.get(), from.data(), from.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    if (n == 0) return EIO;
    from = from.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return 0;
}

int file::write_zero_bytes(std::uint64_t offset, std::uint64_t size) {
  const pooled_block zeroes(std::min<std::uint64_t>(size, zero_piece_bytes));
  if (!zeroes) return ENOMEM;
  std::ranges::fill(zeroes.bytes(), std::byte{0});
  while (size > 0) {
    const auto n = std::min<std::uint64_t>(size, zeroes.bytes().size());
    if (const int error = write_all(zeroes.bytes().first(n), offset); error != 0) return error;
    offset += n;
    size -= n;
  }
  return 0;
}

// A write must not make a file longer again that was cut short: what was lost between would read as
// zeroes, as if nothing had happened.
int file::check_end(std::uint64_t end) const {
  if (!regular_) return 0;
  struct stat st{};
  if (::fstat(fd_.get(), &st) != 0) return errno;
  return static_cast<std::uint64_t>(st.st_size) >= end ? 0 : cut_short;
}

int file::zero(std::uint64_t offset, std::uint64_t size, bool deallocate) {
  const int mode = FALLOC_FL_KEEP_SIZE | (deallocate ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE);
  if (::fallocate(fd_.get(), mode, static_cast<off_t>(offset), static_cast<off_t>(size)) == 0)
    return 0;
  return write_zero_bytes(offset, size);
}

int file::carry_out(file_job& job) {
  const range_lock hold(locks_, job.offset, job.size, job.what != work::read);
  if (job.what != work::read)
    if (const int error = check_end(job.offset + job.size); error != 0) return error;
  switch (job.what) {
    case work::read:
      return read_all(job.block.bytes(), job.offset);
    case work::write:
      return write_all(job.data, job.offset);
    case work::write_zeroes:
      return zero(job.offset, job.size, job.deallocate && geometry_.deallocates);
    case work::deallocate:
      // A hint: where the file system cannot punch holes, nothing is promised of the blocks.
      if (geometry_.deallocates &&
          ::fallocate(fd_.get(), FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE,
                      static_cast<off_t>(job.offset), static_cast<off_t>(job.size)) != 0)
        return errno;
      return 0;
    case work::flush:
      return 0;
  }
  return 0;
}

nvme_status file::perform(file_job& job) {
  int error = job.size > 0 ? carry_out(job) : 0;
  const bool sync = job.durable || job.what == work::flush;
  if (error == 0 && sync && !geometry_.read_only && ::fdatasync(fd_.get()) != 0) error = errno;
  if (error == 0) return {};
  const nvme_status status = status_of(error, job.what != work::read);
  tell(job, error, status);
  return status;
}

void file::tell(const file_job& job, int error, nvme_status status) {
  const std::scoped_lock hold(trouble_lock_);
  if (!tell_) return;
  told_trouble& told = told_[static_cast<std::size_t>(job.what)];
  const time_point now = clock::now();
  if (told.at && now - *told.at < quiet_for) {
    ++told.untold;
    return;
  }
  const std::string where = job.size == 0
                                ? std::string{}
                                : fmt::format(" of {} bytes at offset {}", job.size, job.offset);
  const std::string more =
      told.untold == 0 ? std::string{} : fmt::format(" ({} more meanwhile)", told.untold);
  told = {now, 0};
  tell_(fmt::format("{}: {}{} failed: {}; the host gets {}{}", path_,
                    work_names[static_cast<std::size_t>(job.what)], where, text_of(error),
                    to_text(status), more));
}

std::unexpected<std::string> system_error(std::string_view path, std::string_view what, int error) {
  return std::unexpected(
      fmt::format("{}: {}: {}", path, what, std::generic_category().message(error)));
}

// Can holes be punched here? Asked beyond the end, where there is nothing to lose.
bool punches_holes(int fd, std::uint64_t size, std::uint32_t block_size, bool regular) {
  if (!regular) return true;
  return ::fallocate(fd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, static_cast<off_t>(size),
                     block_size) == 0;
}

}  // namespace

std::expected<std::shared_ptr<backend>, std::string> make_file_backend(std::string path,
                                                                       std::uint32_t block_size,
                                                                       bool read_only) {
  // A FIFO must not hold the program up while it waits for its other end.
  file_descriptor fd(
      ::open(path.c_str(), (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0 && errno == ENOENT)
    return std::unexpected(
        fmt::format("{}: there is no such file, make it first (truncate -s 64M {})", path, path));
  if (fd.get() < 0) return system_error(path, "cannot be opened", errno);
  struct stat st{};
  if (::fstat(fd.get(), &st) != 0) return system_error(path, "cannot be examined", errno);
  const bool regular = S_ISREG(st.st_mode);
  std::uint64_t size = static_cast<std::uint64_t>(st.st_size);
  if (S_ISBLK(st.st_mode)) {
    if (::ioctl(fd.get(), BLKGETSIZE64, &size) != 0)
      return system_error(path, "its size is not known", errno);
  } else if (!regular) {
    return std::unexpected(fmt::format("{}: must be a regular file or a block device", path));
  }
  if (auto ok = check_size(size, block_size); !ok)
    return std::unexpected(fmt::format("{}: {}", path, ok.error()));
  const backend_geometry geometry{size / block_size, block_size, read_only,
                                  !read_only && punches_holes(fd.get(), size, block_size, regular)};
  return std::make_shared<file>(std::move(path), std::move(fd), geometry, regular);
}

}  // namespace nvmf
