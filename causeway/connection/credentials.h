// The files of a profile, read and judged before anything goes over the network.

#pragma once

#include "causeway/base/secret.h"
#include "causeway/connection/profile.h"
#include "causeway/error/error.h"
#include "causeway/tls/context.h"
#include "causeway/tls/identity.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace causeway::connection {

struct Credentials {
    std::optional<Secret> password;
    std::map<std::string, Secret> answers;
    std::optional<tls::Identity> identity;
    std::shared_ptr<const tls::Context> channel;
};

/// Asks a person for the password of a key; fails when there is nobody.
using AskKeyPassword = std::function<Result<Secret>()>;

/// Fails with
///
/// - configurationFailed <- errno: a file that cannot be read (evidence `option`, `file`), an empty
///   password, authorities that are none
/// - clientCertificateInvalid, …Expired, …NotYetValid: what our own certificate and key lack.
Result<Credentials> load_credentials(const Profile& profile, std::chrono::milliseconds tls_limit,
                                     WallTime now, const AskKeyPassword& ask_key_password);

}  // namespace causeway::connection
