#include "causeway/provider/messages.h"

#include "causeway/error/json.h"
#include "causeway/error/json_integer.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <stdexcept>

namespace causeway::provider {
namespace {

using nlohmann::json;

// The other side is a process that talks to strangers, so nothing it says is taken on trust. These
// helpers throw, as the JSON library does for a wrong type; `reading` turns both into an Error.
struct Unreadable : std::runtime_error {
    using std::runtime_error::runtime_error;
};

template <typename Value, typename Read>
Result<Value> reading(Read read) {
    try {
        return read();
    } catch (const std::exception& wrong) {
        return fail(Service::PARAMETER_ERROR,
                    std::string("a message between our processes cannot be read: ") + wrong.what());
    }
}

template <typename Item>
json texts(const std::vector<Item>& items) {
    auto list = json::array();
    for (const auto& item : items) list.push_back(item.text());
    return list;
}

template <typename Item>
std::vector<Item> parse_list(const json& list) {
    std::vector<Item> items;
    for (const auto& entry : list) {
        const auto item = Item::parse(entry.template get<std::string>());
        if (!item) throw Unreadable("not an address: " + entry.dump());
        items.push_back(*item);
    }
    return items;
}

std::vector<std::string> strings(const json& list) { return list.get<std::vector<std::string>>(); }

json field_json(const protocol::Field& field) {
    auto choices = json::array();
    for (const auto& choice : field.choices)
        choices.push_back({{"value", choice.value}, {"text", choice.text}});
    return {{"kind", static_cast<int>(field.kind)},
            {"name", field.name},
            {"label", field.label},
            {"choices", choices}};
}

protocol::Field read_field(const json& from) {
    protocol::Field field;
    const auto kind = json_integer<int>(from.at("kind"));
    if (kind < 0 || kind > 3) throw Unreadable("no kind of field");
    field.kind = static_cast<protocol::FieldKind>(kind);
    field.name = from.at("name").get<std::string>();
    field.label = from.at("label").get<std::string>();
    for (const auto& choice : from.at("choices"))
        field.choices.push_back(
            {choice.at("value").get<std::string>(), choice.at("text").get<std::string>()});
    return field;
}

json json_of_step(const TrailStep& step) {
    return {{"type", "phase"},
            {"phase", name_of(step.phase)},
            {"ms", step.took.count()},
            {"result", step.result}};
}

TrailStep read_step(const json& from) {
    const auto phase = phase_named(from.at("phase").get<std::string>());
    if (!phase) throw Unreadable("no such phase");
    return {*phase, std::chrono::milliseconds(json_integer<std::int64_t>(from.at("ms"))),
            from.at("result").get<std::string>()};
}

json json_of_prompt(const PromptAsked& asked) {
    auto fields = json::array();
    for (const auto& field : asked.fields) fields.push_back(field_json(field));
    return {{"type", "prompt"},
            {"banner", asked.form.banner},
            {"message", asked.form.message},
            {"error", asked.form.error},
            {"fields", fields}};
}

PromptAsked read_prompt(const json& from) {
    PromptAsked asked;
    asked.form.banner = from.at("banner").get<std::string>();
    asked.form.message = from.at("message").get<std::string>();
    asked.form.error = from.at("error").get<std::string>();
    for (const auto& field : from.at("fields")) asked.fields.push_back(read_field(field));
    return asked;
}

json json_of_settings(const TunnelSettings& settings) {
    return {{"type", "apply"},
            {"addresses", texts(settings.addresses)},
            {"mtu", settings.mtu},
            {"included", texts(settings.included)},
            {"excluded", texts(settings.excluded)},
            {"gateways", texts(settings.gateways)},
            {"allow_other_family", settings.allow_other_family},
            {"dns_servers", texts(settings.dns_servers)},
            {"search_domains", settings.search_domains},
            {"split_domains", settings.split_domains},
            {"tunnel_all_dns", settings.tunnel_all_dns}};
}

TunnelSettings read_settings(const json& from) {
    TunnelSettings settings;
    settings.addresses = parse_list<Prefix>(from.at("addresses"));
    settings.mtu = json_integer<int>(from.at("mtu"));
    settings.included = parse_list<Prefix>(from.at("included"));
    settings.excluded = parse_list<Prefix>(from.at("excluded"));
    settings.gateways = parse_list<IpAddress>(from.at("gateways"));
    settings.allow_other_family = from.at("allow_other_family").get<bool>();
    settings.dns_servers = parse_list<IpAddress>(from.at("dns_servers"));
    settings.search_domains = strings(from.at("search_domains"));
    settings.split_domains = strings(from.at("split_domains"));
    settings.tunnel_all_dns = from.at("tunnel_all_dns").get<bool>();
    return settings;
}

json json_of_connected(const Connected& connected) {
    return {{"type", "connected"},          {"addresses", texts(connected.addresses)},
            {"server", connected.server},   {"remote", connected.remote},
            {"version", connected.version}, {"suite", connected.suite},
            {"again", connected.again}};
}

Connected read_connected(const json& from) {
    return {parse_list<IpAddress>(from.at("addresses")), from.at("server").get<std::string>(),
            from.at("remote").get<std::string>(),        from.at("version").get<std::string>(),
            from.at("suite").get<std::string>(),         from.at("again").get<bool>()};
}

// Errors and incidents have a JSON form of their own; they travel as its text.
Reconnecting read_reconnecting(const json& from) {
    auto why = error_from_text(from.at("why").get<std::string>());
    if (!why) throw Unreadable(why.error().detail);
    return {std::move(*why), json_integer<int>(from.at("attempt")),
            std::chrono::milliseconds(json_integer<std::int64_t>(from.at("pause_ms")))};
}

constexpr std::array<std::pair<DatagramChanged::State, const char*>, 3> datagram_states{
    {{DatagramChanged::State::up, "up"},
     {DatagramChanged::State::down, "down"},
     {DatagramChanged::State::resized, "resized"}}};

json json_of_datagram(const DatagramChanged& changed) {
    json object{{"type", "datagram"},       {"state", name(changed.state)},
                {"remote", changed.remote}, {"suite", changed.suite},
                {"crypto", changed.crypto}, {"mtu", changed.mtu}};
    if (changed.why) object["why"] = json_text(*changed.why);
    return object;
}

DatagramChanged read_datagram(const json& from) {
    DatagramChanged changed;
    const auto text = from.at("state").get<std::string>();
    const auto state = std::ranges::find_if(
        datagram_states, [&](const auto& known) { return text == known.second; });
    if (state == datagram_states.end()) throw Unreadable("no state of datagrams: " + text);
    changed.state = state->first;
    changed.remote = from.at("remote").get<std::string>();
    changed.suite = from.at("suite").get<std::string>();
    changed.crypto = from.at("crypto").get<std::string>();
    changed.mtu = json_integer<int>(from.at("mtu"));
    if (!from.contains("why")) return changed;
    auto why = error_from_text(from.at("why").get<std::string>());
    if (!why) throw Unreadable(why.error().detail);
    changed.why = std::move(*why);
    return changed;
}

json json_of_counted(const Counted& counted) {
    auto values = json::array();
    for (const auto& [name, value] : counted.values) values.push_back({name, value});
    return {{"type", "counted"}, {"values", values}, {"offloads", counted.offloads}};
}

Counted read_counted(const json& from) {
    Counted counted;
    for (const auto& pair : from.at("values"))
        counted.values.emplace_back(pair.at(0).get<std::string>(),
                                    json_integer<std::uint64_t>(pair.at(1)));
    counted.offloads = strings(from.at("offloads"));
    return counted;
}

Failed read_failed(const json& from) {
    auto incident = incident_from_text(from.at("incident").get<std::string>());
    if (!incident) throw Unreadable(incident.error().detail);
    return {std::move(*incident)};
}

WorkerMessage read_message(const json& from) {
    const auto type = from.at("type").get<std::string>();
    if (type == "phase") return PhasePassed{read_step(from)};
    if (type == "note") return Note{from.at("text").get<std::string>()};
    if (type == "banner") return BannerShown{from.at("text").get<std::string>()};
    if (type == "protect") return ProtectAsked{};
    if (type == "prompt") return read_prompt(from);
    if (type == "apply") return ApplyAsked{read_settings(from)};
    if (type == "connected") return read_connected(from);
    if (type == "reconnecting") return read_reconnecting(from);
    if (type == "datagram") return read_datagram(from);
    if (type == "counted") return read_counted(from);
    if (type == "failed") return read_failed(from);
    if (type == "left") return Left{};
    throw Unreadable("no such type: " + type);
}

struct Writer {
    json operator()(const PhasePassed& passed) const { return json_of_step(passed.step); }
    json operator()(const Note& note) const { return {{"type", "note"}, {"text", note.text}}; }
    json operator()(const BannerShown& shown) const {
        return {{"type", "banner"}, {"text", shown.text}};
    }
    json operator()(const ProtectAsked&) const { return {{"type", "protect"}}; }
    json operator()(const PromptAsked& asked) const { return json_of_prompt(asked); }
    json operator()(const ApplyAsked& asked) const { return json_of_settings(asked.settings); }
    json operator()(const Connected& connected) const { return json_of_connected(connected); }
    json operator()(const Reconnecting& again) const {
        return {{"type", "reconnecting"},
                {"why", json_text(again.why)},
                {"attempt", again.attempt},
                {"pause_ms", again.pause.count()}};
    }
    json operator()(const DatagramChanged& changed) const { return json_of_datagram(changed); }
    json operator()(const Counted& counted) const { return json_of_counted(counted); }
    json operator()(const Failed& failed) const {
        return {{"type", "failed"}, {"incident", json_text(failed.incident)}};
    }
    json operator()(const Left&) const { return {{"type", "left"}}; }
};

/// The error an answer carries, when it does.
std::optional<Error> answered_error(const json& from) {
    const auto found = from.find("error");
    if (found == from.end()) return std::nullopt;
    auto error = error_from_text(found->get<std::string>());
    if (!error) throw Unreadable(error.error().detail);
    return std::move(*error);
}

}  // namespace

const char* name(DatagramChanged::State state) {
    for (const auto& [known, text] : datagram_states)
        if (known == state) return text;
    return "";
}

json json_of(const WorkerMessage& message) { return std::visit(Writer{}, message); }

Result<WorkerMessage> worker_message(const json& from) {
    return reading<WorkerMessage>([&]() -> Result<WorkerMessage> { return read_message(from); });
}

json answer_ok() { return json::object(); }

json answer_error(const Error& error) { return {{"error", json_text(error)}}; }

json answer_applied(const Applied& applied) { return {{"notes", applied.notes}}; }

json answer_typed(const Typed& typed) {
    auto answers = json::object();
    for (const auto& [name, text] : typed) answers[name] = std::string(text.reveal());
    return {{"answers", answers}};
}

Result<void> read_ok(const json& from) {
    return reading<void>([&]() -> Result<void> {
        if (auto error = answered_error(from)) return std::unexpected(std::move(*error));
        return {};
    });
}

Result<Applied> read_applied(const json& from) {
    return reading<Applied>([&]() -> Result<Applied> {
        if (auto error = answered_error(from)) return std::unexpected(std::move(*error));
        return Applied{strings(from.at("notes"))};
    });
}

Result<Typed> read_typed(const json& from) {
    return reading<Typed>([&]() -> Result<Typed> {
        if (auto error = answered_error(from)) return std::unexpected(std::move(*error));
        Typed typed;
        for (const auto& [name, text] : from.at("answers").items())
            typed[name] = Secret(text.get<std::string>());
        return typed;
    });
}

json stop_message() { return {{"type", "stop"}}; }

bool is_stop(const json& from) {
    const auto type = from.find("type");
    return type != from.end() && type->is_string() && *type == "stop";
}

}  // namespace causeway::provider
