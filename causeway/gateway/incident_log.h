// The gateway's record: every refusal and every end, one JSON object a line.
//
// To standard error, to a file (opened again on SIGHUP, for log rotation) or to the journal in its
// own datagram protocol. The last ones stay in memory for `causeway-gateway incident ID`. Safe to
// use from several threads.

#pragma once

#include "causeway/base/address.h"
#include "causeway/base/clock.h"
#include "causeway/base/fd.h"
#include "causeway/error/error.h"
#include "causeway/error/incident.h"
#include "causeway/gateway/config.h"
#include "causeway/gateway/session_table.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace causeway::gateway {

/// Who it happened to.
struct Party {
    std::optional<Endpoint> client;
    std::string user;  ///< As far as it is known; foreign text until the login succeeded.
    std::string group;
    SessionNumber session = 0;
};

class IncidentLog {
public:
    /// Opens the target. Fails with configurationFailed <- the errno.
    static Result<std::unique_ptr<IncidentLog>> open(const LogSettings& settings);

    /// Makes an incident of `error` (a random id, the time), writes it, keeps it and returns its
    /// id for X-Causeway-Incident: 16 hexadecimal digits.
    std::string record(const Error& error, Phase phase, const Party& party);

    /// A line that is no failure: started, reloaded, session up, ban ended …
    void note(std::string_view event, const Party& party, const Evidence& facts = {});

    /// The line of an incident as JSON; nothing when it is older than those that are kept.
    std::optional<std::string> find(std::string_view id) const;

    /// Opens the file again under its name; nothing to do for the other targets. Fails with
    /// configurationFailed <- the errno, and then goes on writing to the old file.
    Result<void> reopen();

    /// Lines that could not be written (a full disk, a journal that does not listen).
    std::uint64_t lost() const;

private:
    explicit IncidentLog(const LogSettings& settings) : settings_(settings) {}
    void write(std::string_view line, int priority);

    LogSettings settings_;
    mutable std::mutex mutex_;
    Fd fd_;
    std::uint64_t lost_ = 0;
    std::deque<std::string> order_;  ///< Ids, oldest first.
    std::unordered_map<std::string, std::string> lines_;
};

}  // namespace causeway::gateway
