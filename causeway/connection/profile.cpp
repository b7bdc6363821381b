#include "causeway/connection/profile.h"

#include "causeway/base/text.h"
#include "causeway/device/tun.h"

#include <fmt/format.h>

namespace causeway::connection {
namespace {

constexpr std::size_t text_limit = 256;

struct Fault {
    std::string option;
    std::string value;
    std::string allowed;
    std::optional<Error> cause = {};

    std::string sentence() const {
        return fmt::format("{} cannot be \"{}\": {}", option, printable(value), allowed);
    }
};

/// Collects what is wrong, so that all of it can be told at once.
class Reader {
public:
    void wrong(std::string option, std::string value, std::string allowed) {
        faults_.push_back({std::move(option), std::move(value), std::move(allowed)});
    }
    void wrong(std::string option, std::string value, Error cause) {
        Fault fault{std::move(option), std::move(value), cause.detail};
        // A cause that only says "wrong configuration" once more tells nothing but its sentence.
        if (cause.code != Code(Vpn::configurationFailed) &&
            cause.code != Code(Service::INVALID_PARAMETER_VALUE))
            fault.cause = std::move(cause);
        faults_.push_back(std::move(fault));
    }

    int number(const char* option, const std::optional<std::string>& text, int smallest,
               int largest, int otherwise) {
        if (!text) return otherwise;
        if (const auto number = parse_number<int>(*text, smallest, largest)) return *number;
        wrong(option, *text, fmt::format("a number from {} to {} is wanted", smallest, largest));
        return otherwise;
    }

    void check_text(const char* option, const std::optional<std::string>& text) {
        if (!text) return;
        if (text->empty() || text->size() > text_limit)
            wrong(option, *text, fmt::format("1 to {} characters are wanted", text_limit));
    }

    Result<void> verdict() const {
        if (faults_.empty()) return {};
        const auto& first = faults_.front();
        Error fact{Service::INVALID_PARAMETER_VALUE, first.allowed};
        fact.with("option", first.option).with("value", first.value);
        fact.with("allowed", first.allowed);
        Error error{Vpn::configurationFailed, first.sentence()};
        if (faults_.size() > 1) {
            std::vector<std::string> sentences;
            for (const auto& fault : faults_) sentences.push_back(fault.sentence());
            error.with("faults", join(sentences, "; "));
        }
        if (!first.cause) return std::unexpected(std::move(error).because(std::move(fact)));
        return std::unexpected(std::move(error).because(std::move(fact).because(*first.cause)));
    }

private:
    std::vector<Fault> faults_;
};

void read_gateway(const std::string& text, Profile& profile, Reader& reader) {
    auto url = protocol::Url::parse(text);
    if (url)
        profile.gateway = std::move(*url);
    else
        reader.wrong("GATEWAY", text, std::move(url).error());
}

void read_answers(const std::vector<std::string>& answers, Profile& profile, Reader& reader) {
    for (const auto& answer : answers) {
        const auto equals = answer.find('=');
        if (equals == 0 || equals == std::string::npos || equals + 1 == answer.size()) {
            reader.wrong("--answer", answer, "FIELD=FILE is wanted");
            continue;
        }
        const auto [at, is_new] =
            profile.answer_files.emplace(answer.substr(0, equals), answer.substr(equals + 1));
        if (!is_new) reader.wrong("--answer", answer, "this field has an answer already");
    }
}

void read_pins(const std::vector<std::string>& pins, Profile& profile, Reader& reader) {
    for (const auto& text : pins) {
        auto pin = tls::Pin::parse(text);
        if (pin)
            profile.pins.push_back(std::move(*pin));
        else
            reader.wrong("--pin", text, std::move(pin).error());
    }
}

void read_files(const ProfileOptions& options, Profile& profile, Reader& reader) {
    const auto file = [&](const char* option, const std::optional<std::string>& path) {
        if (path && path->empty()) reader.wrong(option, *path, "the name of a file is wanted");
    };
    file("--password-file", options.password_file);
    file("--certificate", options.certificate);
    file("--key", options.key);
    file("--key-password-file", options.key_password_file);
    file("--ca", options.ca);
    if (options.password_file && options.password_fd)
        reader.wrong("--password-fd", *options.password_fd,
                     "the password is taken from --password-file already");
    if (options.key && !options.certificate)
        reader.wrong("--key", *options.key, "--certificate is wanted with it");
    if (options.key_password_file && !options.certificate)
        reader.wrong("--key-password-file", *options.key_password_file,
                     "--certificate is wanted with it");
    profile.password_file = options.password_file;
    profile.certificate_file = options.certificate;
    profile.key_file = options.key.value_or(options.certificate.value_or(""));
    profile.key_password_file = options.key_password_file;
    profile.ca_file = options.ca;
    if (options.password_fd)
        profile.password_fd = reader.number("--password-fd", options.password_fd, 0, 1'048'575, 0);
}

/// Whether this machine has it is found out here, before anything is sent.
void read_crypto(const std::optional<std::string>& text, Profile& profile, Reader& reader) {
    if (!text) return;
    const auto backend = datapath::crypto_backend(*text);
    if (!backend)
        reader.wrong("--crypto", *text, "auto, ipsec-mb or evp is wanted");
    else if (*backend == datapath::CryptoBackend::ipsec_mb && !datapath::has_ipsec_mb())
        reader.wrong("--crypto", *text, "this machine has no ipsec-mb; auto and evp work");
    else
        profile.crypto = *backend;
}

}  // namespace

const std::vector<OptionHelp> option_help{
    {"--user", "NAME", "the name to log in with"},
    {"--password-file", "FILE", "read the password from the first line of a file"},
    {"--password-fd", "NUMBER", "read the password from an open descriptor"},
    {"--answer", "FIELD=FILE", "answer a field of the login form from a file (repeatable)"},
    {"--certificate", "FILE", "show this certificate (PEM) when the gateway asks for one"},
    {"--key", "FILE", "its private key (PEM), when it is in another file"},
    {"--key-password-file", "FILE", "read the password of the key from a file"},
    {"--ca", "FILE", "trust these authorities (PEM) instead of the system's"},
    {"--pin", "PIN", "accept this public key: pin-sha256:BASE64 (repeatable)"},
    {"--group", "NAME", "log in to this group"},
    {"--interface", "NAME", "call the tunnel's interface that"},
    {"--no-routes", "", "leave the routes alone"},
    {"--no-dns", "", "leave the resolver alone"},
    {"--mtu", "BYTES", "packets in the tunnel are at most this long (576 to 16384)"},
    {"--timeout", "SECONDS", "give up when not connected within this time (60)"},
    {"--no-datagrams", "", "send all packets through TLS"},
    {"--crypto", "NAME", "seal datagrams with: auto, ipsec-mb or evp (auto)"},
    {"--once", "", "end with the first loss instead of reconnecting"},
    {"--json", "", "print events and the incident as JSON, one object a line"},
};

Result<Profile> make_profile(const ProfileOptions& options) {
    Reader reader;
    Profile profile;
    read_gateway(options.gateway, profile, reader);
    reader.check_text("--user", options.user);
    reader.check_text("--group", options.group);
    read_files(options, profile, reader);
    read_answers(options.answers, profile, reader);
    read_pins(options.pins, profile, reader);
    if (options.interface)
        if (auto checked = device::check_interface_name(*options.interface); !checked)
            reader.wrong("--interface", *options.interface, std::move(checked).error());
    profile.mtu = reader.number("--mtu", options.mtu, mtu_smallest, mtu_largest, 0);
    profile.timeout =
        std::chrono::seconds(reader.number("--timeout", options.timeout, 1, timeout_largest, 60));
    read_crypto(options.crypto, profile, reader);
    profile.use_datagrams = !options.no_datagrams;
    profile.user = options.user;
    profile.group = options.group.value_or("");
    profile.interface = options.interface.value_or("");
    profile.use_routes = !options.no_routes;
    profile.use_dns = !options.no_dns;
    profile.once = options.once;
    if (auto verdict = reader.verdict(); !verdict) return pass(verdict);
    return profile;
}

}  // namespace causeway::connection
