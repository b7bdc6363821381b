// The journal's form on disk.

#include "causeway/base/overloaded.h"
#include "causeway/device/journal.h"

#include "causeway/error/json_integer.h"

#include <nlohmann/json.hpp>

#include <stdexcept>

namespace causeway::device {
namespace {

using nlohmann::json;

constexpr int version = 1;

int number_of(Family family) { return std::to_underlying(family); }

json json_of(const Rule& rule) {
    json object = {
        {"family", number_of(rule.family)}, {"table", rule.table}, {"priority", rule.priority}};
    std::visit(overloaded{[&](const Unmarked&) { object["packets"] = "unmarked"; },
                          [&](const Marked& p) {
                              object["packets"] = "marked";
                              object["next"] = p.next;
                          },
                          [&](const MarkedAs& p) {
                              object["packets"] = "marked_as";
                              object["mark"] = p.mark;
                          },
                          [&](const Landing&) { object["packets"] = "none"; },
                          [&](const From& p) {
                              object["packets"] = "from";
                              object["address"] = p.address.text();
                          },
                          [&](const To& p) {
                              object["packets"] = "to";
                              object["address"] = p.address.text();
                          },
                          [&](const UserRange& p) {
                              object["packets"] = "users";
                              object["first"] = p.first;
                              object["last"] = p.last;
                          }},
               rule.packets);
    return object;
}

json json_of(const Undo& undo) {
    return std::visit(
        overloaded{
            [](const OpenOutside& u) -> json {
                return {{"do", "open_outside"}, {"table", u.table}};
            },
            [](const RestoreLink& u) -> json {
                json object = {{"do", "restore_link"},
                               {"index", u.before.index},
                               {"mtu", u.before.mtu},
                               {"up", u.before.is_up}};
                if (u.numbering) object["numbering"] = *u.numbering;
                return object;
            },
            [](const RemoveAddresses& u) -> json {
                json addresses = json::array();
                for (const auto& address : u.addresses) addresses.push_back(address.text());
                return {{"do", "remove_addresses"}, {"addresses", std::move(addresses)}};
            },
            [](const FlushTable& u) -> json {
                return {{"do", "flush_table"}, {"family", number_of(u.family)}, {"table", u.table}};
            },
            [](const RemoveRules& u) -> json {
                json rules = json::array();
                for (const auto& rule : u.rules) rules.push_back(json_of(rule));
                return {{"do", "remove_rules"}, {"rules", std::move(rules)}};
            },
            [](const ReleaseApplications&) -> json { return {{"do", "release_applications"}}; },
            [](const RestoreDns& u) -> json {
                return {{"do", "restore_dns"}, {"backend", name(u.backend)}};
            }},
        undo);
}

Family family_in(const json& object) {
    const int number = json_integer<int>(object.at("family"));
    if (number != 4 && number != 6) throw std::invalid_argument("family");
    return number == 4 ? Family::ipv4 : Family::ipv6;
}

std::uint32_t number_in(const json& object, const char* key) {
    return json_integer<std::uint32_t>(object.at(key));
}

IpAddress address_in(const json& object) {
    const auto address = IpAddress::parse(object.at("address").get<std::string>());
    if (!address) throw std::invalid_argument("address");
    return *address;
}

Rule::Packets packets_in(const json& object) {
    const auto what = object.at("packets").get<std::string>();
    if (what == "unmarked") return Unmarked{};
    if (what == "marked") return Marked{number_in(object, "next")};
    if (what == "marked_as") return MarkedAs{number_in(object, "mark")};
    if (what == "none") return Landing{};
    if (what == "from") return From{address_in(object)};
    if (what == "to") return To{address_in(object)};
    if (what == "users") return UserRange{number_in(object, "first"), number_in(object, "last")};
    throw std::invalid_argument("packets");
}

RestoreLink link_in(const json& object) {
    RestoreLink undo{{json_integer<int>(object.at("index")), json_integer<int>(object.at("mtu")),
                      object.at("up").get<bool>()}};
    if (object.contains("numbering"))
        undo.numbering = json_integer<std::uint8_t>(object.at("numbering"));
    return undo;
}

RemoveAddresses addresses_in(const json& object) {
    RemoveAddresses undo;
    for (const auto& text : object.at("addresses")) {
        const auto prefix = Prefix::parse(text.get<std::string>());
        if (!prefix) throw std::invalid_argument("addresses");
        undo.addresses.push_back(*prefix);
    }
    return undo;
}

RemoveRules rules_in(const json& object) {
    RemoveRules undo;
    for (const auto& rule : object.at("rules"))
        undo.rules.push_back({family_in(rule), number_in(rule, "table"),
                              number_in(rule, "priority"), packets_in(rule)});
    return undo;
}

/// Only what is ours: the file must not make us remove somebody else's table.
OpenOutside table_in(const json& object) {
    auto table = object.at("table").get<std::string>();
    if (!table.starts_with(firewall_prefix)) throw std::invalid_argument("table");
    return {std::move(table)};
}

RestoreDns dns_in(const json& object) {
    const auto backend = dns_backend_named(object.at("backend").get<std::string>());
    if (!backend) throw std::invalid_argument("backend");
    return {*backend};
}

Undo undo_in(const json& object) {
    const auto what = object.at("do").get<std::string>();
    if (what == "open_outside") return table_in(object);
    if (what == "restore_link") return link_in(object);
    if (what == "remove_addresses") return addresses_in(object);
    if (what == "flush_table") return FlushTable{family_in(object), number_in(object, "table")};
    if (what == "remove_rules") return rules_in(object);
    if (what == "release_applications") return ReleaseApplications{};
    if (what == "restore_dns") return dns_in(object);
    throw std::invalid_argument("do");
}

}  // namespace

std::string text_of(const JournalRecord& record) {
    json undo = json::array();
    for (const auto& item : record.undo) undo.push_back(json_of(item));
    const json object = {{"version", version},        {"boot", record.boot},
                         {"network", record.network}, {"interface", record.interface},
                         {"link", record.link},       {"undo", std::move(undo)}};
    return object.dump(1) + "\n";
}

std::optional<JournalRecord> parse_journal(std::string_view text) try {
    const auto object = json::parse(text);
    if (object.at("version") != version) return std::nullopt;
    JournalRecord record{object.at("boot").get<std::string>(),
                         object.at("network").get<std::string>(),
                         object.at("interface").get<std::string>(),
                         json_integer<int>(object.at("link")),
                         {}};
    for (const auto& item : object.at("undo")) record.undo.push_back(undo_in(item));
    return record;
} catch (const std::exception&) {
    return std::nullopt;
}

}  // namespace causeway::device
