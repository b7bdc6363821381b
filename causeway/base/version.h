// The version of this build, as CMakeLists.txt says it.

#pragma once

#include <string_view>

namespace causeway {

inline constexpr std::string_view version = CAUSEWAY_VERSION;

}  // namespace causeway
