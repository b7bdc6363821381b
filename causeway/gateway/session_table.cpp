#include "causeway/gateway/session_table.h"

#include "causeway/base/bytes.h"
#include "causeway/base/random.h"

#include <algorithm>
#include <utility>

namespace causeway::gateway {
namespace {

constexpr std::size_t cookie_size = 32;
constexpr std::size_t ended_limit = 10'000;

/// The two halves of a cookie: one to find the session by, one to prove the right to it.
struct CookieParts {
    std::array<std::byte, 16> name{};
    Secret proof;
};

std::optional<CookieParts> parts_of(std::string_view cookie) {
    if (cookie.size() > 64) return std::nullopt;
    auto bytes = from_base64(cookie);
    if (!bytes || bytes->size() != cookie_size) return std::nullopt;
    CookieParts parts;
    std::copy_n(bytes->begin(), parts.name.size(), parts.name.begin());
    parts.proof = Secret(std::string(as_text(ByteView(*bytes).subspan(parts.name.size()))));
    explicit_bzero(bytes->data(), bytes->size());
    return parts;
}

bool proves(const Secret& proof, const Secret& expected) {
    return equal_in_constant_time(as_bytes(proof.reveal()), as_bytes(expected.reveal()));
}

/// Counts in a map of names, without entries that are zero.
void add_to(std::map<std::string, std::size_t, std::less<>>& counts, const std::string& name,
            std::ptrdiff_t by) {
    std::size_t& count = counts[name];
    count += static_cast<std::size_t>(by);
    if (count == 0) counts.erase(name);
}

std::size_t count_of(const std::map<std::string, std::size_t, std::less<>>& counts,
                     std::string_view name) {
    const auto found = counts.find(name);
    return found == counts.end() ? 0 : found->second;
}

}  // namespace

Traffic& Traffic::operator+=(const Traffic& more) {
    packets_in += more.packets_in;
    bytes_in += more.bytes_in;
    packets_out += more.packets_out;
    bytes_out += more.bytes_out;
    return *this;
}

Traffic& Traffic::operator-=(const Traffic& part) {
    packets_in -= part.packets_in;
    bytes_in -= part.bytes_in;
    packets_out -= part.packets_out;
    bytes_out -= part.bytes_out;
    return *this;
}

SessionTable::Opened SessionTable::open(LoggedIn login, std::chrono::seconds session_timeout,
                                        Instant now, WallTime date) {
    Bytes random = random_bytes(cookie_size);
    Secret cookie(base64(random));
    explicit_bzero(random.data(), random.size());
    CookieParts parts = *parts_of(cookie.reveal());

    Session session;
    session.number = ++last_number_;
    session.user = std::move(login.user);
    session.group = login.group;
    session.group_name = std::move(login.group_name);
    session.agent = std::move(login.agent);
    session.client = login.client;
    session.opened = now;
    session.opened_at = date;
    session.away_since = now;
    if (session_timeout.count() > 0) session.ends = now + session_timeout;

    by_cookie_.emplace(parts.name, session.number);
    by_user_.emplace(session.user, session.number);
    Entry& added = sessions_
                       .emplace(last_number_, Entry{std::move(session), parts.name,
                                                    std::move(parts.proof), std::nullopt})
                       .first->second;
    schedule(added);
    return {added.session.number, std::move(cookie)};
}

Result<SessionNumber> SessionTable::find_by_cookie(std::string_view cookie, Instant now) const {
    const auto parts = parts_of(cookie);
    if (!parts) return std::unexpected(refusal(Reason::cookie_malformed));

    if (const auto found = by_cookie_.find(parts->name); found != by_cookie_.end()) {
        const Entry& entry = sessions_.at(found->second);
        if (!proves(parts->proof, entry.cookie_proof))
            return std::unexpected(refusal(Reason::cookie_unknown));
        if (entry.due && *entry.due <= now) return std::unexpected(refusal(Reason::cookie_expired));
        return entry.session.number;
    }
    const auto ended = ended_.find(parts->name);
    if (ended == ended_.end() || ended->second.until <= now ||
        !proves(parts->proof, ended->second.cookie_proof))
        return std::unexpected(refusal(Reason::cookie_unknown));
    const ReasonRow& why = row(ended->second.reason);
    return std::unexpected(refusal(Reason::cookie_expired, std::string(why.sentence),
                                   {{"ended_because", std::string(why.name)}}));
}

SessionTable::Entry* SessionTable::entry(SessionNumber number) {
    const auto found = sessions_.find(number);
    return found == sessions_.end() ? nullptr : &found->second;
}

const Session* SessionTable::find(SessionNumber number) const {
    const auto found = sessions_.find(number);
    return found == sessions_.end() ? nullptr : &found->second.session;
}

const Session* SessionTable::find_by_address(const IpAddress& inner) const {
    const auto found = by_address_.find(inner);
    return found == by_address_.end() ? nullptr : find(found->second);
}

std::vector<const Session*> SessionTable::of_user(std::string_view user) const {
    std::vector<const Session*> found;
    const auto [first, last] = by_user_.equal_range(user);
    for (auto each = first; each != last; ++each) found.push_back(find(each->second));
    return found;
}

std::vector<const Session*> SessionTable::all() const {
    std::vector<const Session*> found;
    found.reserve(sessions_.size());
    for (const auto& [number, entry] : sessions_) found.push_back(&entry.session);
    return found;
}

void SessionTable::count(const Session& session, std::ptrdiff_t by) {
    up_ += static_cast<std::size_t>(by);
    add_to(up_by_user_, session.user, by);
    add_to(up_by_group_, session.group_name, by);
}

void SessionTable::set_addresses(SessionNumber number, std::optional<IpAddress> address4,
                                 std::optional<IpAddress> address6) {
    Entry* const found = entry(number);
    if (!found || found->session.holds_address()) return;
    found->session.address4 = address4;
    found->session.address6 = address6;
    for (const auto& address : {address4, address6})
        if (address) by_address_[*address] = number;
    if (found->session.holds_address()) count(found->session, 1);
}

void SessionTable::set_hostname(SessionNumber number, std::string hostname) {
    if (Entry* const found = entry(number)) found->session.hostname = std::move(hostname);
}

std::optional<Transport> SessionTable::attach(SessionNumber number, const Transport& transport) {
    Entry* const found = entry(number);
    if (!found) return std::nullopt;
    Session& session = found->session;
    auto before = std::exchange(session.transport, transport);
    session.client = transport.client;
    session.away_since.reset();
    ++session.connects;
    schedule(*found);
    return before;
}

void SessionTable::detach(SessionNumber number, const Transport& transport, Instant now) {
    Entry* const found = entry(number);
    if (!found || found->session.transport != transport) return;
    found->session.transport.reset();
    found->session.away_since = now;
    schedule(*found);
}

void SessionTable::add(SessionNumber number, const Traffic& traffic) {
    if (Entry* const found = entry(number)) found->session.traffic += traffic;
}

/// Sets when the session ends by itself: the sooner of its end and, without a transport, the end
/// of its cookie.
void SessionTable::schedule(Entry& entry) {
    const Session& session = entry.session;
    if (entry.due) due_.erase({*entry.due, session.number});
    entry.due = session.ends;
    if (session.away_since) {
        const Instant cookie_ends = *session.away_since + cookie_timeout_;
        entry.due = entry.due ? std::min(*entry.due, cookie_ends) : cookie_ends;
    }
    if (entry.due) due_.emplace(*entry.due, session.number);
}

std::optional<Session> SessionTable::end(SessionNumber number, Reason reason, Instant now) {
    const auto found = sessions_.find(number);
    if (found == sessions_.end()) return std::nullopt;
    Entry& entry = found->second;
    if (entry.due) due_.erase({*entry.due, number});
    by_cookie_.erase(entry.cookie_name);
    const auto [first, last] = by_user_.equal_range(entry.session.user);
    by_user_.erase(
        std::find_if(first, last, [&](const auto& each) { return each.second == number; }));
    for (const auto& address : {entry.session.address4, entry.session.address6})
        if (address) by_address_.erase(*address);
    if (entry.session.holds_address()) count(entry.session, -1);

    forget_ended(now);
    const Instant until = now + cookie_timeout_;
    ended_until_.emplace(until, entry.cookie_name);
    ended_.emplace(entry.cookie_name, Ended{std::move(entry.cookie_proof), reason, until});

    Session session = std::move(entry.session);
    sessions_.erase(found);
    return session;
}

/// Makes room for one more reason: those whose time is over, and the oldest beyond the limit.
void SessionTable::forget_ended(Instant now) {
    while (!ended_until_.empty() &&
           (ended_until_.begin()->first <= now || ended_.size() >= ended_limit)) {
        ended_.erase(ended_until_.begin()->second);
        ended_until_.erase(ended_until_.begin());
    }
}

std::vector<EndedSession> SessionTable::advance(Instant now) {
    std::vector<EndedSession> ended;
    while (!due_.empty() && due_.begin()->first <= now) {
        const SessionNumber number = due_.begin()->second;
        const Session& session = sessions_.at(number).session;
        const bool time_is_up = session.ends && *session.ends <= now;
        const Reason reason = time_is_up ? Reason::session_timeout : Reason::disconnected_timeout;
        ended.push_back({*end(number, reason, now), reason});
    }
    return ended;
}

std::optional<Instant> SessionTable::deadline() const {
    if (due_.empty()) return std::nullopt;
    return due_.begin()->first;
}

std::size_t SessionTable::up_of_user(std::string_view user) const {
    return count_of(up_by_user_, user);
}

std::size_t SessionTable::up_of_group(std::string_view group_name) const {
    return count_of(up_by_group_, group_name);
}

}  // namespace causeway::gateway
