// Password hashes: made and checked with libcrypt's yescrypt, in the same time for everybody.

#pragma once

#include "causeway/base/secret.h"
#include "causeway/error/error.h"
#include "causeway/gateway/users.h"

#include <cstdint>
#include <string_view>

namespace causeway::gateway {

/// What a check of name and password came to. `locked` is only told after the right password.
enum class PasswordVerdict : std::uint8_t { accepted, refused, locked };

/// 1..511 bytes without NUL and line breaks. Fails with configurationFailed.
Result<void> check_new_password(const Secret& password);

/// A new yescrypt hash ("$y$…") with a random salt and libcrypt's own cost.
/// Fails with configurationFailed <- the errno of libcrypt.
Result<Secret> hash_password(const Secret& password);

/// Checks passwords in constant effort: an unknown name, a user without a hash and a wrong
/// password cost one hash each. Safe to use from several threads at once.
class PasswordChecker {
public:
    /// Makes the hash that unknown names are checked against. Fails as `hash_password`.
    static Result<PasswordChecker> create();

    /// `user` may be nothing: the name is unknown. Fails with pluginFailed <- the errno when
    /// libcrypt cannot compute the hash (memory, a method it does not know).
    Result<PasswordVerdict> check(const User* user, const Secret& password) const;

private:
    explicit PasswordChecker(Secret decoy) : decoy_(std::move(decoy)) {}
    Secret decoy_;
};

}  // namespace causeway::gateway
