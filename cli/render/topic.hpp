// SPDX-License-Identifier: BSD-2-Clause
// A topic as text for people and as JSON.
#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "render/style.hpp"
#include "wire/topic.hpp"

namespace nvmf::cli {

std::string topic_text(const wire::topic& t, const style& look);
boost::json::object topic_json(const wire::topic& t);

}  // namespace nvmf::cli
