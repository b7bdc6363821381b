#pragma once

#include <nlohmann/json.hpp>

#include <concepts>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

namespace causeway {

/// The whole number that `value` holds. The JSON library's `get<int>()` takes 1e79 for an int,
/// which is undefined, and cuts what is too long for the type; this one does neither.
/// @throws std::out_of_range when `value` is no whole number or does not fit `Number`.
template <std::integral Number, typename Json>
Number json_integer(const Json& value) {
    const auto fitting = [](auto number) {
        if (!std::in_range<Number>(number))
            throw std::out_of_range("the number " + std::to_string(number) + " is out of range");
        return static_cast<Number>(number);
    };
    if (value.is_number_unsigned()) return fitting(value.template get<std::uint64_t>());
    if (value.is_number_integer()) return fitting(value.template get<std::int64_t>());
    throw std::out_of_range("not a whole number: " + value.dump(-1, ' ', true).substr(0, 40));
}

}  // namespace causeway
