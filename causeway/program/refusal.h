// How a daemon says on its terminal why it does not start.

#pragma once

#include "causeway/error/error.h"

#include <string_view>

namespace causeway::program {

/// On the standard error: what happened, every further fault of a file (evidence `fault_2` …), and
/// what lies underneath. Foreign text is escaped.
void print_refusal(std::string_view program, const Error& error);

}  // namespace causeway::program
