// The inside of causeway-auth: reads the users file, checks passwords in a few threads, answers.
//
// Messages on the socket are JSON objects; an answer repeats the number of its question:
//
//     {"do":"users","number":1,"file":"/etc/causeway/users"} (+ the file)
//         -> {"number":1,"users":12} (+ the file, when it was opened here)
//     {"do":"check","number":2,"user":"alice"} + a pipe that holds the password
//         -> {"number":2,"verdict":"accepted","groups":["staff"]}
//     {"do":"look-up","number":3,"user":"alice"}
//         -> {"number":3,"verdict":"refused"}
//     whatever could not be done
//         -> {"number":4,"error":{…}}
//
// Passwords never are part of a message: they come through a pipe of their own, which is gone when
// it has been read.

#pragma once

#include "causeway/base/fd.h"
#include "causeway/error/error.h"

#include <cstddef>
#include <functional>

namespace causeway::gateway {

/// What causeway-auth accepts from the gateway, in one place.
struct AuthLimits {
    static constexpr std::size_t users_file = 64 * 1024 * 1024;  ///< Bytes.
    static constexpr std::size_t password = 1024;    ///< Bytes of one that are looked at.
    static constexpr std::size_t waiting = 100'000;  ///< Checks.
    static constexpr std::size_t threads = 64;
};

/// Serves `socket` until its other end closes; then the value is empty. `before_service` is called
/// once the threads run and before anything is read: the place to enter a sandbox.
///
/// Fails with what `before_service` failed with (told to the other end too, as
/// {"number":0,"error":{…}}), or with pluginFailed <- the errno when the channel broke.
Result<void> serve_authentication(Fd socket, std::size_t threads,
                                  const std::function<Result<void>()>& before_service);

}  // namespace causeway::gateway
