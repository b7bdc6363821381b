#include "causeway/gateway/password.h"

#include "causeway/base/bytes.h"

#include <crypt.h>

#include <algorithm>
#include <cerrno>
#include <memory>

namespace causeway::gateway {
namespace {

constexpr std::size_t longest_password = 512;  // CRYPT_MAX_PASSPHRASE_SIZE of crypt(3)

/// What crypt_rn works in (32 KiB): wiped when it goes, since a password was in it.
struct Workspace {
    crypt_data data{};
    ~Workspace() { explicit_bzero(&data, sizeof data); }
};

Result<Secret> compute(const Secret& password, std::string_view setting) {
    const auto space = std::make_unique<Workspace>();
    const std::string text(setting);
    // A Secret is a whole string: it ends with a NUL.
    const char* phrase = password.reveal().data();  // NOLINT(*-suspicious-stringview-data-usage)
    const char* hash = crypt_rn(phrase, text.c_str(), &space->data, sizeof space->data);
    // A failure token begins with '*'; crypt_rn answers it with nothing.
    if (!hash)
        return fail(Vpn::pluginFailed, "the password hash could not be computed",
                    system_error(errno, "crypt_rn"));
    return Secret(hash);
}

bool is_hashable(std::string_view text) {
    return !text.empty() && text.size() < longest_password &&
           text.find('\0') == std::string_view::npos;
}

}  // namespace

Result<void> check_new_password(const Secret& password) {
    const auto text = password.reveal();
    if (is_hashable(text) && text.find_first_of("\r\n") == std::string_view::npos) return {};
    return fail(Vpn::configurationFailed,
                "a password has 1 to 511 bytes, without NUL and line breaks");
}

Result<Secret> hash_password(const Secret& password) {
    if (auto sound = check_new_password(password); !sound) return pass(sound);
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    // No random bytes of ours: libcrypt asks the kernel. Cost 0 is its own default.
    if (!crypt_gensalt_rn("$y$", 0, nullptr, 0, setting, sizeof setting))
        return fail(Vpn::configurationFailed, "no salt for a password hash",
                    system_error(errno, "crypt_gensalt_rn"));
    return compute(password, setting);
}

Result<PasswordChecker> PasswordChecker::create() {
    auto decoy = hash_password(Secret(hex(as_bytes("a password nobody has"))));
    if (!decoy) return pass(decoy);
    return PasswordChecker(std::move(*decoy));
}

Result<PasswordVerdict> PasswordChecker::check(const User* user, const Secret& password) const {
    const bool has_hash = user && !user->hash.empty();
    const Secret& expected = has_hash ? user->hash : decoy_;
    // What can be nobody's password costs as much as any other.
    const bool hashable = is_hashable(password.reveal());
    const auto computed = compute(hashable ? password : Secret("-"), expected.reveal());
    if (!computed) return std::unexpected(computed.error());
    const bool equal =
        equal_in_constant_time(as_bytes(computed->reveal()), as_bytes(expected.reveal()));
    if (!equal || !has_hash || !hashable) return PasswordVerdict::refused;
    return user->locked ? PasswordVerdict::locked : PasswordVerdict::accepted;
}

}  // namespace causeway::gateway
