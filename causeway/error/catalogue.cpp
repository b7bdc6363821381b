#include "causeway/error/catalogue.h"

#include "causeway/base/text.h"
#include "causeway/error/catalogue_rows.h"

#include <cstdlib>
#include <limits>

namespace causeway {
namespace {

constexpr auto moves =
    std::to_array<std::string_view>({"you", "administrator", "operator", "network", "machine"});
constexpr auto spoken_moves = std::to_array<std::string_view>(
    {"you", "an administrator of this machine or account", "the gateway's operator",
     "whoever runs the network between", "this machine and whoever maintains it"});
constexpr auto recoveries =
    std::to_array<std::string_view>({"retry", "wait-for-network", "ask-user", "give-up"});

template <typename Enum, std::size_t count>
std::optional<Enum> named(const std::array<std::string_view, count>& names, std::string_view name) {
    const auto found = std::ranges::find(names, name);
    if (found == names.end()) return std::nullopt;
    return static_cast<Enum>(found - names.begin());
}

/// VPN, TLS, trust, service; the smaller number first, its sign apart, as the lists are published.
bool comes_before(const Entry& a, const Entry& b) {
    if (a.domain != b.domain) return a.domain < b.domain;
    return std::abs(a.number) < std::abs(b.number);
}

// A code of the channel without a row: counted here, because its rows are in several files.
static_assert(decltype(rows::tls_certificate())::extent + decltype(rows::tls_handshake())::extent +
                  decltype(rows::tls_transport())::extent + decltype(rows::tls_peer())::extent +
                  decltype(rows::tls_policy())::extent ==
              rows::enumerators_from<Tls, -9899, 100>());

std::vector<Entry> gathered() {
    const std::initializer_list<std::span<const Entry>> parts = {
        rows::vpn(),      rows::tls_certificate(), rows::tls_handshake(), rows::tls_transport(),
        rows::tls_peer(), rows::tls_policy(),      rows::trust(),         rows::service()};
    std::vector<Entry> all;
    for (const auto part : parts) all.insert(all.end(), part.begin(), part.end());
    std::ranges::sort(all, comes_before);
    return all;
}

}  // namespace

std::string_view name_of(Move move) { return moves.at(static_cast<std::size_t>(move)); }
std::string_view name_of(Recovery recovery) {
    return recoveries.at(static_cast<std::size_t>(recovery));
}
std::optional<Move> move_named(std::string_view name) { return named<Move>(moves, name); }
std::optional<Recovery> recovery_named(std::string_view name) {
    return named<Recovery>(recoveries, name);
}
std::string_view spoken(Move move) { return spoken_moves.at(static_cast<std::size_t>(move)); }

std::span<const Entry> catalogue() {
    static const std::vector<Entry> all = gathered();
    return all;
}

const Entry* entry(Code code) {
    const auto found =
        std::ranges::find_if(catalogue(), [&](const Entry& row) { return row.code() == code; });
    return found == catalogue().end() ? nullptr : &*found;
}

const Entry* entry_named(std::string_view name) {
    const auto found = std::ranges::find_if(
        catalogue(), [&](const Entry& row) { return equals_ignoring_case(row.name, name); });
    return found == catalogue().end() ? nullptr : &*found;
}

std::vector<const Entry*> entries_numbered(std::int64_t number) {
    constexpr std::int64_t two_to_32 = std::int64_t{1} << 32;
    constexpr std::int64_t signed_limit = std::numeric_limits<std::int32_t>::max();
    const bool unsigned_32 = number > signed_limit && number < two_to_32;
    const std::int64_t wanted = unsigned_32 ? number - two_to_32 : number;

    std::vector<const Entry*> found;
    for (const Entry& row : catalogue())
        if (row.number == wanted || (wanted > 0 && row.number == -wanted)) found.push_back(&row);
    return found;
}

}  // namespace causeway
