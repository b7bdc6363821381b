// What the files of rows (catalogue_*.cpp) share: making a row, and proof that none is missing.

#pragma once

#include "causeway/error/catalogue.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <type_traits>
#include <utility>

namespace causeway::rows {

constexpr Domain domain_of(Vpn) { return Domain::vpn; }
constexpr Domain domain_of(Tls) { return Domain::tls; }
constexpr Domain domain_of(Trust) { return Domain::trust; }
constexpr Domain domain_of(Service) { return Domain::service; }

/// The enumerator as it is spelled in the source.
template <auto enumerator>
consteval std::string_view spelling() {
    const std::string_view signature = __PRETTY_FUNCTION__;
    const auto end = signature.find_first_of(";]", signature.find("enumerator = "));
    const auto start = signature.rfind(':', end) + 1;
    return signature.substr(start, end - start);
}

template <auto code>
consteval Entry row(Vpn shown_as, Move move, Recovery recovery, std::string_view meaning,
                    std::string_view remedy, Causes causes) {
    return {domain_of(code),
            std::to_underlying(code),
            spelling<code>(),
            shown_as,
            move,
            recovery,
            meaning,
            remedy,
            causes};
}

/// A row of the connection's own vocabulary: shown as itself.
template <Vpn code>
consteval Entry row(Move move, Recovery recovery, std::string_view meaning, std::string_view remedy,
                    Causes causes) {
    return row<code>(code, move, recovery, meaning, remedy, causes);
}

template <typename Vocabulary, Vocabulary... codes>
consteval std::string_view spellings() {
    return __PRETTY_FUNCTION__;
}

/// How many of these numbers are enumerators of Vocabulary: the compiler spells the others as a
/// cast, "(causeway::Vpn)20".
template <typename Vocabulary, std::int32_t... numbers>
consteval std::size_t enumerators() {
    const auto text = spellings<Vocabulary, static_cast<Vocabulary>(numbers)...>();
    const auto list = text.substr(text.rfind("codes = "));
    return sizeof...(numbers) - static_cast<std::size_t>(std::ranges::count(list, '('));
}

/// How many enumerators of Vocabulary lie in [first, first + count).
template <typename Vocabulary, std::int32_t first, std::size_t count>
consteval std::size_t enumerators_from() {
    return []<std::int32_t... offset>(std::integer_sequence<std::int32_t, offset...>) {
        return enumerators<Vocabulary, (first + offset)...>();
    }(std::make_integer_sequence<std::int32_t, static_cast<std::int32_t>(count)>());
}

/// True when no code has two rows.
template <std::size_t count>
consteval bool all_differ(const std::array<Entry, count>& rows) {
    for (std::size_t a = 0; a < count; ++a)
        for (std::size_t b = a + 1; b < count; ++b)
            if (rows[a].number == rows[b].number) return false;
    return true;
}

/// The files of rows; each says how many it has, so that catalogue.cpp can count all while it is
/// compiled.
std::span<const Entry, 19> vpn();
std::span<const Entry, 11> tls_certificate();
std::span<const Entry, 18> tls_handshake();
std::span<const Entry, 15> tls_transport();
std::span<const Entry, 23> tls_peer();
std::span<const Entry, 7> tls_policy();
std::span<const Entry, 38> trust();
std::span<const Entry, 10> service();

}  // namespace causeway::rows
