#include "causeway/protocol/session_parameters.h"

#include "causeway/base/text.h"
#include "causeway/protocol/datagram_suites.h"
#include "causeway/protocol/limits.h"
#include "causeway/protocol/moving_datagram.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace causeway::protocol {
namespace {

using std::chrono::seconds;

constexpr int mtu_smallest = 576;
constexpr int mtu_largest = static_cast<int>(cstp_payload_limit);
constexpr int mtu_of_v6 = 1280;
constexpr int link_mtu_largest = 65535;
constexpr std::int64_t seconds_largest = 10LL * 365 * 24 * 3600;
constexpr std::size_t app_id_largest = 32;

/// What has been read so far; addresses and masks come in separate headers.
struct Reading {
    SessionParameters parameters;
    DatagramParameters datagram;
    std::optional<IpAddress> address_v4;
    std::optional<IpAddress> address_v6;
    std::optional<IpAddress> mask_v4;
    std::optional<int> length_v6;
};

/// Takes one value; false when it cannot be read.
using Take = bool (*)(Reading&, std::string_view);
struct Row {
    std::string_view header;
    Take take;
};

bool take_seconds(seconds& to, std::string_view value) {
    if (equals_ignoring_case(value, "none") || value.empty()) return true;
    const auto number = parse_number<std::int64_t>(value, 0, seconds_largest);
    if (number) to = seconds(*number);
    return number.has_value();
}

/// Of several ends of the session, the first counts.
bool take_session_end(Reading& reading, std::string_view value) {
    seconds end{};
    if (!take_seconds(end, value)) return false;
    seconds& known = reading.parameters.session_timeout;
    if (end.count() != 0 && (known.count() == 0 || end < known)) known = end;
    return true;
}

bool take_flag(bool& to, std::string_view value) {
    to = equals_ignoring_case(value, "true");
    return to || equals_ignoring_case(value, "false");
}

bool take_method(RekeyMethod& to, std::string_view value) {
    if (equals_ignoring_case(value, "ssl"))
        to = RekeyMethod::ssl;
    else if (equals_ignoring_case(value, "new-tunnel"))
        to = RekeyMethod::new_tunnel;
    else
        return equals_ignoring_case(value, "none") || value.empty();
    return true;
}

bool take_mtu(int& to, std::string_view value) {
    const auto number = parse_number(value, mtu_smallest, 65535);
    if (number) to = std::max(to, std::min(*number, mtu_largest));
    return number.has_value();
}

bool take_link_mtu(int& to, std::string_view value) {
    const auto number = parse_number(value, mtu_smallest, link_mtu_largest);
    if (number) to = *number;
    return number.has_value();
}

/// Whether a tunnel's end can have it.
bool is_usable(const IpAddress& address) {
    return !address.is_unspecified() && !address.is_loopback() && !address.is_multicast();
}

bool take_v6(Reading& reading, std::string_view value) {
    const auto prefix = Prefix::parse(value);
    if (!prefix || prefix->family() != Family::ipv6 || !is_usable(prefix->address)) return false;
    reading.address_v6 = prefix->address;
    if (value.find('/') != std::string_view::npos) reading.length_v6 = prefix->length;
    return true;
}

bool take_address(Reading& reading, std::string_view value) {
    const auto address = IpAddress::parse(value);
    if (!address || !address->is_v4()) return take_v6(reading, value);
    if (!is_usable(*address)) return false;
    reading.address_v4 = *address;
    return true;
}

bool take_mask(Reading& reading, std::string_view value) {
    const auto mask = IpAddress::parse(value);
    if (mask && mask->is_v4()) {
        reading.mask_v4 = *mask;
        return Prefix::from_mask(*mask, *mask).has_value();
    }
    const auto prefix = Prefix::parse(value);
    if (!prefix || prefix->family() != Family::ipv6) return false;
    reading.length_v6 = prefix->length;
    return true;
}

bool take_server(std::vector<IpAddress>& to, std::string_view value) {
    const auto address = IpAddress::parse(value);
    if (!address || address->is_unspecified() || address->is_multicast()) return false;
    if (std::ranges::find(to, *address) == to.end()) to.push_back(*address);
    return true;
}

bool take_route(std::vector<Prefix>& to, std::string_view value) {
    const auto prefix = Prefix::parse(value);
    if (prefix) to.push_back(prefix->network());
    return prefix.has_value();
}

bool take_exclusion(Reading& reading, std::string_view value) {
    const auto prefix = Prefix::parse(value);
    if (!prefix) return false;
    // The form in which a gateway excludes whatever network the client is attached to.
    if (prefix->address.is_unspecified() && prefix->length == prefix->address.bits())
        reading.parameters.excludes_local_network = true;
    else
        reading.parameters.exclude.push_back(prefix->network());
    return true;
}

/// Names go into the resolver's file, so nothing else may pass.
bool is_domain(std::string_view text) {
    return !text.empty() && text.size() <= 253 && std::ranges::all_of(text, [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               c == '-' || c == '_' || c == '.';
    });
}

bool take_domains(std::vector<std::string>& to, std::string_view value) {
    std::string spaced(value);
    std::ranges::replace(spaced, ',', ' ');
    for (const auto domain : split(spaced, ' ')) {
        if (domain.empty()) continue;
        if (!is_domain(domain)) return false;
        to.emplace_back(domain);
    }
    return true;
}

/// "%20" and its like made into bytes; a '%' without two digits stays.
std::string unescaped(std::string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte =
            text[i] == '%' && i + 2 < text.size() ? from_hex(text.substr(i + 1, 2)) : std::nullopt;
        plain += byte ? std::to_integer<char>(byte->front()) : text[i];
        if (byte) i += 2;
    }
    return plain;
}

/// What `unescaped` makes the text again, on one line of ASCII.
std::string escaped(std::string_view text) {
    std::string line;
    for (const char c : text) {
        if (c < 0x20 || c == '%' || c == 0x7f)
            line += fmt::format("%{:02x}", static_cast<unsigned char>(c));
        else
            line += c;
    }
    return line;
}

bool take_encoding(Reading&, std::string_view value) {
    return value.empty() || equals_ignoring_case(value, "identity");
}

bool take_port(Reading& reading, std::string_view value) {
    const auto port = parse_number<std::uint16_t>(value, 0, 65535);
    if (port) reading.datagram.port = *port;
    return port.has_value();
}

bool take_app_id(Reading& reading, std::string_view value) {
    const auto id = from_hex(value);
    if (!id || id->empty() || id->size() > app_id_largest) return false;
    reading.datagram.app_id = *id;
    return true;
}

bool take_session_id(Reading& reading, std::string_view value) {
    const auto id = from_hex(value);
    if (!id || id->size() != datagram_session_id_size) return false;
    reading.datagram.session_id = *id;
    return true;
}

bool take_connection_id(Reading& reading, std::string_view value) {
    const auto id = from_hex(value);
    if (!id || id->size() != connection_id_size) return false;
    reading.datagram.connection_id = *id;
    return true;
}

/// The list for DTLS 1.2 overrides the plain one, whichever comes first.
bool take_suite(Reading& reading, std::string_view value) {
    if (!reading.datagram.resumes) reading.datagram.cipher_suite = value;
    return true;
}

bool take_resumed_suite(Reading& reading, std::string_view value) {
    reading.datagram.resumes = !value.empty();
    if (!value.empty()) reading.datagram.cipher_suite = value;
    return true;
}

using In = Reading&;
using Text = std::string_view;

constexpr auto rows = std::to_array<Row>({
    {"X-CSTP-Server-Name", [](In r, Text t) { return r.parameters.server_name = t, true; }},
    {"X-CSTP-Hostname", [](In r, Text t) { return r.parameters.hostname = t, true; }},
    {"X-CSTP-Address", take_address},
    {"X-CSTP-Netmask", take_mask},
    {"X-CSTP-Address-IP6", take_v6},
    {"X-CSTP-DNS", [](In r, Text t) { return take_server(r.parameters.dns, t); }},
    {"X-CSTP-DNS-IP6", [](In r, Text t) { return take_server(r.parameters.dns, t); }},
    {"X-CSTP-NBNS", [](In r, Text t) { return take_server(r.parameters.nbns, t); }},
    {"X-CSTP-Default-Domain", [](In r, Text t) { return take_domains(r.parameters.domains, t); }},
    {"X-CSTP-Split-DNS", [](In r, Text t) { return take_domains(r.parameters.split_dns, t); }},
    {"X-CSTP-Tunnel-All-DNS",
     [](In r, Text t) { return take_flag(r.parameters.tunnels_all_dns, t); }},
    {"X-CSTP-Split-Include", [](In r, Text t) { return take_route(r.parameters.include, t); }},
    {"X-CSTP-Split-Include-IP6", [](In r, Text t) { return take_route(r.parameters.include, t); }},
    {"X-CSTP-Split-Exclude", take_exclusion},
    {"X-CSTP-Split-Exclude-IP6", take_exclusion},
    {"X-CSTP-MTU", [](In r, Text t) { return take_mtu(r.parameters.mtu, t); }},
    {"X-CSTP-Base-MTU", [](In r, Text t) { return take_link_mtu(r.parameters.base_mtu, t); }},
    {"X-CSTP-DPD", [](In r, Text t) { return take_seconds(r.parameters.dpd, t); }},
    {"X-CSTP-Keepalive", [](In r, Text t) { return take_seconds(r.parameters.keepalive, t); }},
    {"X-CSTP-Idle-Timeout",
     [](In r, Text t) { return take_seconds(r.parameters.idle_timeout, t); }},
    {"X-CSTP-Session-Timeout", take_session_end},
    {"X-CSTP-Session-Timeout-Remaining", take_session_end},
    {"X-CSTP-Lease-Duration", take_session_end},
    {"X-CSTP-Disconnected-Timeout",
     [](In r, Text t) { return take_seconds(r.parameters.disconnected_timeout, t); }},
    {"X-CSTP-Rekey-Time", [](In r, Text t) { return take_seconds(r.parameters.rekey_time, t); }},
    {"X-CSTP-Rekey-Method", [](In r, Text t) { return take_method(r.parameters.rekey_method, t); }},
    {"X-CSTP-Banner", [](In r, Text t) { return r.parameters.banner = unescaped(t), true; }},
    {"X-CSTP-Content-Encoding", take_encoding},
    {"X-CSTP-MSIE-Proxy-PAC-URL", [](In r, Text t) { return r.parameters.proxy_url = t, true; }},
    {"X-CSTP-DynDNS", [](In r, Text t) { return take_flag(r.parameters.has_dynamic_address, t); }},
    {"X-CSTP-Client-Bypass-Protocol",
     [](In r, Text t) { return take_flag(r.parameters.bypasses_other_family, t); }},
    {"X-DTLS-Port", take_port},
    {"X-DTLS-App-ID", take_app_id},
    {"X-DTLS-Session-ID", take_session_id},
    {"X-DTLS-CipherSuite", take_suite},
    {"X-DTLS12-CipherSuite", take_resumed_suite},
    {"X-Causeway-Datagram", take_connection_id},
    {"X-Causeway-Bundle",
     [](In r, Text t) { return r.parameters.bundles = t == "1", t == "1" || t == "0"; }},
    {"X-DTLS-DPD", [](In r, Text t) { return take_seconds(r.datagram.dpd, t); }},
    {"X-DTLS-Keepalive", [](In r, Text t) { return take_seconds(r.datagram.keepalive, t); }},
    {"X-DTLS-Rekey-Time", [](In r, Text t) { return take_seconds(r.datagram.rekey_time, t); }},
    {"X-DTLS-Rekey-Method", [](In r, Text t) { return take_method(r.datagram.rekey_method, t); }},
    {"X-DTLS-MTU", [](In r, Text t) { return take_mtu(r.datagram.mtu, t); }},
    {"X-DTLS-Content-Encoding", take_encoding},
});

std::unexpected<Error> refuse(const Header& header) {
    return fail(Vpn::negotiationFailed,
                fmt::format("the gateway's header {} cannot be used: “{}”", header.name,
                            printable(std::string_view(header.value).substr(0, 200))),
                {{"header", header.name}, {"value", printable(header.value)}});
}

/// What the separate headers say together.
Result<SessionParameters> put_together(Reading reading) {
    SessionParameters& parameters = reading.parameters;
    // Of stock gateways both mean the tunnel; our own has one for each channel.
    if (reading.datagram.connection_id.empty())
        parameters.mtu = std::max(parameters.mtu, reading.datagram.mtu);
    if (parameters.mtu == 0)
        return fail(Vpn::negotiationFailed, "the gateway named no MTU for the tunnel",
                    {{"header", "X-CSTP-MTU"}});

    if (reading.address_v4) {
        const IpAddress all_ones = IpAddress::v4(0xffffffff);
        parameters.address_v4 =
            Prefix::from_mask(*reading.address_v4, reading.mask_v4.value_or(all_ones));
    }
    if (reading.address_v6 && parameters.mtu >= mtu_of_v6)
        parameters.address_v6 = Prefix{*reading.address_v6, reading.length_v6.value_or(128)};
    if (!parameters.address_v4 && !parameters.address_v6)
        return fail(Vpn::negotiationFailed,
                    reading.address_v6
                        ? fmt::format("the gateway gave only an IPv6 address, and its MTU of {} is "
                                      "below the 1280 that IPv6 needs",
                                      parameters.mtu)
                        : "the gateway gave no address for the tunnel",
                    {{"header", "X-CSTP-Address"}});
    if (reading.datagram.port != 0) parameters.datagram = std::move(reading.datagram);
    return std::move(parameters);
}

// Writing

class Writer {
public:
    explicit Writer(Headers& headers) : headers_(headers) {}

    void text(std::string_view name, std::string_view value) { headers_.add(name, value); }
    void text_if_any(std::string_view name, std::string_view value) {
        if (!value.empty()) text(name, value);
    }
    void number(std::string_view name, std::int64_t value) { text(name, std::to_string(value)); }
    void flag(std::string_view name, bool value) { text(name, value ? "true" : "false"); }
    void time(std::string_view name, seconds value) { number(name, value.count()); }
    void time_or_none(std::string_view name, seconds value) {
        value.count() == 0 ? text(name, "none") : time(name, value);
    }
    void method(std::string_view name, RekeyMethod method) {
        if (method == RekeyMethod::ssl) text(name, "ssl");
        if (method == RekeyMethod::new_tunnel) text(name, "new-tunnel");
    }
    /// Stock clients want IPv4 masks dotted.
    void route(std::string_view name, const Prefix& prefix) {
        if (prefix.family() == Family::ipv4)
            text(name, prefix.address.text() + "/" + prefix.mask().text());
        else
            text(std::string(name) + "-IP6", prefix.text());
    }

private:
    Headers& headers_;
};

void write_addresses(Writer& to, const SessionParameters& parameters, bool knows_v6_headers) {
    if (parameters.address_v4) {
        to.text("X-CSTP-Address", parameters.address_v4->address.text());
        to.text("X-CSTP-Netmask", parameters.address_v4->mask().text());
    }
    if (!parameters.address_v6) return;
    if (knows_v6_headers) {
        to.text("X-CSTP-Address-IP6", parameters.address_v6->text());
        return;
    }
    to.text("X-CSTP-Address", parameters.address_v6->address.text());
    to.text("X-CSTP-Netmask", parameters.address_v6->text());
}

void write_routes(Writer& to, const SessionParameters& parameters, bool knows_v6_headers) {
    for (const IpAddress& server : parameters.dns) to.text("X-CSTP-DNS", server.text());
    for (const IpAddress& server : parameters.nbns) to.text("X-CSTP-NBNS", server.text());
    for (const std::string& domain : parameters.split_dns) to.text("X-CSTP-Split-DNS", domain);
    const auto is_told = [&](const Prefix& prefix) {
        return knows_v6_headers || prefix.family() == Family::ipv4;
    };
    for (const Prefix& prefix : parameters.include)
        if (is_told(prefix)) to.route("X-CSTP-Split-Include", prefix);
    for (const Prefix& prefix : parameters.exclude)
        if (is_told(prefix)) to.route("X-CSTP-Split-Exclude", prefix);
    if (parameters.excludes_local_network)
        to.text("X-CSTP-Split-Exclude", "0.0.0.0/255.255.255.255");
}

void write_datagram(Writer& to, const DatagramParameters& datagram) {
    to.time("X-DTLS-DPD", datagram.dpd);
    to.number("X-DTLS-Port", datagram.port);
    if (datagram.rekey_method != RekeyMethod::none) {
        to.time("X-DTLS-Rekey-Time", datagram.rekey_time);
        to.method("X-DTLS-Rekey-Method", datagram.rekey_method);
    }
    to.time("X-DTLS-Keepalive", datagram.keepalive);
    if (!datagram.app_id.empty()) to.text("X-DTLS-App-ID", hex(datagram.app_id));
    if (!datagram.session_id.empty()) to.text("X-DTLS-Session-ID", hex(datagram.session_id));
    to.text_if_any(datagram.resumes ? "X-DTLS12-CipherSuite" : "X-DTLS-CipherSuite",
                   datagram.cipher_suite);
    if (!datagram.connection_id.empty())
        to.text("X-Causeway-Datagram", hex(datagram.connection_id));
    if (datagram.mtu != 0) to.number("X-DTLS-MTU", datagram.mtu);
}

}  // namespace

Result<SessionParameters> read_session_parameters(const Headers& headers) {
    Reading reading;
    for (const Header& header : headers) {
        const auto row = std::ranges::find_if(rows, [&](const Row& known) {
            return equals_ignoring_case(known.header, header.name);
        });
        if (row == rows.end()) continue;
        if (!row->take(reading, header.value)) return refuse(header);
    }
    return put_together(std::move(reading));
}

void write_session_parameters(const SessionParameters& parameters, Headers& headers,
                              bool knows_v6_headers) {
    Writer to(headers);
    to.text("X-CSTP-Version", "1");
    to.text_if_any("X-CSTP-Server-Name", parameters.server_name);
    to.text_if_any("X-CSTP-Hostname", parameters.hostname);
    to.time("X-CSTP-DPD", parameters.dpd);
    to.text_if_any("X-CSTP-Default-Domain", join(parameters.domains, " "));
    write_addresses(to, parameters, knows_v6_headers);
    write_routes(to, parameters, knows_v6_headers);
    to.flag("X-CSTP-Tunnel-All-DNS", parameters.tunnels_all_dns);
    to.flag("X-CSTP-Client-Bypass-Protocol", parameters.bypasses_other_family);
    to.time("X-CSTP-Keepalive", parameters.keepalive);
    to.time_or_none("X-CSTP-Idle-Timeout", parameters.idle_timeout);
    to.flag("X-CSTP-Smartcard-Removal-Disconnect", true);
    if (parameters.rekey_method != RekeyMethod::none) {
        to.time("X-CSTP-Rekey-Time", parameters.rekey_time);
        to.method("X-CSTP-Rekey-Method", parameters.rekey_method);
    }
    to.time("X-CSTP-Session-Timeout", parameters.session_timeout);
    to.time("X-CSTP-Session-Timeout-Remaining", parameters.session_timeout);
    to.time_or_none("X-CSTP-Disconnected-Timeout", parameters.disconnected_timeout);
    to.flag("X-CSTP-Keep", true);
    to.flag("X-CSTP-TCP-Keepalive", true);
    to.text("X-CSTP-License", "accept");
    to.text_if_any("X-CSTP-Banner", escaped(parameters.banner));
    to.text_if_any("X-CSTP-MSIE-Proxy-PAC-URL", parameters.proxy_url);
    if (parameters.has_dynamic_address) to.flag("X-CSTP-DynDNS", true);
    if (parameters.bundles) to.text("X-Causeway-Bundle", "1");
    if (parameters.datagram) write_datagram(to, *parameters.datagram);
    if (parameters.base_mtu != 0) to.number("X-CSTP-Base-MTU", parameters.base_mtu);
    to.number("X-CSTP-MTU", parameters.mtu);
}

}  // namespace causeway::protocol
