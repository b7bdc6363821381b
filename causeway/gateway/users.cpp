#include "causeway/gateway/users.h"

#include "causeway/base/fd.h"
#include "causeway/base/file.h"
#include "causeway/base/text.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <optional>
#include <thread>

namespace causeway::gateway {
namespace {

constexpr std::size_t file_size_limit = 64 * 1024 * 1024;
constexpr std::size_t groups_of_user_limit = 64;
constexpr std::size_t hash_size_limit = 384;  // CRYPT_OUTPUT_SIZE of crypt(3)
constexpr std::string_view first_line = "# causeway users, version 1";
constexpr std::chrono::seconds lock_patience{5};

bool is_letter_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool consists_of(std::string_view text, std::string_view others) {
    return std::ranges::all_of(text, [&](char c) {
        return is_letter_or_digit(c) || others.find(c) != std::string_view::npos;
    });
}

bool is_user_name(std::string_view name) {
    return !name.empty() && name.size() <= 64 && consists_of(name, "._@+-") &&
           (is_letter_or_digit(name.front()) || name.front() == '_');
}

bool is_group_name(std::string_view name) {
    return !name.empty() && name.size() <= 32 && consists_of(name, "._-");
}

/// Empty, or what crypt(5) allows in a hash: printable ASCII without ':', '*', '!', '\' and spaces.
bool is_hash(std::string_view text) {
    if (text.empty()) return true;
    return text.size() < hash_size_limit && std::ranges::all_of(
                                                text,
                                                [](char c) {
                                                    return c > ' ' && c < 0x7f && c != ':' &&
                                                           c != '*' && c != '!' && c != '\\' &&
                                                           c != ';';
                                                });
}

std::unexpected<Error> fault(const std::string& path, std::size_t line, std::string words) {
    return fail(Vpn::configurationFailed,
                fmt::format("{}:{}: {}", printable(path), line, std::move(words)),
                {{"file", path}, {"line", std::to_string(line)}});
}

std::unexpected<Error> no_such_user(std::string_view name) {
    return fail(Vpn::configurationFailed, fmt::format("there is no user {}", printable(name)),
                {{"user", std::string(name)}});
}

Result<User> parse_user(std::string_view line, const std::string& path, std::size_t number) {
    const auto fields = split(line, ':');
    if (fields.size() != 4)
        return fault(path, number,
                     fmt::format("a user's line has 4 fields between ':' (name, groups, state, "
                                 "hash), this one has {}",
                                 fields.size()));
    if (!is_user_name(fields[0]))
        return fault(path, number,
                     fmt::format("\"{}\" is no user name; allowed are 1 to 64 letters, digits and "
                                 "\"._@+-\"",
                                 printable(fields[0].substr(0, 80))));
    User user;
    user.name = fields[0];
    if (!fields[1].empty())
        for (const auto group : split(fields[1], ',')) {
            if (!is_group_name(group) || user.groups.size() == groups_of_user_limit)
                return fault(path, number,
                             fmt::format("\"{}\" is no list of groups; allowed are up to {} names "
                                         "of 1 to 32 letters, digits and \"._-\" between commas",
                                         printable(fields[1].substr(0, 80)), groups_of_user_limit));
            user.groups.emplace_back(group);
        }
    if (fields[2] != "active" && fields[2] != "locked")
        return fault(path, number,
                     fmt::format("the state is \"{}\", allowed are \"active\" and \"locked\"",
                                 printable(fields[2].substr(0, 80))));
    user.locked = fields[2] == "locked";
    if (!is_hash(fields[3]))
        return fault(path, number,
                     "the last field is no password hash of crypt(5); set it with "
                     "causeway-gateway user add");
    user.hash = Secret(std::string(fields[3]));
    return user;
}

/// Holds the lock on the folder of a file.
Result<Fd> lock_folder_of(const std::string& path) {
    const std::string folder = std::filesystem::path(path).parent_path().string();
    Fd fd(open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd)
        return fail(Vpn::configurationFailed,
                    fmt::format("the folder of {} cannot be opened", printable(path)),
                    system_error(errno, "open").with("file", folder));
    const auto patience_ends = std::chrono::steady_clock::now() + lock_patience;
    while (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
        const int number = errno;
        if (number == EINTR) continue;
        if (number != EWOULDBLOCK || std::chrono::steady_clock::now() >= patience_ends)
            return fail(Vpn::configurationFailed,
                        fmt::format("another program is changing files beside {}", printable(path)),
                        system_error(number, "flock").with("file", path));
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return fd;
}

std::optional<FileOwner> owner_of(const std::string& path) {
    struct stat status{};
    if (stat(path.c_str(), &status) != 0) return std::nullopt;
    // Only root can give a file away; who else changes it owns it already.
    if (geteuid() != 0) return std::nullopt;
    return FileOwner{status.st_uid, status.st_gid};
}

/// Where symbolic links lead, so that the link stays and the file behind it changes.
std::string followed(const std::string& path) {
    std::error_code failure;
    const auto target = std::filesystem::canonical(path, failure);
    return failure ? path : target.string();
}

}  // namespace

Result<void> check_user_name(std::string_view name) {
    if (is_user_name(name)) return {};
    return fail(Vpn::configurationFailed,
                fmt::format("\"{}\" is no user name; allowed are 1 to 64 letters, digits and "
                            "\"._@+-\", first a letter, a digit or '_'",
                            printable(name.substr(0, 80))));
}

Result<void> check_group_name(std::string_view name) {
    if (is_group_name(name)) return {};
    return fail(Vpn::configurationFailed,
                fmt::format("\"{}\" is no group name; allowed are 1 to 32 letters, digits and "
                            "\"._-\"",
                            printable(name.substr(0, 80))));
}

Result<Users> Users::parse(std::string_view text, const std::string& path) {
    Users users;
    std::size_t number = 0;
    while (!text.empty()) {
        const auto end = text.find('\n');
        auto line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        ++number;
        while (line.ends_with('\r')) line.remove_suffix(1);
        if (trim(line).empty() || line.starts_with('#')) {
            users.lines_.push_back({.comment = std::string(line), .user = {}});
            continue;
        }
        auto user = parse_user(line, path, number);
        if (!user) return pass(user);
        if (users.find(user->name))
            return fault(path, number, fmt::format("the user {} is there twice", user->name));
        users.by_name_.emplace(user->name, users.lines_.size());
        users.lines_.push_back({.comment = {}, .user = std::move(*user)});
    }
    return users;
}

Result<Users> Users::load(const std::string& path) {
    auto text = read_file(path, file_size_limit);
    if (!text)
        return fail(Vpn::configurationFailed,
                    fmt::format("the users file {} cannot be read", printable(path)),
                    system_error(text.error(), "open").with("file", path));
    const Secret contents(std::move(*text));
    return parse(contents.reveal(), path);
}

const User* Users::find(std::string_view name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : &lines_[found->second].user;
}

std::vector<const User*> Users::all() const {
    std::vector<const User*> users;
    for (const Line& line : lines_)
        if (!line.user.name.empty()) users.push_back(&line.user);
    return users;
}

Result<void> Users::add(User user) {
    if (auto sound = check_user_name(user.name); !sound) return sound;
    for (const auto& group : user.groups)
        if (auto sound = check_group_name(group); !sound) return sound;
    if (find(user.name))
        return fail(Vpn::configurationFailed,
                    fmt::format("there is a user {} already", printable(user.name)),
                    {{"user", user.name}});
    if (lines_.empty()) lines_.push_back({.comment = std::string(first_line), .user = {}});
    by_name_.emplace(user.name, lines_.size());
    lines_.push_back({.comment = {}, .user = std::move(user)});
    return {};
}

Result<void> Users::remove(std::string_view name) {
    const auto found = by_name_.find(name);
    if (found == by_name_.end()) return no_such_user(name);
    const auto at = found->second;
    lines_.erase(lines_.begin() + static_cast<std::ptrdiff_t>(at));
    by_name_.erase(found);
    for (auto& [other, index] : by_name_)
        if (index > at) --index;
    return {};
}

User* Users::user(std::string_view name) {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : &lines_[found->second].user;
}

Result<void> Users::set_locked(std::string_view name, bool locked) {
    User* const found = user(name);
    if (!found) return no_such_user(name);
    found->locked = locked;
    return {};
}

Result<void> Users::set_hash(std::string_view name, Secret hash) {
    User* const found = user(name);
    if (!found) return no_such_user(name);
    found->hash = std::move(hash);
    return {};
}

Result<void> Users::set_groups(std::string_view name, std::vector<std::string> groups) {
    for (const auto& group : groups)
        if (auto sound = check_group_name(group); !sound) return sound;
    User* const found = user(name);
    if (!found) return no_such_user(name);
    found->groups = std::move(groups);
    return {};
}

Secret Users::text() const {
    std::string text;
    for (const Line& line : lines_) {
        if (line.user.name.empty())
            text += line.comment;
        else
            text += fmt::format("{}:{}:{}:{}", line.user.name, join(line.user.groups, ","),
                                line.user.locked ? "locked" : "active", line.user.hash.reveal());
        text += '\n';
    }
    return Secret(std::move(text));
}

Result<void> change_users_file(const std::string& path,
                               const std::function<Result<void>(Users&)>& change) {
    const std::string target = followed(path);
    const auto lock = lock_folder_of(target);
    if (!lock) return std::unexpected(lock.error());

    auto users = Users::load(target);
    if (!users && users.error().find(Code::raw(Domain::system, ENOENT))) users = Users{};
    if (!users) return pass(users);
    if (auto changed = change(*users); !changed) return changed;

    const auto written =
        write_file_atomically(target, users->text().reveal(), 0600, owner_of(target));
    if (!written)
        return fail(Vpn::configurationFailed,
                    fmt::format("the users file {} cannot be written", printable(path)),
                    system_error(written.error(), "write").with("file", target));
    return {};
}

}  // namespace causeway::gateway
