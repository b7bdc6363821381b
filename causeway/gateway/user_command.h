// `causeway-gateway user add|remove|list|lock|unlock`: the users file by hand.

#pragma once

#include "causeway/error/error.h"
#include "causeway/gateway/password_input.h"

#include <cstdint>
#include <string>
#include <vector>

namespace causeway::gateway {

struct UserCommand {
    enum class Verb : std::uint8_t { add, remove, list, lock, unlock, password };
    Verb verb = Verb::list;
    std::string file;  ///< The users file.
    std::string name;  ///< Empty for list.
    std::vector<std::string> groups;
    bool has_no_password = false;  ///< add: the user logs in by certificate alone.
    PasswordSource password;
    bool json = false;  ///< list.
};

/// Carries it out and returns what to print. The file is not touched before the password is there.
/// Fails with configurationFailed.
Result<std::string> carry_out(const UserCommand& command);

}  // namespace causeway::gateway
