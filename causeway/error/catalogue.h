// The catalogue: every code of ours, what it means, and what to do about it.
//
// The words are written once, in catalogue_*.cpp. From them come `causeway explain`, the failure
// report, the JSON form, docs/errors.md. An enumerator of codes.h without a row, or with two, does
// not compile. Raw facts (errno, alert, HTTP status …) have names (names.h) but no rows.

#pragma once

#include "causeway/error/codes.h"

#include <array>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace causeway {

/// Whose move it is.
enum class Move : std::uint8_t { you, administrator, operator_, network, machine };

/// What software may do about it by itself.
enum class Recovery : std::uint8_t { retry, wait_for_network, ask_user, give_up };

/// "operator", "wait-for-network".
std::string_view name_of(Move move);
std::string_view name_of(Recovery recovery);
std::optional<Move> move_named(std::string_view name);
std::optional<Recovery> recovery_named(std::string_view name);
/// Whose move it is, as the end of a sentence: "the gateway's operator".
std::string_view spoken(Move move);

/// One usual cause of a code, and how to find out whether it is this one.
struct Cause {
    std::string_view cause;
    std::string_view check;
};

/// One to four causes, the most usual first.
class Causes {
public:
    static constexpr std::size_t limit = 4;

    consteval Causes(std::initializer_list<Cause> causes) : count_(causes.size()) {
        if (causes.size() == 0 || causes.size() > limit) throw "one to four causes";
        std::size_t at = 0;
        for (const Cause& cause : causes) causes_[at++] = cause;
    }

    constexpr const Cause* begin() const { return causes_.data(); }
    constexpr const Cause* end() const { return causes_.data() + count_; }
    constexpr std::size_t size() const { return count_; }

private:
    std::array<Cause, limit> causes_{};
    std::size_t count_;
};

/// A row. All text lives as long as the program.
struct Entry {
    Domain domain;
    std::int32_t number;
    std::string_view name;  ///< As published: "serverDead", "errSSLCertExpired".
    Vpn shown_as;           ///< The VPN code the user sees when nothing better is known.
    Move move;
    Recovery recovery;
    std::string_view meaning;  ///< What happened, in one sentence.
    std::string_view remedy;   ///< What to do about it: one thing, in one sentence.
    Causes causes;

    constexpr Code code() const { return Code::raw(domain, number); }
};

/// All rows: VPN, TLS, trust, service; inside each in the order of the published list.
std::span<const Entry> catalogue();

/// The row of a code, or nothing for a raw fact.
const Entry* entry(Code code);

/// The row of that name in any case, or nothing. No two rows share a name.
const Entry* entry_named(std::string_view name);

/// The rows a person may mean by a number, VPN first: the number itself, the number without its
/// sign (9814 is -9814), or its 32 bits as a debugger shows them (0xFFFFD9AA is -9814).
std::vector<const Entry*> entries_numbered(std::int64_t number);

}  // namespace causeway
