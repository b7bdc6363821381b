#include "causeway/gateway/datagram_offer.h"

#include "causeway/base/random.h"
#include "causeway/protocol/datagram_mtu.h"
#include "causeway/protocol/datagram_suites.h"
#include "causeway/protocol/moving_datagram.h"

#include <algorithm>

namespace causeway::gateway {
namespace {

std::uint16_t psk_suite(datapath::RecordSuite suite) {
    switch (suite) {
        case datapath::RecordSuite::aes128_gcm: return 0x00a8;
        case datapath::RecordSuite::aes256_gcm: return 0x00a9;
        case datapath::RecordSuite::chacha20_poly1305: return 0xccab;
    }
    std::unreachable();
}

/// A client's suite with a cipher that we want comes first, in our order; then those with CBC, in
/// the client's.
std::optional<protocol::ResumedSuite> choose(const std::vector<protocol::ResumedSuite>& known,
                                             const DatagramSettings& settings) {
    for (const auto wanted : settings.suites)
        for (const auto& suite : known)
            if (datapath::record_suite(suite.number) == wanted) return suite;
    for (const auto& suite : known)
        if (!datapath::record_suite(suite.number)) return suite;
    return std::nullopt;
}

}  // namespace

Result<tls::PskKey> exported_key(const tls::Stream& channel) {
    auto exported =
        channel.export_keying_material(protocol::psk_exporter_label, protocol::psk_size);
    if (!exported) return pass(exported);
    tls::PskKey key{Secret(std::string(as_text(*exported))), {}};
    std::ranges::fill(*exported, std::byte{});
    return key;
}

namespace {

/// The name and the key; false when the client knows no way that we know.
Result<bool> agree_on_key(const protocol::ConnectRequest& request, const DatagramSettings& settings,
                          const tls::Stream& channel, DatagramOffer& offer) {
    auto& [terms, parameters] = offer;
    if (settings.psk && protocol::lists_suite(request.datagram_ciphers, protocol::psk_negotiate)) {
        auto key = exported_key(channel);
        if (!key) return pass(key);
        terms.name = random_bytes(32);
        terms.key = std::move(*key);
        for (const auto suite : settings.suites) terms.suites.push_back(psk_suite(suite));
        parameters.app_id = terms.name;
        parameters.cipher_suite = protocol::psk_negotiate;
        return true;
    }
    const auto suite = choose(protocol::known_suites(request.datagram12_ciphers), settings);
    if (request.master_secret.empty() || !suite) return false;
    terms.name = random_bytes(protocol::datagram_session_id_size);
    terms.key = tls::ResumedKey{request.master_secret, terms.name, suite->number};
    parameters.session_id = terms.name;
    parameters.cipher_suite = suite->name;
    parameters.resumes = true;
    return true;
}

/// What fits into a datagram on the client's link, whichever suite is agreed on.
int datagram_mtu(const protocol::ConnectRequest& request, const DatagramTerms& terms,
                 const Endpoint& local, int most, int told) {
    if (request.base_mtu <= 0) return told;
    const auto* resumed = std::get_if<tls::ResumedKey>(&terms.key);
    const bool is_cbc = resumed != nullptr && !datapath::record_suite(resumed->suite);
    constexpr int overhead =
        static_cast<int>(datapath::record_overhead(datapath::RecordSuite::aes128_gcm));
    const auto family = local.address.family();
    const int fits = is_cbc ? protocol::tunnel_mtu_of_cbc(request.base_mtu, family)
                            : protocol::tunnel_mtu(request.base_mtu, family, overhead);
    // Stock clients have one MTU for both channels.
    return std::min(request.is_own_end ? most : told, fits);
}

}  // namespace

Result<std::optional<DatagramOffer>> offer_datagrams(const protocol::ConnectRequest& request,
                                                     const protocol::SessionParameters& told,
                                                     const Grant& grant, const tls::Stream& channel,
                                                     const Party& party, const Endpoint& local,
                                                     Place tunnel) {
    const DatagramSettings& settings = grant.datagram;
    if (!settings.enabled) return std::nullopt;
    DatagramOffer offer;
    auto agreed = agree_on_key(request, settings, channel, offer);
    if (!agreed) return pass(agreed);
    if (!*agreed) return std::nullopt;

    auto& [terms, parameters] = offer;
    terms.session = grant.session;
    terms.party = party;
    terms.tunnel = tunnel;
    if (grant.address4) terms.addresses.address4 = grant.address4->address;
    if (grant.address6) terms.addresses.address6 = grant.address6->address;
    terms.client_to_client = grant.settings.client_to_client;
    if (request.is_own_end) terms.connection_id = random_bytes(protocol::connection_id_size);
    terms.times = {
        .dpd = settings.dpd, .keepalive = settings.keepalive, .is_own_end = request.is_own_end};
    terms.mtu =
        static_cast<std::size_t>(datagram_mtu(request, terms, local, grant.settings.mtu, told.mtu));

    parameters.port = settings.port != 0 ? settings.port : local.port;
    parameters.connection_id = terms.connection_id;
    parameters.dpd = settings.dpd;
    parameters.keepalive = settings.keepalive;
    parameters.rekey_time = told.rekey_time;
    // A stock client would begin a handshake inside the channel otherwise.
    parameters.rekey_method = told.rekey_time > std::chrono::seconds(0)
                                  ? protocol::RekeyMethod::new_tunnel
                                  : protocol::RekeyMethod::none;
    if (parameters.resumes || request.is_own_end) parameters.mtu = static_cast<int>(terms.mtu);
    return offer;
}

}  // namespace causeway::gateway
