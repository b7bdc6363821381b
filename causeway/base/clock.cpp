#include "causeway/base/clock.h"

#include <array>
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
