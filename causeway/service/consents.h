// Who has agreed that his programs may set up VPNs, where the policy asks for that.
//
// Kept in the state folder, so that everybody is asked once; read once, at the start: nothing but
// this is the truth while the service runs.

#pragma once

#include "causeway/base/clock.h"
#include "causeway/error/error.h"
#include "causeway/service/caller.h"

#include <map>
#include <string>

namespace causeway::service {

struct Consent {
    WallTime since;
    uid_t by;  ///< Who gave it: the user himself or an administrator.
};

class Consents {
public:
    /// Of a file that is not there yet: none.
    explicit Consents(std::string path) : path_(std::move(path)) {}

    /// Fails with the errno, evidence `file`; EBADMSG for a file that is not ours. Nobody has
    /// agreed then.
    Result<void> load();

    const Consent* of(uid_t user) const;
    /// Written before it counts; asking again changes nothing. Fails with SYSTEM_INTERNAL_ERROR,
    /// step `consent`: then nothing has changed.
    Result<void> give(uid_t user, uid_t by);
    /// Counts at once; false when there was none. Fails as `give`: then it is revoked until the
    /// next start.
    Result<bool> revoke(uid_t user);

    /// Fails with PERMISSION_DENIED. Root is not asked.
    Result<void> check(const Caller& caller, const std::string& policy_file) const;
    /// True once for each user that is refused, until he has agreed or that was revoked.
    bool is_first_question(uid_t user);

private:
    Result<void> save(const std::map<uid_t, Consent>& consents) const;

    std::string path_;
    std::map<uid_t, Consent> consents_;
    std::set<uid_t> asked_;
};

}  // namespace causeway::service
