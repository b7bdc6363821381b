// What travels over D-Bus, as the JSON that the control socket speaks, and back.
//
//     a{sv} <-> object     s <-> text     x <-> whole number     b <-> true, false     av <-> list
//
// So both faces have one reader of configurations, with the same faults at the same paths.

#pragma once

#include "causeway/error/error.h"

#include <sdbus-c++/Message.h>
#include <nlohmann/json.hpp>

namespace causeway::service {

/// Reads the a{sv} that comes next. Any width of number, any list (as, ai, aa{sv}, av) and object
/// paths as text are understood. What JSON has no word for (descriptors, structures, keys that are
/// no text) stays as something that no field accepts, so that it is refused where it stands. Fails
/// with PARAMETER_ERROR where the limits of a request are exceeded.
Result<nlohmann::json> json_from(sdbus::Message& message);

/// Appends an object as a{sv}: texts as s, whole numbers as x, other numbers as d, lists as av,
/// objects as a{sv}; null is left out.
void append_json(sdbus::Message& message, const nlohmann::ordered_json& object);

}  // namespace causeway::service
