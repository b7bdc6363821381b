// The inside of causeway-auth: reads the users file, checks passwords in a few threads, answers.
//
// Messages on the socket are JSON objects, one answer to each request by its "id":
//
//     {"do":"users","id":1,"file":"/etc/causeway/users"}     -> {"id":1,"ok":true,"users":12}
//     {"do":"check","id":2,"user":"alice","password":"…"}    ->
//     {"id":2,"verdict":"accepted","groups":["staff"]}
//     {"do":"look-up","id":3,"user":"alice"}                 -> {"id":3,"verdict":"refused"}
//     whatever could not be done                             -> {"id":4,"error":{…}}
//
// The file is opened by the gateway and handed over as a descriptor when it can be, so that this
// process needs no right to open anything.

#pragma once

#include "causeway/base/fd.h"
#include "causeway/error/error.h"

#include <cstddef>

namespace causeway::gateway {

/// Gives up everything the process does not need: not dumpable, no core files, no new privileges,
/// and a seccomp filter that leaves memory, threads and the open descriptors. Fails with
/// pluginFailed <- the errno.
Result<void> enter_auth_sandbox();

/// Serves `socket` until its other end closes; then the value is empty. Fails with pluginFailed
/// when the other end breaks the rules of the channel.
Result<void> serve_authentication(Fd socket, std::size_t threads);

}  // namespace causeway::gateway
