// What stays closed when the service ends, however it ends: the file STATE/lockdown.json.
//
// It is written before anything is closed and before anything is opened.

#pragma once

#include "causeway/base/address.h"
#include "causeway/base/clock.h"
#include "causeway/device/users.h"
#include "causeway/error/error.h"

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace causeway::service {

/// The lockdown of a session: it outlives the session unless that is destroyed.
struct HeldLock {
    std::uint64_t session;
    uid_t owner;
    std::string vpn_id;
    WallTime since;
    std::vector<Prefix> lan;
    std::vector<device::UserRange> users;  ///< Whose packets are held back; empty: everybody's.
    /// The session has been up: only then it was promised.
    bool is_promised = false;

    bool operator==(const HeldLock&) const = default;
};

struct LockdownRecord {
    bool always_on = false;
    bool lockdown = false;
    std::vector<HeldLock> held;

    bool operator==(const LockdownRecord&) const = default;
};

/// The locks of sessions belong to one start of the machine and one network namespace, as all that
/// sessions change; what the administrator has switched on stays.
struct LockdownPlace {
    std::string boot;
    std::string network;
};

std::string text_of(const LockdownRecord& record, const LockdownPlace& place);
/// Fails with EBADMSG when the text is no record.
Result<LockdownRecord> parse_lockdown_record(std::string_view text, const LockdownPlace& place);

/// Nothing closed when there is no file. Fails with the errno, evidence `file`.
Result<LockdownRecord> load_lockdown_record(const std::string& state_folder);
Result<void> save_lockdown_record(const std::string& state_folder, const LockdownRecord& record);

}  // namespace causeway::service
