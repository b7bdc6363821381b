#include "causeway/provider/session.h"

#include "causeway/base/text.h"
#include "causeway/provider/answers.h"
#include "causeway/provider/count.h"
#include "causeway/provider/local_address.h"
#include "causeway/provider/tunnel_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace causeway::provider {
namespace {

// Between the last packet on the old connection and CONNECT on the new one: time for the gateway
// to take what is under way, since it drops the old connection with its answer.
constexpr std::chrono::milliseconds settle_time{30};
// Until the gateway has dropped the old connection, its answers may still go there and be lost. So
// nothing is sent before the old one has ended, and a moment after that; but not for ever.
constexpr std::chrono::milliseconds old_end_limit{250};
constexpr std::chrono::milliseconds after_old_end{10};
// How long datagrams wait for another address, which comes a moment after the old one has gone, and
// how often they look.
constexpr std::chrono::seconds away_limit{3};
constexpr std::chrono::milliseconds away_pause{100};
// Between two attempts when a new address calls for one before its time.
constexpr std::chrono::milliseconds attempt_pause{250};
// How long the old connection still delivers what was under way.
constexpr std::chrono::seconds retirement_time{2};

Error timeout_error(Phase phase, const std::string& host, std::chrono::milliseconds limit) {
    const auto time = spoken(limit);
    const auto code =
        phase == Phase::resolve ? Vpn::serverAddressResolutionFailed : Vpn::serverNotResponding;
    return Error{code, fmt::format("no connection to {} within {}", printable(host), time)}
        .with("server", host)
        .with("phase", std::string(name_of(phase)))
        .because({Tls::errSSLNetworkTimeout, "the time allowed for connecting was over"});
}

Error address_gone(const IpAddress& address) {
    auto error = system_error(EADDRNOTAVAIL, "bind");
    error.detail =
        fmt::format("this machine does not have the address {} any more", address.text());
    return error;
}

}  // namespace

Session::Session(EventLoop& loop, const Settings& settings, Owner& owner, datapath::TunLanes& tun,
                 EventLoop::Action ended)
    : loop_(loop),
      settings_(settings),
      owner_(owner),
      tun_(tun),
      ended_(std::move(ended)),
      trail_([this](const TrailStep& step) { owner_.tell(PhasePassed{step}); }),
      farewells_(loop),
      environment_{loop,
                   settings,
                   trail_,
                   farewells_,
                   [this](int socket) { return owner_.protect(socket); },
                   [this](const IpAddress& local) {
                       return applied_ &&
                              std::ranges::any_of(applied_->addresses, [&](const Prefix& inner) {
                                  return inner.address == local;
                              });
                   }} {
    prompter_.ask = [this](const auto& form, const auto& fields) -> Result<Typed> {
        // Whoever sat at the terminal at the start need not be there hours later.
        if (loss_)
            return std::unexpected(Error{Vpn::authenticationFailed,
                                         "the gateway asks for more than the answers at hand"}
                                       .with("field", fields.front().name));
        const auto asked = Clock::now();
        auto typed = owner_.prompt(form, fields);
        // A person's time does not count.
        timeout_at_ += Clock::now() - asked;
        timeout_ = loop_.at(timeout_at_, [this] { out_of_time(); });
        return typed;
    };
    prompter_.show = [this](const std::string& text) { owner_.tell(BannerShown{text}); };
}

void Session::start() {
    timeout_at_ = Clock::now() + settings_.timeout;
    timeout_ = loop_.at(timeout_at_, [this] { out_of_time(); });
    dial_ = std::make_unique<Dial>(environment_, prompter_,
                                   [this](Result<Dialed> result) { dialed(std::move(result)); });
}

void Session::stop() {
    if (is_over_) return;
    end(Left{});
}

void Session::dialed(Result<Dialed> result) {
    timeout_.reset();
    if (!result) return fail_with(trail_.phase(), std::move(result).error());
    enter(std::move(*result), false);
}

void Session::enter(Dialed dialed, bool again) {
    const auto parameters = dialed.entered.parameters;
    pass_ = std::move(dialed.pass);
    local_ = local_address(dialed.entered.link->socket());
    make_tunnel(std::move(dialed.entered));
    trail_.enter(Phase::device);
    if (auto applied = apply(parameters); !applied)
        return fail_with(Phase::device, std::move(applied).error());
    if (loss_) ++attempts_;
    loss_.reset();
    up_since_ = Clock::now();
    tunnel_->resume();
    tell_connected(parameters, again);
}

void Session::make_tunnel(Entered entered) {
    const int number = ++tunnel_number_;
    tunnel_ = std::make_unique<Tunnel>(environment_, std::move(entered), tun_,
                                       [this, number](TunnelEvent event) {
                                           if (number == tunnel_number_)
                                               heard(std::move(event));
                                           else if (std::holds_alternative<TunnelEnded>(event))
                                               old_ended();
                                       });
}

Result<void> Session::apply(const protocol::SessionParameters& parameters) {
    auto wanted = tunnel_settings(parameters, tunnel_->link().remote().address);
    if (applied_ == wanted) return {};
    auto answer = owner_.apply(wanted);
    if (!answer) return pass(answer);
    for (auto& note : answer->notes) owner_.tell(Note{std::move(note)});
    if (parameters.excludes_local_network)
        owner_.tell(
            Note{"the gateway leaves the local network outside the tunnel; here only the "
                 "networks it names are left outside"});
    applied_ = std::move(wanted);
    trail_.note("device ready");
    return {};
}

void Session::tell_connected(const protocol::SessionParameters& parameters, bool again) {
    const auto& link = tunnel_->link();
    Connected connected;
    if (parameters.address_v4) connected.addresses.push_back(parameters.address_v4->address);
    if (parameters.address_v6) connected.addresses.push_back(parameters.address_v6->address);
    connected.server = fmt::format("{}:{}", pass_->gateway.host, pass_->gateway.port);
    connected.remote = link.remote().text();
    connected.version = tls::name(link.summary().version);
    connected.suite = link.summary().suite_name;
    connected.again = again;
    owner_.tell(std::move(connected));
    trail_.enter(Phase::connected);
    trail_.clear();
}

void Session::heard(TunnelEvent event) {
    if (std::holds_alternative<TunnelRekeyDue>(event)) return rekey();
    if (std::holds_alternative<TunnelRekeyed>(event)) return owner_.tell(Note{"new keys in place"});
    if (auto* changed = std::get_if<DatagramChanged>(&event)) return heard(std::move(*changed));
    auto& why = std::get<TunnelEnded>(event).why;
    // The gateway drops the old connection when it grants the new one, and that may come first.
    if (is_taking_over_)
        old_end_ = std::move(why);
    else
        lost(std::move(why));
}

void Session::heard(DatagramChanged changed) {
    const int mtu = changed.mtu;
    owner_.tell(std::move(changed));
    resize(mtu);
}

/// Packets from the TUN should be as large as the way carries them.
void Session::resize(int mtu) {
    if (!applied_ || mtu == 0 || mtu == applied_->mtu) return;
    auto wanted = *applied_;
    wanted.mtu = mtu;
    if (auto answer = owner_.apply(wanted); !answer)
        return owner_.tell(Note{"the MTU could not be changed: " + answer.error().detail});
    applied_ = std::move(wanted);
}

// Our address is gone: between our own ends the datagrams go on from another one at once, and the
// connection follows them by the cookie. Else the cookie alone brings the session back.

void Session::addresses_changed() {
    if (is_over_) return;
    if (loss_ && is_pausing_)
        return attempt_after(std::chrono::duration_cast<std::chrono::milliseconds>(
            attempted_at_ + attempt_pause - Clock::now()));
    // Once datagrams have lost their address they need one anew, be it the same.
    if (tunnel_ && local_ && (away_since_ || !is_ours(*local_))) follow_address();
}

void Session::follow_address() {
    const auto now = Clock::now();
    const auto move = tunnel_->move();
    if (move == Move::done) return moved();
    if (!away_since_) away_since_ = now;
    if (move == Move::not_yet && now - *away_since_ < away_limit) {
        away_ = loop_.at(now + away_pause, [this] { addresses_changed(); });
        return;
    }
    lost(address_gone(*local_));
}

void Session::moved() {
    away_since_.reset();
    const auto before = std::exchange(local_, tunnel_->local_address());
    // Then the connection is where it was, too.
    if (local_ == before) return;
    owner_.tell(Note{fmt::format("the address {} is gone; datagrams go on from {}", before->text(),
                                 local_ ? local_->text() : "another one")});
    is_moving_ = true;
    takeovers_ = 0;
    rekey();
}

void Session::lost(Error why) {
    const bool loss = is_loss(why);
    away_since_.reset();
    away_.reset();
    is_moving_ = false;
    drop_tunnel();
    dial_.reset();
    pause_.reset();
    is_resuming_ = is_taking_over_ = false;
    if (!loss) return fail_with(Phase::connected, std::move(why));
    // Losses in quick succession are one: otherwise a gateway that drops every session at once
    // would be asked again and again without a pause.
    const bool in_succession = Clock::now() - up_since_ < policy_.longest_pause;
    if (!in_succession || attempts_ == 0) lost_at_ = Clock::now();
    if (!in_succession) attempts_ = 0;
    loss_ = Loss{.why = as_end_of_session(std::move(why)), .once = settings_.once};
    loss_->attempts = attempts_;
    loss_->can_log_in = settings_.user.has_value() && settings_.password.has_value();
    if (settings_.identity && !settings_.user) loss_->can_log_in = true;
    loss_->address_gone = local_ && !is_ours(*local_);
    decide(after_loss(*loss_, policy_));
}

void Session::decide(ReconnectMove move) {
    if (auto* again = std::get_if<TryAgain>(&move)) return try_again(*again);
    if (std::holds_alternative<LogInAgain>(move)) return log_in_again();
    fail_with(Phase::connected, std::move(std::get<GiveUp>(move).why));
}

void Session::try_again(TryAgain move) {
    trail_.enter(Phase::network);
    owner_.tell(Reconnecting{loss_->why, loss_->attempts + 1, move.pause});
    attempt_after(move.pause);
}

void Session::attempt_after(std::chrono::milliseconds pause) {
    is_pausing_ = true;
    pause_ = loop_.at(Clock::now() + pause, [this] {
        is_pausing_ = false;
        attempted_at_ = Clock::now();
        dial_ = std::make_unique<Dial>(environment_, *pass_, Dial::Hold{},
                                       [this](auto result) { came_back(std::move(result)); });
    });
}

void Session::log_in_again() {
    ++loss_->logins;
    is_pausing_ = false;
    owner_.tell(Note{"the gateway does not know the session any more; logging in again"});
    pause_ = loop_.at(Clock::now(), [this] {
        dial_ = std::make_unique<Dial>(environment_, prompter_,
                                       [this](auto result) { came_back(std::move(result)); });
    });
}

void Session::came_back(Result<Dialed> result) {
    if (!result) return attempt_failed(std::move(result).error());
    if (!loss_->once) return enter(std::move(*result), true);
    // The session was alive all the time: the loss was the connection's alone.
    auto why = loss_->why;
    tunnel_ = std::make_unique<Tunnel>(environment_, std::move(result->entered), tun_,
                                       [](TunnelEvent) {});
    fail_with(Phase::connected, std::move(why));
}

void Session::attempt_failed(Error failure) {
    loss_->attempts = ++attempts_;
    loss_->elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - lost_at_);
    loss_->address_gone = local_ && !is_ours(*local_);
    decide(after_attempt(*loss_, std::move(failure), policy_));
}

void Session::rekey() {
    // One that was under way, from an address that is gone by now, is given up.
    is_taking_over_ = is_resuming_ = false;
    tunnel_->resume();
    const auto hold = [this](EventLoop::Action go_on) {
        tunnel_->pause();
        is_taking_over_ = true;
        pause_ = loop_.at(Clock::now() + settle_time, std::move(go_on));
    };
    dial_ = std::make_unique<Dial>(environment_, *pass_, hold,
                                   [this](auto result) { rekeyed(std::move(result)); });
}

void Session::rekeyed(Result<Dialed> result) {
    is_taking_over_ = false;
    if (!result && old_end_) return lost(*std::exchange(old_end_, std::nullopt));
    if (!result) return new_keys_failed(result.error());
    drop_retired();
    retired_ = std::move(tunnel_);
    retirement_ = loop_.at(Clock::now() + retirement_time, [this] { drop_retired(); });
    const auto parameters = result->entered.parameters;
    pass_ = std::move(result->pass);
    local_ = local_address(result->entered.link->socket());
    make_tunnel(std::move(result->entered));
    if (auto applied = apply(parameters); !applied)
        return fail_with(Phase::device, std::move(applied).error());
    // One whose address is gone will never hear of its end.
    const bool has_moved = std::exchange(is_moving_, false);
    const bool old_is_gone = old_end_.has_value() || has_moved;
    old_end_.reset();
    resume_after(old_is_gone ? after_old_end : old_end_limit);
    trail_.enter(Phase::connected);
    trail_.clear();
    owner_.tell(Note{has_moved ? "the connection has followed to the new address"
                               : "new keys by a second connection"});
}

/// The old keys, or the datagrams from the new address, are still good for a while; the gateway, or
/// silence, says when they are not.
void Session::new_keys_failed(const Error& why) {
    owner_.tell(Note{(is_moving_ ? "the connection could not follow to the new address: "
                                 : "new keys could not be agreed: ") +
                     why.detail});
    trail_.clear();
    tunnel_->resume();
    const auto pause = is_moving_ ? pause_before(++takeovers_ + 1, policy_) : policy_.longest_pause;
    pause_ = loop_.at(Clock::now() + pause, [this] {
        if (tunnel_) rekey();
    });
}

void Session::old_ended() {
    if (is_resuming_) resume_after(after_old_end);
}

void Session::resume_after(std::chrono::milliseconds wait) {
    is_resuming_ = true;
    pause_ = loop_.at(Clock::now() + wait, [this] {
        is_resuming_ = false;
        tunnel_->resume();
    });
}

void Session::out_of_time() {
    if (is_over_ || tunnel_) return;
    auto error = timeout_error(trail_.phase(), settings_.gateway.host, settings_.timeout);
    trail_.note(error.detail);
    fail_with(trail_.phase(), std::move(error));
}

void Session::fail_with(Phase phase, Error error) {
    if (is_over_) return;
    const auto server = fmt::format("{}:{}", settings_.gateway.host, settings_.gateway.port);
    end(Failed{
        make_incident(settings_.gateway.text(), server, phase, std::move(error), trail_.steps())});
}

void Session::end(WorkerMessage last) {
    is_over_ = true;
    timeout_.reset();
    pause_.reset();
    retirement_.reset();
    // Both may be on the stack above this call; they end with it.
    auto dial = std::move(dial_);
    drop_retired();
    if (tunnel_) farewells_.dismiss(tunnel_->leave("the user ended the session"));
    if (up_since_ != Instant{}) tell_totals();
    owner_.tell(last);
    farewells_.when_empty([this] { ended_(); });
}

void Session::drop_tunnel() {
    drop_retired();
    farewells_.dismiss(tunnel_->release());
    past_ += tunnel_->totals();
    tunnel_.reset();
}

void Session::drop_retired() {
    retirement_.reset();
    if (!retired_) return;
    farewells_.dismiss(retired_->release());
    past_ += retired_->totals();
    retired_.reset();
}

void Session::tell_totals() {
    if (tunnel_) past_ += tunnel_->totals();
    owner_.tell(counted(past_, tun_));
}

}  // namespace causeway::provider
