// SPDX-License-Identifier: BSD-2-Clause
// A descriptor of rdma-core's, watched on a reactor for something to read. rdma-core closes it.
#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>

#include "core/reactor.hpp"

namespace nvmf::rdma {

class watch {
 public:
  watch(reactor& on, int descriptor) : watched_(on.context()) {
    boost::system::error_code error;
    watched_.assign(descriptor, error);
    error_ = error;
  }
  watch(const watch&) = delete;
  watch& operator=(const watch&) = delete;
  ~watch() {
    if (watched_.is_open()) watched_.release();
  }
  std::error_code error() const { return error_; }

  // Once, when there is something. `then` is destroyed unrun when this goes first.
  template <class Then>
  void wait(Then then) {
    watched_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                        [then = std::move(then)](const boost::system::error_code& error) mutable {
                          if (!error) then();
                        });
  }

 private:
  boost::asio::posix::stream_descriptor watched_;
  std::error_code error_;
};

}  // namespace nvmf::rdma
