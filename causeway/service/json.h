// JSON as this layer speaks it: what comes is sought by name, and what is said keeps its order.

#pragma once

#include <nlohmann/json.hpp>

namespace causeway::service {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

}  // namespace causeway::service
