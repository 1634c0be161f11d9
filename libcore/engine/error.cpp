// SPDX-License-Identifier: BSD-2-Clause
#include <nvmf/error.hpp>
#include <string>

namespace nvmf {
namespace {

class category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "nvmf"; }
  std::string message(int value) const override {
    switch (static_cast<errc>(value)) {
      case errc::aborted:
        return "aborted on this side";
      case errc::busy:
        return "in use";
      case errc::invalid_argument:
        return "a parameter is out of its range";
      case errc::out_of_range:
        return "offset or length is beyond the command's data";
      case errc::no_transport:
        return "no transport of that type is registered";
      case errc::transport_refused:
        return "every transport of that type declined";
      case errc::queue_full:
        return "all command slots are taken";
      case errc::closed:
        return "the peer closed the connection";
      case errc::reset:
        return "the peer reset the connection or closed it in the middle of a PDU";
      case errc::terminated:
        return "the peer terminated the connection with a TermReq";
      case errc::protocol_violation:
        return "the peer broke the protocol";
      case errc::data_digest:
        return "data digest mismatch";
      case errc::data_incomplete:
        return "the command completed before all of its data had arrived";
      case errc::timed_out:
        return "no answer in time";
      case errc::limit_exceeded:
        return "a limit was reached";
      case errc::not_supported:
        return "not supported by this transport";
      case errc::wrong_role:
        return "a call for the other role of the qpair";
      case errc::controller_fatal:
        return "the controller reports a fatal error (CSTS.CFS)";
      case errc::refused:
        return "the controller answered with an error status";
    }
    return "unknown error";
  }
};

}  // namespace

const std::error_category& error_category() noexcept {
  static const category instance;
  return instance;
}

}  // namespace nvmf
