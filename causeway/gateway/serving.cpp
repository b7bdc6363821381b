#include "causeway/gateway/serving.h"

#include "causeway/base/text.h"

#include <algorithm>

#include <fmt/format.h>

namespace causeway::gateway {
namespace {

constexpr std::size_t revocation_list_limit = std::size_t{16} * 1024 * 1024;
constexpr std::size_t pem_file_limit = std::size_t{4} * 1024 * 1024;

Result<std::string> read(const FileOpener& open, const std::string& path, std::string_view what,
                         std::size_t limit) {
    auto text = read_opened(open, path, limit);
    if (text) return std::move(*text);
    return fail(Vpn::configurationFailed, fmt::format("cannot read {} {}", what, path),
                system_error(text.error(), "open").with("file", path));
}

std::unexpected<Error> unusable(std::string detail, Error cause) {
    return fail(Vpn::configurationFailed, std::move(detail), std::move(cause));
}

Result<tls::Identity> read_identity(const FileOpener& open, const Config& config) {
    auto certificate = read(open, config.certificate, "the certificate", pem_file_limit);
    if (!certificate) return pass(certificate);
    auto key = read(open, config.key, "the key", pem_file_limit);
    if (!key) return pass(key);
    const Secret secret_key(std::move(*key));

    Secret password;
    if (!config.key_password_file.empty()) {
        auto text = read(open, config.key_password_file, "the key's password", 4096);
        if (!text) return pass(text);
        password = Secret(std::string(split(*text, '\n').front()));
    }
    auto identity = tls::Identity::from_pem(*certificate, secret_key, password);
    if (!identity)
        return unusable(fmt::format("the certificate {} and the key {} cannot be used",
                                    config.certificate, config.key),
                        std::move(identity).error());
    return identity;
}

Result<tls::TrustRules> read_client_trust(const FileOpener& open,
                                          const Authentication& authentication) {
    tls::TrustRules trust{
        .authorities = {}, .system_store = false, .pins = {}, .revocation_lists = {}};
    if (authentication.client_certificate() == ClientCertificate::none) return trust;
    auto authorities =
        read(open, authentication.client_ca, "the clients' authorities", pem_file_limit);
    if (!authorities) return pass(authorities);
    trust.authorities = std::move(*authorities);
    if (authentication.crl_file.empty()) return trust;
    auto list = read(open, authentication.crl_file, "the revocation list", revocation_list_limit);
    if (!list) return pass(list);
    trust.revocation_lists = std::move(*list);
    return trust;
}

tls::ClientCertificate asked_for(ClientCertificate certificate) {
    switch (certificate) {
        case ClientCertificate::none: return tls::ClientCertificate::none;
        case ClientCertificate::optional: return tls::ClientCertificate::optional;
        case ClientCertificate::required: return tls::ClientCertificate::required;
    }
    return tls::ClientCertificate::none;
}

/// "At most once in half a rekey time": ssl rekeying is what renegotiation is for.
std::optional<std::chrono::milliseconds> renegotiation_interval(const SessionSettings& session) {
    if (session.rekey_method != RekeyMethod::ssl) return std::nullopt;
    return std::chrono::milliseconds(session.rekey_time) / 2;
}

Result<std::shared_ptr<const tls::Context>> make_context(const FileOpener& open,
                                                         const Config& config,
                                                         tls::Identity identity) {
    auto trust = read_client_trust(open, config.authentication);
    if (!trust) return pass(trust);
    tls::ServerSettings settings;
    settings.policy = config.policy;
    settings.identities.push_back(std::move(identity));
    settings.client_certificate = asked_for(config.authentication.client_certificate());
    settings.refusal = config.authentication.certificate_refusal == CertificateRefusal::alert
                           ? tls::Refusal::alert
                           : tls::Refusal::words;
    settings.trust = std::move(*trust);
    settings.renegotiation_interval = renegotiation_interval(config.session);
    auto context = tls::Context::server(std::move(settings));
    if (!context)
        return unusable("the settings of the secure channel cannot be used",
                        std::move(context).error());
    return context;
}

std::shared_ptr<const protocol::LoginPolicy> login_policy(const Config& config, bool wants_password,
                                                          bool wants_certificate) {
    protocol::LoginPolicy policy;
    policy.wants_password = wants_password;
    policy.wants_certificate = wants_certificate;
    if (config.offers_groups)
        for (const Group& group : config.groups) policy.groups.push_back({group.name, group.label});
    policy.banner = config.banner;
    policy.tries = static_cast<int>(config.authentication.tries);
    return std::make_shared<const protocol::LoginPolicy>(std::move(policy));
}

}  // namespace

Result<std::shared_ptr<const Serving>> make_serving(Config config, WallTime now,
                                                    const FileOpener& open) {
    auto identity = read_identity(open, config);
    if (!identity) return pass(identity);
    Serving serving;
    if (auto dates = identity->check_dates(now); !dates)
        serving.warnings.push_back(fmt::format("{}: {}; clients will refuse it", config.certificate,
                                               dates.error().detail));
    auto context = make_context(open, config, std::move(*identity));
    if (!context) return pass(context);
    serving.context = std::move(*context);

    const auto method = config.authentication.method;
    const bool needs_certificate =
        method == LoginMethod::certificate || method == LoginMethod::both;
    serving.without_certificate =
        login_policy(config, config.authentication.needs_password(), needs_certificate);
    serving.with_certificate =
        login_policy(config, method == LoginMethod::both || method == LoginMethod::password,
                     method != LoginMethod::password);
    serving.config = std::make_shared<const Config>(std::move(config));
    return std::make_shared<const Serving>(std::move(serving));
}

Result<void> check_reloadable(const Config& running, const Config& wanted) {
    std::string_view key;
    if (running.listen != wanted.listen) key = "listen";
    if (running.interface != wanted.interface) key = "interface";
    if (running.pools != wanted.pools) key = "pools";
    if (running.session.mtu != wanted.session.mtu) key = "mtu";
    if (running.control_socket != wanted.control_socket) key = "control_socket";
    if (running.datagram.enabled != wanted.datagram.enabled) key = "datagram.enabled";
    if (running.datagram.port != wanted.datagram.port) key = "datagram.port";
    if (running.datagram.crypto != wanted.datagram.crypto) key = "datagram.crypto";
    if (running.threads != wanted.threads) key = "threads";
    if (running.run_as_user != wanted.run_as_user) key = "run_as_user";
    if (running.run_as_group != wanted.run_as_group) key = "run_as_group";
    if (key.empty()) return {};
    return fail(Vpn::configurationFailed,
                fmt::format("{}: a change of {} takes a restart of the gateway", wanted.path, key),
                Evidence{{"file", wanted.path}, {"key", std::string(key)}});
}

}  // namespace causeway::gateway
