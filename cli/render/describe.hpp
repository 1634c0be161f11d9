// SPDX-License-Identifier: BSD-2-Clause
// Tables, rows, layouts, fields and topics, as text and as JSON.
#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "catalog.hpp"
#include "render/style.hpp"

namespace nvmf::cli {

std::string describe_text(const entry& e, const style& look);
boost::json::object describe_json(const entry& e);

// Every table, layout and topic by name.
std::string catalog_text(const style& look);
boost::json::object catalog_json();

}  // namespace nvmf::cli
