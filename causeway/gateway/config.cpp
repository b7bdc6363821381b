#include "causeway/gateway/config.h"

#include "causeway/base/file.h"
#include "causeway/base/text.h"
#include "causeway/gateway/config_keys.h"
#include "causeway/gateway/config_reader.h"
#include "causeway/gateway/users.h"
#include "causeway/tls/certificate.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

namespace causeway::gateway {
namespace {

constexpr std::size_t file_size_limit = 1024 * 1024;
constexpr std::size_t group_limit = 256;
constexpr std::array<std::string_view, 8> sections{
    "authentication", "network", "session", "datagram", "limits", "ban", "tls", "group"};

/// The file being read: its sections, what is wrong with it, what it comes to.
struct Reading {
    Config config;
    ConfigFaults faults;
    const SettingTable& root;

    Reading(const SettingTable& table, const std::string& path)
        : faults(path, config_keys()), root(table) {
        config.path = path;
    }

    ConfigSection section(std::string_view name) {
        const Setting* setting = root.find(name);
        if (!setting) return {name, nullptr, {1, 1}, faults};
        const auto* table = setting->as<SettingTable>();
        if (!table)
            faults.add(setting->place, fmt::format("{} is {}, allowed is a table [{}]", name,
                                                   setting->text(), name));
        return {name, table, setting->place, faults};
    }

    /// Paths are relative to the folder of the file.
    std::string located(const std::string& path) const {
        if (path.empty() || path.starts_with('/')) return path;
        return (std::filesystem::path(config.path).parent_path() / path).lexically_normal();
    }
    void read_path(const ConfigSection& from, std::string_view key, std::string& into) const {
        from.read(key, into);
        into = located(into);
    }
};

std::string host_name() {
    std::array<char, 256> name{};
    if (gethostname(name.data(), name.size() - 1) != 0) return "causeway-gateway";
    return name.data();
}

void check_sections(Reading& reading) {
    for (const auto& [name, setting] : reading.root.entries) {
        if (!setting.as<SettingTable>() || std::ranges::count(sections, name) > 0) continue;
        const auto near = nearest(name, sections);
        reading.faults.add(setting.place,
                           fmt::format("there is no section [{}]{}", printable(name),
                                       near ? fmt::format("; the nearest is [{}]", *near) : ""));
    }
}

void require(const ConfigSection& section, std::string_view key, std::string_view why) {
    if (!section.sets(key)) section.complain(key, fmt::format("is missing; {}", why));
}

void read_listen(const ConfigSection& top, Config& config) {
    const auto parse = [](std::string_view text) -> std::optional<Endpoint> {
        const auto endpoint = Endpoint::parse(text);
        return endpoint && endpoint->port != 0 ? endpoint : std::nullopt;
    };
    require(top, "listen", "such as listen = [\"0.0.0.0:443\", \"[::]:443\"]");
    config.listen =
        read_list<Endpoint>(top, "listen", "ADDRESS:PORT such as 0.0.0.0:443 or [::]:443", parse)
            .value_or(std::vector<Endpoint>{});
    if (std::set(config.listen.begin(), config.listen.end()).size() != config.listen.size())
        top.complain("listen", "names an address twice");
}

void read_log(Reading& reading, const ConfigSection& top) {
    LogSettings& log = reading.config.log;
    top.read("incidents_kept", log.kept);
    const std::string* target = top.text("log");
    if (!target || *target == "stderr") return;
    if (*target == "journal") {
        log.target = LogSettings::Target::journal;
        return;
    }
    if (target->find('/') == std::string::npos)
        return top.fault("log", "\"stderr\", \"journal\" or a path with a '/'");
    log.target = LogSettings::Target::file;
    log.file = reading.located(*target);
}

bool is_interface_name(std::string_view name) {
    return name != "." && name != ".." && std::ranges::all_of(name, [](char c) {
               return c > ' ' && c < 0x7f && c != '/' && c != ':' && c != '%';
           });
}

void read_top(Reading& reading) {
    Config& config = reading.config;
    const ConfigSection top("", &reading.root, {1, 1}, reading.faults);
    read_listen(top, config);
    config.server_name = host_name();
    top.read("server_name", config.server_name);
    require(top, "certificate", "the gateway's certificate, a PEM file");
    require(top, "key", "the key of the certificate, a PEM file");
    reading.read_path(top, "certificate", config.certificate);
    reading.read_path(top, "key", config.key);
    reading.read_path(top, "key_password_file", config.key_password_file);
    reading.read_path(top, "control_socket", config.control_socket);
    top.read("interface", config.interface);
    if (!is_interface_name(config.interface))
        top.fault("interface", "1 to 15 characters without spaces, '/', ':' and '%'");
    top.read("run_as_user", config.run_as_user);
    top.read("run_as_group", config.run_as_group);
    top.read("threads", config.threads);
    top.read("banner", config.banner);
    read_log(reading, top);
}

void read_method(const ConfigSection& section, Authentication& into) {
    const std::string* method = section.text("method");
    if (!method || *method == "password") return;
    into.method = *method == "certificate" ? LoginMethod::certificate
                  : *method == "both"      ? LoginMethod::both
                                           : LoginMethod::either;
}

void read_attribute(const ConfigSection& section, std::string_view key, std::string& into) {
    section.read(key, into);
    if (!into.empty() && !tls::CertificateInfo::is_attribute(into))
        section.fault(key,
                      "an attribute of the subject such as \"CN\", \"UID\", \"OU\", a dotted "
                      "OID such as \"2.5.4.3\", \"SAN:email\", \"SAN:dns\" or \"SAN:upn\"");
}

void read_authentication(Reading& reading) {
    Authentication& into = reading.config.authentication;
    const ConfigSection section = reading.section("authentication");
    read_method(section, into);
    reading.read_path(section, "users_file", into.users_file);
    reading.read_path(section, "client_ca", into.client_ca);
    reading.read_path(section, "crl_file", into.crl_file);
    read_attribute(section, "username_from", into.username_from);
    read_attribute(section, "group_from", into.group_from);
    section.read("tries", into.tries);
    section.read("threads", into.threads);
    section.read("queue", into.queue);
    section.read("login_timeout", into.login_timeout);
    if (const auto* how = section.text("certificate_refusal"); how && *how == "alert")
        into.certificate_refusal = CertificateRefusal::alert;

    if (into.needs_password()) require(section, "users_file", "the method asks for passwords");
    if (into.client_certificate() != ClientCertificate::none)
        return require(section, "client_ca", "the method asks for client certificates");
    for (const std::string_view key : {"client_ca", "crl_file", "group_from"})
        if (section.sets(key))
            section.complain(key,
                             "has no use with method = \"password\", which asks for no "
                             "client certificate");
}

void read_session(Reading& reading) {
    SessionSettings& into = reading.config.session;
    const ConfigSection section = reading.section("session");
    section.read("dpd", into.dpd);
    section.read("keepalive", into.keepalive);
    section.read("cookie_timeout", into.cookie_timeout);
    section.read("rekey_time", into.rekey_time);
    const std::string* method = section.text("rekey_method");
    if (!method) return;
    into.rekey_method = *method == "ssl"    ? RekeyMethod::ssl
                        : *method == "none" ? RekeyMethod::none
                                            : RekeyMethod::new_tunnel;
    if (into.rekey_method == RekeyMethod::none) into.rekey_time = {};
}

std::optional<datapath::RecordSuite> parse_datagram_suite(std::string_view text) {
    using enum datapath::RecordSuite;
    if (text == "aes-128-gcm") return aes128_gcm;
    if (text == "aes-256-gcm") return aes256_gcm;
    if (text == "chacha20-poly1305") return chacha20_poly1305;
    return std::nullopt;
}

void read_datagram(Reading& reading) {
    DatagramSettings& into = reading.config.datagram;
    const ConfigSection section = reading.section("datagram");
    section.read("enabled", into.enabled);
    if (const auto port = section.number("port")) into.port = static_cast<std::uint16_t>(*port);
    section.read("psk", into.psk);
    section.read("dpd", into.dpd);
    section.read("keepalive", into.keepalive);
    if (const std::string* crypto = section.text("crypto"))
        into.crypto =
            datapath::crypto_backend(*crypto).value_or(datapath::CryptoBackend::automatic);
    const auto suites = read_list<datapath::RecordSuite>(
        section, "suites", "\"aes-128-gcm\", \"aes-256-gcm\" or \"chacha20-poly1305\"",
        parse_datagram_suite);
    if (!suites) return;
    into.suites = *suites;
    if (std::set(suites->begin(), suites->end()).size() != suites->size())
        section.complain("suites", "names a suite twice");
}

void read_limits(Reading& reading) {
    const ConfigSection limits = reading.section("limits");
    limits.read("sessions", reading.config.limits.sessions);
    limits.read("connections_per_address", reading.config.limits.connections_per_address);
    const ConfigSection ban = reading.section("ban");
    ban.read("failures", reading.config.ban.failures);
    ban.read("window", reading.config.ban.window);
    ban.read("duration", reading.config.ban.duration);
}

void read_version(const ConfigSection& section, std::string_view key, tls::Version& into) {
    if (const std::string* text = section.text(key))
        into = tls::parse_version(*text).value_or(into);
}

void read_tls(Reading& reading) {
    tls::Policy& policy = reading.config.policy;
    const ConfigSection section = reading.section("tls");
    read_version(section, "minimum_version", policy.minimum_version);
    read_version(section, "maximum_version", policy.maximum_version);
    if (policy.minimum_version > policy.maximum_version)
        section.complain("minimum_version", "is above tls.maximum_version");
    section.read("forward_secrecy", policy.forward_secrecy);
    section.read("rsa_bits", policy.rsa_bits);
    section.read("elliptic_bits", policy.elliptic_bits);
    const bool sha1 = section.flag("sha1_signatures").value_or(false);
    policy.leaf_hash_sha256 = policy.chain_hash_sha256 = !sha1;
}

void read_networks(const ConfigSection& section, std::string_view key, std::vector<Prefix>& into) {
    const auto parse = [](std::string_view text) -> std::optional<Prefix> {
        const auto prefix = Prefix::parse(text);
        return prefix && prefix->network() == *prefix ? prefix : std::nullopt;
    };
    if (auto networks = read_list<Prefix>(
            section, key, "a network such as 10.0.0.0/8 or fd00::/8, no bits behind its length",
            parse))
        into = std::move(*networks);
}

void read_domains(const ConfigSection& section, std::string_view key,
                  std::vector<std::string>& into) {
    if (auto domains =
            read_list<std::string>(section, key, "a domain such as example.com", parse_domain))
        into = std::move(*domains);
}

/// The index of a pool among those known, after adding it when it is new.
std::size_t add_pool(const ConfigSection& section, std::string_view key, const Pool& pool,
                     Config& config) {
    const auto known = std::ranges::find(config.pools, pool);
    if (known != config.pools.end()) return static_cast<std::size_t>(known - config.pools.begin());
    for (const Pool& other : config.pools)
        if (other.network.overlaps(pool.network))
            section.complain(key, fmt::format("overlaps the pool in {}; pools are the same or "
                                              "have no address in common",
                                              other.network.text()));
    config.pools.push_back(pool);
    return config.pools.size() - 1;
}

void read_pool(const ConfigSection& section, std::string_view key, Family family,
               std::optional<std::size_t>& into, Config& config) {
    const std::string* text = section.text(key);
    if (!text) return;
    const auto pool = parse_pool(*text, family);
    if (!pool) return section.fault(key, pool_allowed(family));
    into = add_pool(section, key, *pool, config);
}

/// What [network] and [[group]] have in common.
void read_network_keys(const ConfigSection& section, Group& into, Config& config) {
    read_pool(section, "ipv4_pool", Family::ipv4, into.pool4, config);
    read_pool(section, "ipv6_pool", Family::ipv6, into.pool6, config);
    read_networks(section, "include", into.include);
    read_networks(section, "exclude", into.exclude);
    if (auto servers = read_list<IpAddress>(section, "dns", "an IPv4 or IPv6 address",
                                            [](auto text) { return IpAddress::parse(text); }))
        into.dns = std::move(*servers);
    read_domains(section, "search_domains", into.search_domains);
    read_domains(section, "split_dns", into.split_dns);
    section.read("tunnel_all_dns", into.tunnel_all_dns);
}

/// The group that all others begin as: what [network], [session] and [limits] say.
Group common_group(Reading& reading) {
    Group group;
    group.name = group.label = "default";
    const ConfigSection network = reading.section("network");
    read_network_keys(network, group, reading.config);
    network.read("client_to_client", reading.config.session.client_to_client);
    network.read("mtu", reading.config.session.mtu);
    const SettingTable* session =
        reading.root.find("session") ? reading.root.find("session")->as<SettingTable>() : nullptr;
    const SettingTable* limits =
        reading.root.find("limits") ? reading.root.find("limits")->as<SettingTable>() : nullptr;
    // Their faults are found where these sections are read for themselves.
    ConfigFaults found_elsewhere(reading.config.path, config_keys());
    const ConfigSection timeouts("session", session, {1, 1}, found_elsewhere);
    timeouts.read("idle_timeout", group.idle_timeout);
    timeouts.read("session_timeout", group.session_timeout);
    ConfigSection("limits", limits, {1, 1}, found_elsewhere)
        .read("sessions_per_user", group.sessions_per_user);
    return group;
}

void read_group(Reading& reading, const Setting& setting, const Group& common) {
    const auto* table = setting.as<SettingTable>();
    if (!table)
        return reading.faults.add(setting.place,
                                  fmt::format("group is {}, allowed is [[group]]", setting.text()));
    const ConfigSection section("group", table, setting.place, reading.faults);
    Group group = common;
    require(section, "name", "every [[group]] has one");
    section.read("name", group.name);
    if (section.text("name") && !check_group_name(group.name))
        section.fault("name", "1 to 32 letters, digits, '.', '_' and '-'");
    group.label = group.name;
    section.read("label", group.label);
    for (const Group& other : reading.config.groups)
        for (const auto& [key, text] :
             {std::pair{"name", group.name}, std::pair{"label", group.label}})
            if (text == other.name || text == other.label)
                section.complain(key, fmt::format("\"{}\" is the name or label of another group",
                                                  printable(text)));
    read_network_keys(section, group, reading.config);
    section.read("sessions", group.sessions);
    section.read("sessions_per_user", group.sessions_per_user);
    section.read("idle_timeout", group.idle_timeout);
    section.read("session_timeout", group.session_timeout);
    section.read("banner", group.banner);
    reading.config.groups.push_back(std::move(group));
}

void read_groups(Reading& reading) {
    Config& config = reading.config;
    const Group common = common_group(reading);
    const Setting* groups = reading.root.find("group");
    if (!groups) {
        config.groups.push_back(common);
        return;
    }
    const auto* list = groups->as<std::vector<Setting>>();
    if (!list || list->empty() || list->size() > group_limit) {
        reading.faults.add(groups->place, fmt::format("group is {}, allowed are 1 to {} [[group]]",
                                                      groups->text(), group_limit));
        config.groups.push_back(common);
        return;
    }
    config.offers_groups = true;
    for (const Setting& each : *list) read_group(reading, each, common);
    if (config.groups.empty()) config.groups.push_back(common);
}

void choose_default_group(Reading& reading) {
    Config& config = reading.config;
    ConfigFaults found_elsewhere(config.path, config_keys());
    const ConfigSection top("", &reading.root, {1, 1}, found_elsewhere);
    const std::string* name = top.text("default_group");
    if (!name) return;
    const auto found = std::ranges::find(config.groups, *name, &Group::name);
    if (found != config.groups.end()) {
        config.default_group = static_cast<std::size_t>(found - config.groups.begin());
        return;
    }
    std::vector<std::string> names;
    for (const Group& group : config.groups) names.push_back(group.name);
    reading.faults.add(reading.root.find("default_group")->place,
                       fmt::format("default_group is \"{}\", allowed is one of {}",
                                   printable(*name), join(names, ", ")));
}

void check_addresses(Reading& reading) {
    const Config& config = reading.config;
    for (const Group& group : config.groups)
        if (!group.pool4 && !group.pool6)
            reading.faults.add({1, 1},
                               fmt::format("group {} has no addresses: set network.ipv4_pool or "
                                           "network.ipv6_pool, or the group's own",
                                           printable(group.name)));
    const bool carries_ipv6 = std::ranges::any_of(
        config.groups, [](const Group& group) { return group.pool6.has_value(); });
    if (carries_ipv6 && config.session.mtu < 1280)
        reading.faults.add({1, 1}, fmt::format("network.mtu is {}, allowed with an ipv6_pool are "
                                               "1280 to 16383",
                                               config.session.mtu));
}

}  // namespace

ClientCertificate Authentication::client_certificate() const {
    switch (method) {
        case LoginMethod::password: return ClientCertificate::none;
        case LoginMethod::either: return ClientCertificate::optional;
        case LoginMethod::certificate:
        case LoginMethod::both: return ClientCertificate::required;
    }
    return ClientCertificate::required;
}

const Group* Config::group(std::string_view name_or_label) const {
    const auto named = std::ranges::find(groups, name_or_label, &Group::name);
    if (named != groups.end()) return &*named;
    const auto labelled = std::ranges::find(groups, name_or_label, &Group::label);
    return labelled == groups.end() ? nullptr : &*labelled;
}

Result<Config> parse_config(std::string_view text, const std::string& path) {
    const auto root = program::parse_toml(text);
    if (!root) {
        ConfigFaults faults(path, config_keys());
        faults.add(root.error().place, "this is not TOML: " + root.error().words);
        return std::unexpected(faults.error());
    }
    Reading reading(*root, path);
    check_sections(reading);
    read_top(reading);
    read_authentication(reading);
    read_session(reading);
    read_datagram(reading);
    read_limits(reading);
    read_tls(reading);
    read_groups(reading);
    choose_default_group(reading);
    if (reading.faults.empty()) check_addresses(reading);
    if (!reading.faults.empty()) return std::unexpected(reading.faults.error());
    return std::move(reading.config);
}

Result<Config> load_config(const std::string& path) {
    const auto text = read_file(path, file_size_limit);
    if (!text)
        return fail(Vpn::configurationFailed,
                    fmt::format("the configuration file {} cannot be read", printable(path)),
                    system_error(text.error(), "open").with("file", path));
    return parse_config(*text, path);
}

}  // namespace causeway::gateway
