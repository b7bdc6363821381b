#include "causeway/connection/credentials.h"

#include "causeway/base/file.h"
#include "causeway/base/text.h"
#include "causeway/tls/verdict.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace causeway::connection {
namespace {

constexpr std::size_t secret_limit = 4096;

std::unexpected<Error> cannot_read(const char* option, const std::string& path, int number) {
    return std::unexpected(
        Error{Vpn::configurationFailed,
              fmt::format("the file {} of {} cannot be read", printable(path), option)}
            .with("option", option)
            .with("file", path)
            .because(system_error(number, "open")));
}

Result<std::string> read(const char* option, const std::string& path,
                         std::size_t limit = 1024 * 1024) {
    auto text = read_file(path, limit);
    if (!text) return cannot_read(option, path, text.error());
    return std::move(*text);
}

/// The first line, without its end; an empty one is never sent.
Result<Secret> first_line(const char* option, const std::string& where, std::string text) {
    Secret whole(std::move(text));
    auto line = whole.reveal().substr(0, whole.reveal().find('\n'));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty()) return Secret(std::string(line));
    return std::unexpected(
        Error{
            Vpn::configurationFailed,
            fmt::format("the first line of {}, which {} names, is empty", printable(where), option)}
            .with("option", option)
            .with("file", where)
            .because({Service::INVALID_PARAMETER_VALUE, "a secret has at least one character"}));
}

Result<Secret> read_secret(const char* option, const std::string& path) {
    auto text = read(option, path, secret_limit);
    if (!text) return pass(text);
    return first_line(option, path, std::move(*text));
}

Result<Secret> read_secret_from(int fd) {
    constexpr const char* option = "--password-fd";
    std::string text;
    std::array<char, 512> part;
    while (text.size() < secret_limit && text.find('\n') == std::string::npos) {
        const auto count = ::read(fd, part.data(), part.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) {
            const int number = errno;
            return std::unexpected(
                Error{Vpn::configurationFailed,
                      fmt::format("the password cannot be read from descriptor {}", fd)}
                    .with("option", option)
                    .because(system_error(number, "read")));
        }
        if (count == 0) break;
        text.append(part.data(), static_cast<std::size_t>(count));
    }
    return first_line(option, fmt::format("descriptor {}", fd), std::move(text));
}

Error of_identity(const Profile& profile, Error why) {
    const auto code = tls::vpn_code_of_identity(why);
    auto detail = why.detail;
    return Error{code, std::move(detail)}
        .with("certificate", *profile.certificate_file)
        .with("key", profile.key_file)
        .because(std::move(why));
}

Result<tls::Identity> load_identity(const Profile& profile, WallTime now,
                                    const AskKeyPassword& ask) {
    auto certificates = read("--certificate", *profile.certificate_file);
    if (!certificates) return pass(certificates);
    auto key_text = read("--key", profile.key_file);
    if (!key_text) return pass(key_text);
    const Secret key(std::move(*key_text));

    Secret password;
    if (profile.key_password_file) {
        auto given = read_secret("--key-password-file", *profile.key_password_file);
        if (!given) return pass(given);
        password = std::move(*given);
    }
    auto identity = tls::Identity::from_pem(*certificates, key, password);
    if (!identity && password.empty() && ask && identity.error().find(Trust::errSecAuthFailed)) {
        auto typed = ask();
        if (!typed) return std::unexpected(of_identity(profile, std::move(identity).error()));
        identity = tls::Identity::from_pem(*certificates, key, *typed);
    }
    if (!identity) return std::unexpected(of_identity(profile, std::move(identity).error()));
    if (auto dates = identity->check_dates(now); !dates)
        return std::unexpected(of_identity(profile, std::move(dates).error()));
    return std::move(*identity);
}

Result<std::shared_ptr<const tls::Context>> make_channel(
    const Profile& profile, const std::optional<tls::Identity>& identity,
    std::chrono::milliseconds tls_limit) {
    tls::ClientSettings settings;
    settings.identity = identity;
    settings.handshake_limit = tls_limit;
    settings.trust.pins = profile.pins;
    if (profile.ca_file) {
        auto authorities = read("--ca", *profile.ca_file);
        if (!authorities) return pass(authorities);
        settings.trust.authorities = std::move(*authorities);
    }
    auto context = tls::Context::client(std::move(settings));
    if (context) return context;
    auto detail = context.error().detail;
    Error error{Vpn::configurationFailed, std::move(detail)};
    if (profile.ca_file) error.with("ca", *profile.ca_file);
    return std::unexpected(std::move(error).because(std::move(context).error()));
}

}  // namespace

Result<Credentials> load_credentials(const Profile& profile, std::chrono::milliseconds tls_limit,
                                     WallTime now, const AskKeyPassword& ask_key_password) {
    Credentials credentials;
    if (profile.certificate_file) {
        auto identity = load_identity(profile, now, ask_key_password);
        if (!identity) return pass(identity);
        credentials.identity = std::move(*identity);
    }
    auto channel = make_channel(profile, credentials.identity, tls_limit);
    if (!channel) return pass(channel);
    credentials.channel = std::move(*channel);

    if (profile.password_file || profile.password_fd) {
        auto password = profile.password_file
                            ? read_secret("--password-file", *profile.password_file)
                            : read_secret_from(*profile.password_fd);
        if (!password) return pass(password);
        credentials.password = std::move(*password);
    }
    for (const auto& [field, path] : profile.answer_files) {
        auto answer = read_secret("--answer", path);
        if (!answer) return pass(answer);
        credentials.answers[field] = std::move(*answer);
    }
    return credentials;
}

}  // namespace causeway::connection
