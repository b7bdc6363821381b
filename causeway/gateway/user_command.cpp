#include "causeway/gateway/user_command.h"

#include "causeway/base/text.h"
#include "causeway/gateway/password.h"
#include "causeway/gateway/users.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace causeway::gateway {
namespace {

/// The login by password that a user has, in one word.
std::string_view state_of(const User& user) {
    if (user.locked) return "locked";
    return user.hash.empty() ? "certificate" : "active";
}

std::string as_json(const Users& users) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const User* user : users.all())
        list.push_back({{"name", user->name},
                        {"groups", user->groups},
                        {"locked", user->locked},
                        {"password", !user->hash.empty()}});
    return list.dump() + "\n";
}

std::string as_table(const Users& users) {
    if (users.size() == 0) return "There are no users.\n";
    std::size_t width = 4;
    for (const User* user : users.all()) width = std::max(width, user->name.size());
    std::string table = fmt::format("{:<{}}  {:<11}  {}\n", "NAME", width, "LOGIN", "GROUPS");
    for (const User* user : users.all())
        table += fmt::format("{:<{}}  {:<11}  {}\n", user->name, width, state_of(*user),
                             user->groups.empty() ? "-" : join(user->groups, ", "));
    return table;
}

Result<std::string> list(const UserCommand& command) {
    const auto users = Users::load(command.file);
    if (!users) return std::unexpected(users.error());
    return command.json ? as_json(*users) : as_table(*users);
}

Result<Secret> new_hash(const UserCommand& command) {
    if (command.has_no_password) return Secret();
    const auto password = read_new_password(command.password, command.name);
    if (!password) return std::unexpected(password.error());
    return hash_password(*password);
}

/// Whether `add` can succeed, before somebody types a password for nothing.
Result<void> check_addable(const UserCommand& command) {
    if (auto sound = check_user_name(command.name); !sound) return sound;
    for (const auto& group : command.groups)
        if (auto sound = check_group_name(group); !sound) return sound;
    auto users = Users::load(command.file);
    if (!users) return {};  // made, or refused, when it is changed
    return users->add({command.name, {}, false, {}});
}

Result<std::string> add(const UserCommand& command) {
    if (auto addable = check_addable(command); !addable) return pass(addable);
    auto hash = new_hash(command);
    if (!hash) return pass(hash);
    auto changed = change_users_file(command.file, [&](Users& users) {
        return users.add({command.name, command.groups, false, *hash});
    });
    if (!changed) return pass(changed);
    return fmt::format("Added {}.\n", command.name);
}

Result<std::string> set_password(const UserCommand& command) {
    auto users = Users::load(command.file);
    if (!users) return pass(users);
    if (auto known = users->set_hash(command.name, Secret()); !known) return pass(known);
    const auto hash = new_hash(command);
    if (!hash) return std::unexpected(hash.error());
    auto changed = change_users_file(command.file,
                                     [&](Users& now) { return now.set_hash(command.name, *hash); });
    if (!changed) return pass(changed);
    return fmt::format("Set the password of {}.\n", command.name);
}

Result<std::string> change(const UserCommand& command) {
    using Verb = UserCommand::Verb;
    // A file that is missing has nobody to remove or lock: say that it is missing.
    if (const auto users = Users::load(command.file); !users) return std::unexpected(users.error());
    auto changed = change_users_file(command.file, [&](Users& users) {
        if (command.verb == Verb::remove) return users.remove(command.name);
        return users.set_locked(command.name, command.verb == Verb::lock);
    });
    if (!changed) return pass(changed);
    const std::string_view done = command.verb == Verb::remove ? "Removed"
                                  : command.verb == Verb::lock ? "Locked"
                                                               : "Unlocked";
    return fmt::format("{} {}.\n", done, command.name);
}

}  // namespace

Result<std::string> carry_out(const UserCommand& command) {
    switch (command.verb) {
        case UserCommand::Verb::list: return list(command);
        case UserCommand::Verb::add: return add(command);
        case UserCommand::Verb::password: return set_password(command);
        case UserCommand::Verb::remove:
        case UserCommand::Verb::lock:
        case UserCommand::Verb::unlock: break;
    }
    return change(command);
}

}  // namespace causeway::gateway
