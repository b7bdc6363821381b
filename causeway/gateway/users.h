// The users file: who may log in, with which password, to which groups.
//
//     # causeway users, version 1
//     alice:staff,admins:active:$y$j9T$…
//     bob::locked:$y$j9T$…
//
// A line a user: name, groups (the first is the one taken when none is asked for; none: the
// gateway's default group only), state, password hash of crypt(5). An empty hash has no password:
// the user can log in by certificate alone. Lines that begin with '#' and empty ones are kept as
// they are when the file is written.

#pragma once

#include "causeway/base/secret.h"
#include "causeway/error/error.h"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace causeway::gateway {

struct User {
    std::string name;
    std::vector<std::string> groups;
    bool locked = false;
    Secret hash;  ///< Of crypt(5), yescrypt when we made it; empty: no password.
};

/// 1..64 of letters, digits and "._@+-", first a letter, a digit or '_'. Fails with
/// configurationFailed that says what is allowed.
Result<void> check_user_name(std::string_view name);
/// The same for names of groups: 1..32 of letters, digits and "._-".
Result<void> check_group_name(std::string_view name);

class Users {
public:
    /// Reads the text of a users file; `path` is for the words of a failure.
    ///
    /// Fails with configurationFailed: "FILE:LINE: what is wrong and what is allowed". A hash is
    /// never part of the words.
    static Result<Users> parse(std::string_view text, const std::string& path);

    /// Reads a file. Fails as `parse`, or with configurationFailed <- the errno.
    static Result<Users> load(const std::string& path);

    const User* find(std::string_view name) const;
    /// In the order of the file.
    std::vector<const User*> all() const;
    std::size_t size() const { return by_name_.size(); }

    /// Each fails with configurationFailed when there is (add) or is not (others) such a user.
    Result<void> add(User user);
    Result<void> remove(std::string_view name);
    Result<void> set_locked(std::string_view name, bool locked);
    Result<void> set_hash(std::string_view name, Secret hash);
    Result<void> set_groups(std::string_view name, std::vector<std::string> groups);

    /// The whole file, comments kept. Holds the hashes.
    Secret text() const;

private:
    struct Line {
        std::string comment;  ///< As written; only for lines without a user.
        User user;
    };
    User* user(std::string_view name);

    std::vector<Line> lines_;
    std::map<std::string, std::size_t, std::less<>> by_name_;  ///< Indices into `lines_`.
};

/// Changes the file under a lock on its folder: reads it, lets `change` alter it, writes it
/// atomically with mode 0600 and the owner it had. A missing file counts as empty.
/// Nothing is written when `change` fails. Waits up to 5 s for others. Fails with what `change`
/// failed with, or with configurationFailed <- the errno.
Result<void> change_users_file(const std::string& path,
                               const std::function<Result<void>(Users&)>& change);

}  // namespace causeway::gateway
