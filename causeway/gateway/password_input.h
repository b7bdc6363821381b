// A new password from a person: typed twice without being shown, or from a file or descriptor.

#pragma once

#include "causeway/base/secret.h"
#include "causeway/error/error.h"

#include <optional>
#include <string>

namespace causeway::gateway {

/// Where `causeway-gateway user add` gets the password from; neither: the terminal.
struct PasswordSource {
    std::optional<std::string> file;
    std::optional<int> descriptor;
};

/// The password: of a file or descriptor its first line. On a terminal it is asked for twice.
///
/// Fails with configurationFailed: no terminal and no other source; the two differ; the file
/// cannot be read; or what check_new_password does not allow.
Result<Secret> read_new_password(const PasswordSource& source, const std::string& user);

}  // namespace causeway::gateway
