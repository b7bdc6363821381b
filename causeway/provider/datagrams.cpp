#include "causeway/provider/datagrams.h"

#include "causeway/protocol/datagram_suites.h"

#include <algorithm>

namespace causeway::provider {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Stock gateways drop a second hello of a session within 3 s.
constexpr seconds pause_first{4};
constexpr seconds pause_longest{60};
// Between the last packet to the old association and the hello of the new one: what is under way
// is taken by the gateway as long as it has not heard of the new one.
constexpr milliseconds settle_time{30};
// How long the old association still delivers what was under way.
constexpr seconds retirement_time{2};

}  // namespace

DatagramTotals& DatagramTotals::operator+=(const DatagramTotals& other) {
    sends += other.sends;
    receives += other.receives;
    overflowed += other.overflowed;
    control_in += other.control_in;
    handshakes_in += other.handshakes_in;
    control_out += other.control_out;
    questions += other.questions;
    drops_in += other.drops_in;
    drops_out += other.drops_out;
    if (other.offloads) offloads = other.offloads;
    return *this;
}

namespace {

DatagramTotals totals_of(const Association& association) {
    DatagramTotals totals;
    const auto& port = association.port();
    totals.sends = port.sends();
    totals.receives = port.receives();
    totals.overflowed = port.overflowed();
    totals.control_in = association.control().control_in;
    totals.handshakes_in = association.handshakes_in();
    totals.control_out = association.control_out();
    totals.questions = association.control().probes_sent;
    totals.drops_in = association.drops_in();
    totals.drops_out = association.drops_out();
    totals.offloads = port.offloads();
    return totals;
}

}  // namespace

Datagrams::Datagrams(Environment& environment, const Link& link,
                     const protocol::SessionParameters& parameters, Secret master_secret,
                     TunSink& sink, Handler handler, TunGone tun_gone)
    : environment_(environment),
      link_(link),
      parameters_(parameters),
      master_secret_(std::move(master_secret)),
      sink_(sink),
      handler_(std::move(handler)),
      tun_gone_(std::move(tun_gone)) {}

Datagrams::~Datagrams() = default;

void Datagrams::start() {
    const auto& offered = parameters_.datagram;
    if (std::exchange(is_started_, true) || !environment_.settings.use_datagrams) return;
    if (!offered || offered->cipher_suite.empty()) return;
    open();
}

void Datagrams::renew() {
    if (!is_started_ || !parameters_.datagram) return;
    if (active_) {
        drop(retired_);
        retired_ = std::move(active_);
        retired_->retire();
        retirement_ =
            environment_.loop.at(Clock::now() + retirement_time, [this] { drop(retired_); });
    }
    pause_ = {};
    again_ = environment_.loop.at(Clock::now() + soonest_hello(), [this] { open(); });
}

milliseconds Datagrams::soonest_hello() const {
    const auto since = std::chrono::duration_cast<milliseconds>(Clock::now() - opened_);
    return std::max<milliseconds>(pause_first - since, settle_time);
}

void Datagrams::close() {
    again_.reset();
    retirement_.reset();
    handler_ = nullptr;
    drop(retired_);
    drop(active_);
}

Result<AssociationSettings> Datagrams::settings() const {
    const auto& offered = *parameters_.datagram;
    AssociationSettings settings;
    settings.remote = {link_.remote().address, offered.port};
    settings.times = {offered.dpd, offered.keepalive, !offered.connection_id.empty()};
    settings.connection_id = offered.connection_id;
    // Our own gateway says one for each channel.
    const bool has_own_mtu = !offered.connection_id.empty() && offered.mtu > 0;
    settings.mtu = has_own_mtu ? offered.mtu : parameters_.mtu;
    settings.link_mtu = parameters_.base_mtu;
    settings.carries_v6 = parameters_.address_v6.has_value();
    settings.crypto = environment_.settings.crypto;
    if (offered.cipher_suite == protocol::psk_negotiate) {
        auto key = link_.export_key(protocol::psk_exporter_label, protocol::psk_size);
        if (!key) return pass(key);
        settings.key = tls::PskKey{Secret(std::string(as_text(*key))), offered.app_id};
        explicit_bzero(key->data(), key->size());
        return settings;
    }
    const auto suite = protocol::resumed_suite(offered.cipher_suite);
    if (!suite || offered.session_id.empty())
        return fail(Tls::errSSLNegotiation,
                    "the gateway chose a way to protect datagrams that was not offered",
                    {{"suite", offered.cipher_suite}});
    settings.key = tls::ResumedKey{master_secret_, offered.session_id, suite->number};
    return settings;
}

void Datagrams::open() {
    opened_ = Clock::now();
    auto wanted = settings();
    if (!wanted) return failed(std::move(wanted).error());
    auto opened =
        Association::open(environment_.loop, std::move(*wanted), environment_.protect, sink_,
                          [this](AssociationEvent event) { heard(std::move(event)); });
    if (!opened) return failed(std::move(opened).error());
    drop(active_);
    active_ = std::move(*opened);
}

void Datagrams::heard(AssociationEvent event) {
    if (auto* gone = std::get_if<AssociationTunGone>(&event))
        return tun_gone_(std::move(gone->why));
    if (std::holds_alternative<AssociationWorn>(event)) return renew();
    if (auto* ended = std::get_if<AssociationEnded>(&event)) return failed(std::move(ended->why));
    if (auto* down = std::get_if<AssociationDown>(&event)) return tell_down(std::move(down->why));
    DatagramChanged changed;
    changed.remote = link_.remote().address.text();
    if (const auto* up = std::get_if<AssociationUp>(&event)) {
        changed.state = DatagramChanged::State::up;
        changed.suite = up->suite;
        changed.crypto = up->crypto;
        changed.mtu = static_cast<int>(up->mtu);
        pause_ = {};
        told_down_ = false;
    } else {
        changed.state = DatagramChanged::State::resized;
        changed.mtu = static_cast<int>(std::get<AssociationResized>(event).mtu);
    }
    told_mtu_ = changed.mtu;
    changed.remote = Endpoint{link_.remote().address, parameters_.datagram->port}.text();
    if (handler_) handler_(std::move(changed));
}

/// It is begun again after a pause, for as long as the session lasts: at first without one, since
/// the hello is repeated for a while and may be the first datagram that gets through.
void Datagrams::failed(Error why) {
    const milliseconds pause = pause_.count() > 0 ? pause_ : soonest_hello();
    pause_ = std::clamp(pause_ * 2, pause_first, pause_longest);
    again_ = environment_.loop.at(Clock::now() + pause, [this] { open(); });
    tell_down(std::move(why));
}

/// Said once, until it works again.
void Datagrams::tell_down(Error why) {
    if (std::exchange(told_down_, true) || !handler_) return;
    DatagramChanged changed;
    changed.state = DatagramChanged::State::down;
    // A record of TLS has room for less than one of DTLS.
    if (std::exchange(told_mtu_, 0) > parameters_.mtu) changed.mtu = parameters_.mtu;
    changed.remote = Endpoint{link_.remote().address, parameters_.datagram->port}.text();
    changed.why = std::move(why);
    handler_(std::move(changed));
}

void Datagrams::drop(std::unique_ptr<Association>& association) {
    if (!association) return;
    const auto closing = std::move(association);
    closing->close();
    past_ += totals_of(*closing);
}

DatagramTotals Datagrams::totals() const {
    DatagramTotals totals = past_;
    for (const auto* one : {retired_.get(), active_.get()})
        if (one) totals += totals_of(*one);
    return totals;
}

}  // namespace causeway::provider
