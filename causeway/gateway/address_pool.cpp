#include "causeway/gateway/address_pool.h"

#include "causeway/gateway/reasons.h"

#include <algorithm>

namespace causeway::gateway {
namespace {

constexpr std::uint64_t largest_pool = std::uint64_t{1} << 63;
/// Addresses remembered for users who are away, beside those that are leased.
constexpr std::size_t remembered_limit = 100'000;

/// The last eight bytes of an address as a number. Two addresses of one pool differ there as far
/// as the pool's size goes.
std::uint64_t low_part(const IpAddress& address) {
    std::uint64_t number = 0;
    const ByteView bytes = address.bytes();
    for (const std::byte byte : bytes.last(std::min<std::size_t>(8, bytes.size())))
        number = number << 8 | std::to_integer<std::uint64_t>(byte);
    return number;
}

bool same_high_part(const IpAddress& a, const IpAddress& b) {
    if (a.family() != b.family()) return false;
    if (a.is_v4()) return true;
    return std::ranges::equal(a.bytes().first(8), b.bytes().first(8));
}

/// How many addresses lie between, both ends counted, as far as their last eight bytes reach.
std::uint64_t count_between(const IpAddress& first, const IpAddress& last) {
    if (!same_high_part(first, last)) return std::min(largest_pool, ~low_part(first));
    return std::min(largest_pool - 1, low_part(last) - low_part(first)) + 1;
}

/// FNV-1a with a last mixing: the same for a name in every run and on every machine.
std::uint64_t stable_hash(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char c : text) {
        hash ^= static_cast<unsigned char>(c);
        hash *= 0x100000001b3;
    }
    hash ^= hash >> 33;
    hash *= 0xff51afd7ed558ccd;
    hash ^= hash >> 33;
    return hash;
}

}  // namespace

AddressPool::AddressPool(const Pool& pool)
    : pool_(pool), size_(count_between(pool.first, pool.last)) {}

std::optional<AddressPool::Offset> AddressPool::offset_of(const IpAddress& address) const {
    if (!same_high_part(address, pool_.first)) return std::nullopt;
    const Offset offset = low_part(address) - low_part(pool_.first);
    if (low_part(address) < low_part(pool_.first) || offset >= size_) return std::nullopt;
    return offset;
}

IpAddress AddressPool::address_at(Offset offset) const {
    Bytes bytes = copy(pool_.first.bytes());
    std::uint64_t number = low_part(pool_.first) + offset;
    for (auto at = bytes.size(); at-- > bytes.size() - std::min<std::size_t>(8, bytes.size());) {
        bytes[at] = static_cast<std::byte>(number & 0xff);
        number >>= 8;
    }
    return *IpAddress::from_bytes(bytes);
}

Result<IpAddress> AddressPool::lease(std::string_view user) {
    if (const auto before = remembered(user)) return take(*before, user);
    if (const auto fresh = unclaimed_from(stable_hash(user) % size_)) return take(*fresh, user);
    if (!away_.empty()) return take(away_.front(), user);
    return std::unexpected(
        refusal(Reason::pool_empty, {},
                {{"pool", pool_.network.text()}, {"addresses", std::to_string(size_)}}));
}

bool AddressPool::lease_again(const IpAddress& address, std::string_view user) {
    const auto offset = offset_of(address);
    if (!offset || is_leased(address)) return false;
    take(*offset, user);
    return true;
}

bool AddressPool::is_leased(const IpAddress& address) const {
    const auto offset = offset_of(address);
    if (!offset) return false;
    const auto found = claims_.find(*offset);
    return found != claims_.end() && found->second.leased;
}

void AddressPool::release(const IpAddress& address) {
    if (!is_leased(address)) return;
    const Offset offset = *offset_of(address);
    Claim& claim = claims_.at(offset);
    claim.leased = false;
    claim.away = away_.insert(away_.end(), offset);
    --leased_;
    if (away_.size() > remembered_limit) forget(away_.front());
}

/// The address that the user had last, among those that are free.
std::optional<AddressPool::Offset> AddressPool::remembered(std::string_view user) const {
    const auto [first, last] = by_user_.equal_range(user);
    for (auto each = first; each != last; ++each)
        if (!claims_.at(each->second).leased) return each->second;
    return std::nullopt;
}

/// The first offset from `start` on that nobody has or had, going round at the end.
std::optional<AddressPool::Offset> AddressPool::unclaimed_from(Offset start) const {
    for (const Offset from : {start, Offset{0}}) {
        Offset candidate = from;
        const auto after = claimed_runs_.upper_bound(candidate);
        if (after != claimed_runs_.begin()) {
            const auto& [run_first, run_last] = *std::prev(after);
            if (candidate <= run_last) candidate = run_last + 1;
        }
        if (candidate < size_) return candidate;
    }
    return std::nullopt;
}

IpAddress AddressPool::take(Offset offset, std::string_view user) {
    if (const auto found = claims_.find(offset); found != claims_.end()) {
        if (found->second.user != user) forget(offset);
    }
    if (const auto found = claims_.find(offset); found != claims_.end()) {
        away_.erase(found->second.away);
        found->second.leased = true;
    } else {
        claims_.emplace(offset, Claim{std::string(user), true, away_.end()});
        by_user_.emplace(user, offset);
        claim(offset);
    }
    ++leased_;
    return address_at(offset);
}

/// Adds the offset to the runs, joining its neighbours.
void AddressPool::claim(Offset offset) {
    Offset first = offset;
    Offset last = offset;
    const auto after = claimed_runs_.upper_bound(offset);
    if (after != claimed_runs_.end() && after->first == offset + 1) last = after->second;
    if (after != claimed_runs_.begin()) {
        const auto before = std::prev(after);
        if (before->second + 1 == offset) first = before->first;
    }
    if (last != offset) claimed_runs_.erase(offset + 1);
    claimed_runs_[first] = last;
}

/// Forgets who had a free address, so that it is anybody's.
void AddressPool::forget(Offset offset) {
    const auto found = claims_.find(offset);
    const auto [first, last] = by_user_.equal_range(found->second.user);
    by_user_.erase(
        std::find_if(first, last, [&](const auto& each) { return each.second == offset; }));
    away_.erase(found->second.away);
    claims_.erase(found);

    const auto run = std::prev(claimed_runs_.upper_bound(offset));
    const auto [run_first, run_last] = *run;
    claimed_runs_.erase(run);
    if (run_first < offset) claimed_runs_[run_first] = offset - 1;
    if (offset < run_last) claimed_runs_[offset + 1] = run_last;
}

}  // namespace causeway::gateway
