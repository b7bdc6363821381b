#include "causeway/cli/output.h"

#include "causeway/base/clock.h"
#include "causeway/base/text.h"
#include "causeway/error/json.h"
#include "causeway/error/report.h"

#include <fmt/format.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include <cstdio>

namespace causeway::cli {
namespace {

using nlohmann::ordered_json;

void print(const std::string& line) {
    fmt::print("{}\n", line);
    std::fflush(stdout);
}

ordered_json event(const char* name) {
    return {{"version", incident_json_version}, {"event", name}, {"time", iso8601(wall_now())}};
}

void print_event(const ordered_json& json) {
    print(json.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
}

std::string addresses_of(const provider::Connected& connected) {
    std::vector<std::string> texts;
    for (const auto& address : connected.addresses) texts.push_back(address.text());
    return join(texts, ", ");
}

}  // namespace

void Output::phase(const TrailStep& step) {
    if (json_) {
        auto json = event("phase");
        json["phase"] = name_of(step.phase);
        json["ms"] = step.took.count();
        json["result"] = step.result;
        return print_event(json);
    }
    if (!was_connected_)
        print(fmt::format("{:<12} {:>5} ms  {}", name_of(step.phase), step.took.count(),
                          printable(step.result)));
}

void Output::note(const std::string& text) {
    if (!json_) return print("note: " + printable(text));
    auto json = event("note");
    json["text"] = text;
    print_event(json);
}

void Output::banner(const std::string& text) {
    if (json_) {
        auto json = event("note");
        json["text"] = text;
        json["from"] = "gateway";
        return print_event(json);
    }
    for (const auto line : split(text, '\n')) print("| " + printable(line));
}

void Output::connected(const provider::Connected& connected, const std::string& interface) {
    was_connected_ = true;
    if (json_) {
        auto json = event("connected");
        json["server"] = connected.server;
        json["address"] = connected.remote;
        json["interface"] = interface;
        auto addresses = ordered_json::array();
        for (const auto& address : connected.addresses) addresses.push_back(address.text());
        json["addresses"] = addresses;
        json["tls"] = connected.version;
        json["suite"] = connected.suite;
        json["again"] = connected.again;
        return print_event(json);
    }
    print(fmt::format("connected{}: {} on {}, to {} ({}), {} {}", connected.again ? " again" : "",
                      addresses_of(connected), interface, printable(connected.server),
                      connected.remote, connected.version, connected.suite));
}

void Output::reconnecting(const provider::Reconnecting& again) {
    if (json_) {
        auto json = event("reconnecting");
        json["attempt"] = again.attempt;
        json["pause_ms"] = again.pause.count();
        json["error"] = json_of(again.why);
        return print_event(json);
    }
    const auto when =
        again.pause.count() == 0 ? std::string("now") : "in " + causeway::spoken(again.pause);
    if (again.attempt == 1) print("lost: " + printable(again.why.detail));
    print(fmt::format("reconnecting {} (attempt {})", when, again.attempt));
}

void Output::datagram(const provider::DatagramChanged& changed) {
    using State = provider::DatagramChanged::State;
    if (json_) {
        auto json = event("datagram");
        json["state"] = provider::name(changed.state);
        json["address"] = changed.remote;
        if (changed.state == State::up) {
            json["suite"] = changed.suite;
            json["crypto"] = changed.crypto;
        }
        if (changed.mtu != 0) json["mtu"] = changed.mtu;
        if (changed.why) json["error"] = json_of(*changed.why);
        return print_event(json);
    }
    switch (changed.state) {
        case State::up:
            return print(fmt::format("datagrams: to {}, {} by {}, packets of up to {} bytes",
                                     changed.remote, printable(changed.suite),
                                     printable(changed.crypto), changed.mtu));
        case State::resized:
            return print(fmt::format("datagrams: packets of up to {} bytes now", changed.mtu));
        case State::down:
            return print("note: packets go through TLS: " +
                         (changed.why ? printable(changed.why->detail) : std::string()));
    }
}

void Output::counted(const provider::Counted& counted) {
    if (!json_) return;
    auto json = event("counters");
    for (const auto& [name, value] : counted.values) json["counters"][name] = value;
    json["offloads"] = counted.offloads;
    print_event(json);
}

void Output::disconnected() {
    if (json_) return print_event(event("disconnected"));
    print("disconnected");
}

void Output::failed(const Incident& incident) {
    if (json_) return print(json_text(incident));
    std::fflush(stdout);
    fmt::print(stderr, "\n{}", report(incident, isatty(STDERR_FILENO) == 1));
    std::fflush(stderr);
}

}  // namespace causeway::cli
