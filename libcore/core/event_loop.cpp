// SPDX-License-Identifier: BSD-2-Clause
#include <nvmf/event_loop.hpp>

#include "reactor.hpp"

namespace nvmf {

event_loop::event_loop() : reactor_(std::make_unique<reactor>()) {}
event_loop::~event_loop() = default;
executor& event_loop::on() { return *reactor_; }
void event_loop::run() { reactor_->run(); }
void event_loop::stop() { reactor_->stop(); }

}  // namespace nvmf
