// Time: the monotonic clock that deadlines are measured on, and the wall clock that people read.

#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace causeway {

/// Deadlines, intervals, timeouts. Never goes backwards, says nothing about the date.
using Clock = std::chrono::steady_clock;
using Instant = Clock::time_point;

/// Dates: certificates, incidents, logs.
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;

/// The date and time now.
WallTime wall_now();

/// "2026-11-20T20:58:00.123Z"; without the milliseconds when they are zero.
std::string iso8601(WallTime time);
/// What `iso8601` has written; nothing for anything else.
std::optional<WallTime> parse_iso8601(const std::string& text);

/// A length of time as people say it, rounded down to its two largest units: "3 days 4 hours",
/// "90 ms". Negative lengths are given without their sign.
std::string spoken(std::chrono::milliseconds length);

}  // namespace causeway
