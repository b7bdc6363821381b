#include "causeway/base/clock.h"

#include <array>
#include <cstdio>
#include <ctime>
#include <string_view>
#include <utility>

namespace causeway {

WallTime wall_now() {
    return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

std::string iso8601(WallTime time) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    const std::time_t count = seconds.time_since_epoch().count();
    std::tm parts{};
    gmtime_r(&count, &parts);
    std::array<char, 40> text{};
    const auto size = std::strftime(text.data(), text.size(), "-%m-%dT%H:%M:%S", &parts);
    // %Y writes no leading zeros, and ISO 8601 wants four digits.
    std::string result = std::to_string(parts.tm_year + 1900);
    if (result.size() < 4) result.insert(0, 4 - result.size(), '0');
    result.append(text.data(), size);
    if (const auto rest = (time - seconds).count(); rest != 0) {
        const auto digits = std::to_string(1000 + rest);
        result += "." + digits.substr(1);
    }
    return result + "Z";
}

std::optional<WallTime> parse_iso8601(const std::string& text) {
    int year = 0, hour = 0, minute = 0, second = 0, milliseconds = 0, used = 0;
    unsigned month = 0, day = 0;
    const bool whole = std::sscanf(text.c_str(), "%4d-%2u-%2uT%2d:%2d:%2dZ%n", &year, &month, &day,
                                   &hour, &minute, &second, &used) == 6 &&
                       used == 20;
    const bool parts = !whole &&
                       std::sscanf(text.c_str(), "%4d-%2u-%2uT%2d:%2d:%2d.%3dZ%n", &year, &month,
                                   &day, &hour, &minute, &second, &milliseconds, &used) == 7 &&
                       used == 24;
    const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                           std::chrono::day(day)};
    const bool in_range = hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && second >= 0 &&
                          second < 61 && milliseconds >= 0;
    if ((!whole && !parts) || text.size() != std::size_t(used) || !date.ok() || !in_range)
        return std::nullopt;
    return WallTime(std::chrono::sys_days(date) + std::chrono::hours(hour) +
                    std::chrono::minutes(minute) + std::chrono::seconds(second) +
                    std::chrono::milliseconds(milliseconds));
}

std::string spoken(std::chrono::milliseconds length) {
    constexpr std::array<std::pair<std::int64_t, std::string_view>, 4> units{
        {{86'400, "day"}, {3'600, "hour"}, {60, "minute"}, {1, "second"}}};
    if (length.count() < 0) length = -length;
    auto seconds = std::chrono::floor<std::chrono::seconds>(length).count();
    if (seconds == 0) return std::to_string(length.count()) + " ms";

    std::string text;
    int written = 0;
    for (const auto& [size, name] : units) {
        const auto count = seconds / size;
        if (written == 2 || (written == 0 && count == 0)) continue;
        if (written++ == 1 && count == 0) break;
        seconds -= count * size;
        if (!text.empty()) text += " ";
        text += std::to_string(count) + " " + std::string(name) + (count == 1 ? "" : "s");
    }
    return text;
}

}  // namespace causeway
