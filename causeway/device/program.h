// Running another program: no shell, a time limit, and its words kept.

#pragma once

#include "causeway/error/error.h"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace causeway::device {

/// Runs a program by its path with a plain environment, feeds it `input` and waits for its end.
/// Fails with the errno of starting it, ETIMEDOUT (it was killed), or process/STATUS (ended with
/// another status than 0; minus the signal when it was killed), with evidence `program` and
/// `output` (its first words).
Result<void> run_program(const std::vector<std::string>& arguments, std::string_view input,
                         std::chrono::milliseconds timeout);

}  // namespace causeway::device
