// The sessions of the gateway: by number, by cookie, by user, by inner address.
//
// A session begins with a login, gets its addresses with the first CONNECT, may lose its
// connection and get another, and ends for one reason. Pure data with the time as an argument.
// Not for use by two threads at once; hot counters stay with the connection and are added when
// somebody asks.
//
//     open --(first CONNECT)--> up <--(CONNECT with the cookie)--> away --(cookie_timeout)--> ended
//       '--(cookie_timeout)--> ended        \__ session_timeout, idle, administrator … --> ended

#pragma once

#include "causeway/base/address.h"
#include "causeway/base/clock.h"
#include "causeway/base/secret.h"
#include "causeway/error/error.h"
#include "causeway/gateway/reasons.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace causeway::gateway {

/// Never given twice while the gateway runs; shown to people as a decimal number.
using SessionNumber = std::uint64_t;

/// The connection that carries a session now. The gateway's runtime gives the numbers their
/// meaning.
struct Transport {
    std::size_t shard = 0;
    std::uint64_t connection = 0;
    Endpoint client;  ///< Outer address.
    bool operator==(const Transport&) const = default;
};

struct Traffic {
    std::uint64_t packets_in = 0;  ///< From the client.
    std::uint64_t bytes_in = 0;
    std::uint64_t packets_out = 0;
    std::uint64_t bytes_out = 0;
    Traffic& operator+=(const Traffic& more);
    Traffic& operator-=(const Traffic& part);
};

/// What a login found out.
struct LoggedIn {
    std::string user;
    std::size_t group = 0;  ///< Index into Config::groups.
    std::string group_name;
    Endpoint client;
    std::string agent;  ///< User-Agent, foreign text.
};

struct Session {
    SessionNumber number = 0;
    std::string user;
    std::size_t group = 0;
    std::string group_name;
    std::string agent;
    std::string hostname;  ///< X-CSTP-Hostname, foreign text.
    Endpoint client;       ///< Of the last connection.
    std::optional<IpAddress> address4;
    std::optional<IpAddress> address6;
    Instant opened;
    WallTime opened_at;
    std::optional<Instant> ends;         ///< By session_timeout.
    std::optional<Transport> transport;  ///< Nothing while it is open or away.
    std::optional<Instant> away_since;   ///< Since when it has had no transport.
    Traffic traffic;                     ///< Of the transports that are gone, and what was added.
    std::size_t connects = 0;            ///< CONNECTs so far: reconnects and rekeys too.

    bool holds_address() const { return address4 || address6; }
};

/// A session that is over, and why.
struct EndedSession {
    Session session;
    Reason reason;
};

class SessionTable {
public:
    /// `cookie_timeout`: how long a session without a transport lives.
    explicit SessionTable(std::chrono::seconds cookie_timeout) : cookie_timeout_(cookie_timeout) {}

    struct Opened {
        SessionNumber number;
        Secret cookie;  ///< 44 characters of base64; only this one copy exists.
    };
    /// After a login. `session_timeout` 0: never ends by itself.
    Opened open(LoggedIn login, std::chrono::seconds session_timeout, Instant now, WallTime date);

    /// The session of a cookie. Fails with the refusal of Reason::cookie_malformed, cookie_unknown
    /// or cookie_expired (for a while after the end, when the reason is still known, the
    /// reason it ended for).
    Result<SessionNumber> find_by_cookie(std::string_view cookie, Instant now) const;

    /// Nothing when there is none (any more). Pointers last until that session ends.
    const Session* find(SessionNumber number) const;
    const Session* find_by_address(const IpAddress& inner) const;
    std::vector<const Session*> of_user(std::string_view user) const;
    std::vector<const Session*> all() const;  ///< By number.

    /// Gives the session its inner addresses; only once, at its first CONNECT.
    void set_addresses(SessionNumber number, std::optional<IpAddress> address4,
                       std::optional<IpAddress> address6);
    void set_hostname(SessionNumber number, std::string hostname);

    /// From now on `transport` carries the session: the one before, if it still had one, is
    /// returned and must be told Reason::replaced.
    std::optional<Transport> attach(SessionNumber number, const Transport& transport);

    /// The transport is gone and the session may be resumed. Nothing happens when another
    /// transport carries it already.
    void detach(SessionNumber number, const Transport& transport, Instant now);

    void add(SessionNumber number, const Traffic& traffic);

    /// Ends it and returns what it was, to be logged and its addresses released. Its cookie is
    /// remembered with the reason for the time of a cookie (at most 10,000 of them).
    std::optional<Session> end(SessionNumber number, Reason reason, Instant now);

    /// Ends those whose time has come: away longer than cookie_timeout, or past `ends`. A session
    /// with a transport is among them only when past `ends`.
    std::vector<EndedSession> advance(Instant now);
    std::optional<Instant> deadline() const;

    void change(std::chrono::seconds cookie_timeout) { cookie_timeout_ = cookie_timeout; }

    std::size_t size() const { return sessions_.size(); }
    /// Those that hold an address: what the limits count.
    std::size_t up() const { return up_; }
    std::size_t up_of_user(std::string_view user) const;
    std::size_t up_of_group(std::string_view group_name) const;

private:
    using CookieName = std::array<std::byte, 16>;  ///< First half: finds the session.
    struct Entry {
        Session session;
        CookieName cookie_name;
        Secret cookie_proof;  ///< Second half, compared in constant time.
        std::optional<Instant> due;
    };
    struct Ended {
        Secret cookie_proof;
        Reason reason;
        Instant until;
    };

    Entry* entry(SessionNumber number);
    void schedule(Entry& entry);
    void count(const Session& session, std::ptrdiff_t by);
    void forget_ended(Instant now);

    std::chrono::seconds cookie_timeout_;
    SessionNumber last_number_ = 0;
    std::map<SessionNumber, Entry> sessions_;
    std::map<CookieName, SessionNumber> by_cookie_;
    std::map<CookieName, Ended> ended_;
    std::multimap<Instant, CookieName> ended_until_;
    std::map<IpAddress, SessionNumber> by_address_;
    std::multimap<std::string, SessionNumber, std::less<>> by_user_;
    std::map<std::string, std::size_t, std::less<>> up_by_user_;
    std::map<std::string, std::size_t, std::less<>> up_by_group_;
    std::set<std::pair<Instant, SessionNumber>> due_;
    std::size_t up_ = 0;
};

}  // namespace causeway::gateway
