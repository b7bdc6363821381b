// Drives the device layer for the tests in this folder: sets a tunnel up, says how it went as one
// JSON line, waits for its standard input to end, and puts everything back.
//
//     device_tool apply STATE INTERFACE MTU [address=… | include=… | exclude=… | gateway=… |
//                                            dns=… | search=… | split=… | routes=COUNT |
//                                            addresses=COUNT | user=FIRST-LAST | kill-switch |
//                                            inside=APPLICATION | outside=APPLICATION |
//                                            lan=… | other=INTERFACE | allow-other-family |
//                                            block-other-family | keep | watch | timed |
//                                            again=GATEWAY]...
//     device_tool recover STATE
//     device_tool lock [lan=… | tunnel=INTERFACE | user=FIRST-LAST | portal=ADDRESS |
//                       portal-user=NUMBER | portal-time=MILLISECONDS]...
//     device_tool lift
//     device_tool tun NAME
//     device_tool protect MARK ADDRESS PORT
//     device_tool reflect INTERFACE MTU ADDRESS...
//
// "reflect" takes super-packets apart, exchanges the addresses of every packet, and sends them back
// as super-packets: the machine then answers its own pings, and talks TCP to itself.
//
// The interface is made as a TUN unless it is there ("keep"). With "again" the same is applied a
// second time with one more gateway. With "watch" it is looked after, and what there is to say is
// said; with "timed" the milliseconds that it took are.

#include "causeway/base/clock.h"
#include "causeway/base/text.h"
#include "causeway/datapath/ip_header.h"
#include "causeway/datapath/merger.h"
#include "causeway/datapath/splitter.h"
#include "causeway/datapath/tun_lanes.h"
#include "causeway/device/lockdown.h"
#include "causeway/device/protect.h"
#include "causeway/device/setup.h"
#include "causeway/device/tun.h"
#include "causeway/error/json.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>
#include <utility>
#include <vector>

namespace causeway::device {
namespace {

int say(const std::string& line, int status) {
    std::puts(line.c_str());
    std::fflush(stdout);
    return status;
}

int say(const Error& error) { return say(json_text(error), 1); }

/// Looks after the tunnel until the standard input ends.
int watch(Setup& setup) {
    auto news = setup.watch();
    if (!news) return say(news.error());
    say("watching", 0);
    std::array<pollfd, 2> waiting = {{{*news, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}}};
    while (poll(waiting.data(), waiting.size(), -1) > 0 && waiting[1].revents == 0) {
        if (!setup.has_news()) continue;
        usleep(50'000);
        setup.has_news();
        auto said = setup.look_after(Clock::now());
        if (!said) return say(said.error());
        for (const auto& words : *said) say("said: " + words, 0);
    }
    return 0;
}

void wait_for_end_of_input() {
    std::array<char, 64> buffer;
    while (read(STDIN_FILENO, buffer.data(), buffer.size()) > 0) {
    }
}

/// Distinct networks below 100.64.0.0/10 and its neighbours, each with 256 addresses.
void add_routes(NetworkSettings& settings, std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i)
        settings.included.push_back({IpAddress::v4(0x64400000 + (i << 8)), 24});
}

/// Of both families by turns, each a network of its own.
void add_addresses(NetworkSettings& settings, std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i)
        settings.addresses.push_back(
            i % 2 == 0 ? Prefix{IpAddress::v4(0x0a630101 + i), 32}
                       : *Prefix::parse(fmt::format("fd00:99::{:x}/128", 0x1000 + i)));
}

bool add_users(NetworkSettings& settings, std::string_view text) {
    const auto at = text.find('-');
    const auto first = parse_number<std::uint32_t>(text.substr(0, at), 0, 0xffffffff);
    const auto last = parse_number<std::uint32_t>(text.substr(at + 1), 0, 0xffffffff);
    if (!first || !last) return false;
    settings.users.push_back({*first, *last});
    return true;
}

KillSwitchSettings& kill_switch_of(NetworkSettings& settings) {
    if (!settings.kill_switch) settings.kill_switch.emplace();
    return *settings.kill_switch;
}

bool read_setting(NetworkSettings& settings, std::string_view key, std::string_view value) {
    const auto prefix = Prefix::parse(value);
    const auto address = IpAddress::parse(value);
    if (key == "address" && prefix) return settings.addresses.push_back(*prefix), true;
    if (key == "include" && prefix) return settings.included.push_back(*prefix), true;
    if (key == "exclude" && prefix) return settings.excluded.push_back(*prefix), true;
    if (key == "gateway" && address) return settings.gateways.push_back(*address), true;
    if (key == "dns" && address) return settings.dns.servers.push_back(*address), true;
    if (key == "search") return settings.dns.search_domains.emplace_back(value), true;
    if (key == "split") return settings.dns.split_domains.emplace_back(value), true;
    if (key == "inside" || key == "outside") {
        if (!settings.applications) settings.applications.emplace();
        settings.applications->way =
            key == "inside" ? ApplicationSettings::Way::inside : ApplicationSettings::Way::outside;
        return settings.applications->names.emplace_back(value), true;
    }
    if (key == "user") return add_users(settings, value);
    if (key == "lan" && prefix) return kill_switch_of(settings).lan.push_back(*prefix), true;
    if (key == "other") return kill_switch_of(settings).tunnels.emplace_back(value), true;
    const auto count = parse_number<std::uint32_t>(value, 1, 1'000'000);
    if (key == "routes" && count) return add_routes(settings, *count), true;
    if (key == "addresses" && count) return add_addresses(settings, *count), true;
    return false;
}

bool read_switch(NetworkSettings& settings, std::string_view word) {
    if (word == "kill-switch") return kill_switch_of(settings), true;
    if (word == "allow-other-family") return settings.allow_other_family = true;
    if (word == "block-other-family") return settings.block_other_family = true;
    return false;
}

int apply(std::span<char*> arguments) {
    NetworkSettings settings;
    settings.interface = arguments[1];
    settings.mtu = parse_number<int>(arguments[2], 0, 1'000'000).value_or(0);
    bool keep = false, watched = false, timed = false;
    std::optional<IpAddress> again;
    for (const std::string_view word : arguments.subspan(3)) {
        const auto at = word.find('=');
        if (word == "keep")
            keep = true;
        else if (word == "watch")
            watched = true;
        else if (word == "timed")
            timed = true;
        else if (word.starts_with("again="))
            again = IpAddress::parse(word.substr(6));
        else if (at == word.npos ? !read_switch(settings, word)
                                 : !read_setting(settings, word.substr(0, at), word.substr(at + 1)))
            return say(fmt::format("wrong setting {}", word), 2);
    }

    auto setup = Setup::open(arguments[0]);
    if (!setup) return say(setup.error());
    std::optional<Tun> tun;
    if (!keep) {
        auto made = open_tun(settings.interface);
        if (!made) return say(made.error());
        tun = std::move(*made);
    }
    if (!settings.dns.servers.empty())
        if (auto checked = setup->check_dns(); !checked) return say(checked.error());
    const auto started = Clock::now();
    if (auto applied = setup->apply(settings); !applied) return say(applied.error());
    const std::chrono::duration<double, std::milli> took = Clock::now() - started;
    for (const auto& note : setup->notes()) say("note: " + note, 0);
    say("up " + setup->dns_backend(), 0);
    if (timed) say(fmt::format("took {:.1f}", took.count()), 0);
    if (watched)
        if (const int status = watch(*setup); status != 0) return status;
    if (again) {
        settings.gateways.push_back(*again);
        if (auto applied = setup->apply(settings); !applied) return say(applied.error());
        say("again " + setup->dns_backend(), 0);
    }
    wait_for_end_of_input();
    if (auto undone = setup->undo(); !undone) return say(undone.error());
    return say("down", 0);
}

std::optional<LockdownSettings> lockdown_settings(std::span<char*> arguments) {
    LockdownSettings settings;
    NetworkSettings users;
    for (const std::string_view word : arguments) {
        const auto at = std::min(word.find('='), word.size() - 1);
        const auto key = word.substr(0, at);
        const auto value = word.substr(at + 1);
        const auto prefix = Prefix::parse(value);
        const auto address = IpAddress::parse(value);
        const auto number = parse_number<std::uint32_t>(value, 0, 0xffffffff);
        if (key.starts_with("portal") && !settings.portal) settings.portal.emplace();
        if (key == "lan" && prefix)
            settings.lan.push_back(*prefix);
        else if (key == "tunnel")
            settings.tunnels.emplace_back(value);
        else if (key == "portal" && address)
            settings.portal->addresses.push_back(*address);
        else if (key == "portal-user" && number)
            settings.portal->user = *number;
        else if (key == "portal-time" && number)
            settings.portal->lifetime = std::chrono::milliseconds(*number);
        else if (key != "user" || !add_users(users, value))
            return std::nullopt;
    }
    settings.users = users.users;
    return settings;
}

/// Closes the machine, and says at the end of its input whether it has stayed so; it stays closed.
int lock(std::span<char*> arguments) {
    const auto settings = lockdown_settings(arguments);
    if (!settings) return say("wrong setting", 2);
    auto lockdown = Lockdown::hold(*settings);
    if (!lockdown) return say(lockdown.error());
    say(lockdown->sees_frames() ? "locked frames" : "locked packets", 0);
    wait_for_end_of_input();
    auto whole = lockdown->look_after();
    if (!whole) return say(whole.error());
    return say(*whole ? "whole" : "made again", 0);
}

int lift() {
    if (auto lifted = lift_lockdown(); !lifted) return say(lifted.error());
    return say("lifted", 0);
}

int recover_dead(std::span<char*> arguments) {
    auto count = recover(arguments[0]);
    if (!count) return say(count.error());
    return say("recovered " + std::to_string(*count), 0);
}

int make_tun(std::span<char*> arguments) {
    auto tun = open_tun(arguments[0]);
    if (!tun) return say(tun.error());
    say("up " + tun->name, 0);
    wait_for_end_of_input();
    return 0;
}

/// Connects with a marked socket and says how far that came.
int connect_protected(std::span<char*> arguments) {
    const auto mark = parse_number<std::uint32_t>(arguments[0], 0, 0xffffffff);
    const auto address = IpAddress::parse(arguments[1]);
    const auto port = parse_number<std::uint16_t>(arguments[2], 1, 65535);
    if (!mark || !address || !port) return say("wrong argument", 2);
    const Fd socket(::socket(address->domain(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (*mark != 0)
        if (auto marked = protect(socket.get(), *mark); !marked) return say(marked.error());
    sockaddr_storage storage;
    const auto size = Endpoint{*address, *port}.to_sockaddr(storage);
    if (connect(socket.get(), reinterpret_cast<const sockaddr*>(&storage), size) == 0)
        return say("connected", 0);
    return say(system_error(errno, "connect"));
}

void exchange_addresses(std::span<std::byte> packet) {
    const auto header = datapath::parse_ip_header(packet);
    if (!header) return;
    const bool is_v4 = header->source.is_v4();
    const auto source = packet.subspan(is_v4 ? 12 : 8, is_v4 ? 4 : 16);
    std::ranges::swap_ranges(source, packet.subspan(is_v4 ? 16 : 24, source.size()));
}

/// Sends every packet back to where it seems to come from, as super-packets where they are.
class Reflector final : public datapath::SuperPacketSink {
public:
    explicit Reflector(datapath::TunLanes port) : port_(std::move(port)) {}

    /// Until the standard input ends; then what was read, written and dropped.
    int run() {
        for (const auto garbage : {as_bytes("1 is no version"), ByteView{}})
            if (auto sent = port_.write(garbage, {}, 1, written_); !sent) return say(sent.error());
        std::array<pollfd, 2> waiting = {{{port_.fd(), POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}}};
        while (poll(waiting.data(), waiting.size(), -1) > 0 && waiting[1].revents == 0)
            if (const auto failure = reflect_all()) return say(*failure);
        const auto malformed = written_.drops.count(datapath::Drop::malformed);
        return say(fmt::format("read {}/{} written {}/{} malformed {} refused {} calls {} {} {} {}",
                               read_.packets, read_.bytes, written_.packets, written_.bytes,
                               read_.drops.total() + malformed, written_.drops.total() - malformed,
                               port_.reads().calls, port_.reads().packets, port_.writes().calls,
                               port_.writes().packets),
                   0);
    }

private:
    std::optional<Error> reflect_all() {
        while (true) {
            auto packet = port_.read(read_.drops);
            if (!packet) return std::move(packet).error();
            if (!*packet) break;
            if (const auto started = splitter_.start(**packet); !started) {
                read_.drops.add(started.error());
                continue;
            }
            for (auto piece = splitter_.next(); !piece.empty(); piece = splitter_.next()) {
                read_.add(piece.size());
                exchange_addresses(piece);
                merger_.add(piece);
            }
        }
        merger_.flush();
        return std::exchange(failure_, std::nullopt);
    }

    void take(const datapath::SuperPacket& packet, std::size_t count) override {
        auto sent = port_.write(packet, count, written_);
        if (!sent) failure_ = std::move(sent).error();
    }

    datapath::TunLanes port_;
    datapath::Splitter splitter_;
    datapath::Merger merger_{*this, port_.merges()};
    datapath::Counters read_, written_;
    std::optional<Error> failure_;
};

int reflect(std::span<char*> arguments) {
    const auto mtu = parse_number<int>(arguments[1], 1, 65535);
    std::vector<Prefix> addresses;
    for (const char* text : arguments.subspan(2)) {
        const auto address = Prefix::parse(text);
        if (!address) return say("wrong argument", 2);
        addresses.push_back(*address);
    }
    if (!mtu) return say("wrong argument", 2);
    auto tun = open_tun(arguments[0], 2);
    if (!tun) return say(tun.error());
    if (auto up = bring_up(tun->name, addresses, *mtu); !up) return say(up.error());
    auto port = datapath::TunLanes::open(tun->queues.at(0).get(), tun->queues.at(1).get());
    if (!port) return say(port.error());
    say("up", 0);
    return Reflector(std::move(*port)).run();
}

int run(std::span<char*> arguments) {
    const std::string_view what = arguments.empty() ? "" : arguments[0];
    if (what == "apply" && arguments.size() >= 4) return apply(arguments.subspan(1));
    if (what == "recover" && arguments.size() == 2) return recover_dead(arguments.subspan(1));
    if (what == "lock") return lock(arguments.subspan(1));
    if (what == "lift" && arguments.size() == 1) return lift();
    if (what == "tun" && arguments.size() == 2) return make_tun(arguments.subspan(1));
    if (what == "protect" && arguments.size() == 4) return connect_protected(arguments.subspan(1));
    if (what == "reflect" && arguments.size() >= 4) return reflect(arguments.subspan(1));
    return say("wrong usage", 2);
}

}  // namespace
}  // namespace causeway::device

int main(int count, char** arguments) {
    return causeway::device::run(std::span(arguments, static_cast<std::size_t>(count)).subspan(1));
}
