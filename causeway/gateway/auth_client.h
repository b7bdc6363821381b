// The gateway's side of causeway-auth: asks for password checks, gets answers, minds the process.
//
// The process is started over a socketpair and started again when it dies or stops answering; the
// checks that were under way are answered with the exact failure, never left open.

#pragma once

#include "causeway/base/address.h"
#include "causeway/base/event_loop.h"
#include "causeway/base/secret.h"
#include "causeway/error/error.h"
#include "causeway/gateway/file_keeper.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace causeway::gateway {

struct AuthSettings {
    std::string program;  ///< Path of causeway-auth.
    std::string users_file;
    std::size_t threads = 2;
    std::size_t queue = 512;  ///< Checks under way at most.
    FileOpener open = open_for_reading;
};

/// Who was let in.
struct Account {
    std::string user;
    std::vector<std::string> groups;  ///< Those of the users file; may be empty.
};

class AuthClient {
public:
    /// The outcome of a check. Failures are refusals (reasons.h): wrong_password, user_locked,
    /// password_check_failed (pluginFailed below it), password_checks_busy.
    using Answered = std::move_only_function<void(Result<Account>)>;

    /// `loop` runs in the thread that calls everything here, but for the calls marked otherwise.
    AuthClient(EventLoop& loop, AuthSettings settings);
    ~AuthClient();

    /// Starts the process and waits until it has read the users file (up to 5 s). Call it while
    /// the gateway still has the right to read that file: the open file is kept for later starts.
    /// Fails with pluginFailed <- what went wrong, or with the configurationFailed of the users
    /// file.
    Result<void> start();

    /// Checks a password. From any thread; `answered` is called in the loop's thread, once, also
    /// when the process dies or the client is destroyed.
    void check_password(std::string user, Secret password, Answered answered);

    /// Looks a user up whose certificate was accepted: no password. From any thread. Refusals:
    /// certificate_user_unknown, user_locked, password_check_failed, password_checks_busy.
    void look_up(std::string user, Answered answered);

    /// Reads the users file again, which may be another one. `done` says what came of it; after a
    /// failure the old users stay.
    void reload(std::string users_file, std::move_only_function<void(Result<void>)> done);

    /// How often the process died so far, and its number now (-1: it is being started).
    std::size_t deaths() const;
    int process() const;

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace causeway::gateway
