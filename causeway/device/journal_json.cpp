// The journal's form on disk.

#include "causeway/device/journal.h"

#include "causeway/error/json_integer.h"

#include <nlohmann/json.hpp>

#include <stdexcept>

namespace causeway::device {
namespace {

using nlohmann::json;

constexpr int version = 1;

template <typename... Handlers>
struct overloaded : Handlers... {
    using Handlers::operator()...;
};

json json_of(const Undo& undo) {
    return std::visit(overloaded{[](const RestoreLink& u) -> json {
                                     return {{"do", "restore_link"},
                                             {"index", u.before.index},
                                             {"mtu", u.before.mtu},
                                             {"up", u.before.is_up}};
                                 },
                                 [](const RemoveAddress& u) -> json {
                                     return {{"do", "remove_address"},
                                             {"address", u.address.text()}};
                                 },
                                 [](const FlushTable& u) -> json {
                                     return {{"do", "flush_table"},
                                             {"family", std::to_underlying(u.family)},
                                             {"table", u.table}};
                                 },
                                 [](const RemoveRule& u) -> json {
                                     return {{"do", "remove_rule"},
                                             {"family", std::to_underlying(u.rule.family)},
                                             {"table", u.rule.table},
                                             {"priority", u.rule.priority}};
                                 },
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

Prefix prefix_in(const json& object) {
    const auto prefix = Prefix::parse(object.at("address").get<std::string>());
    if (!prefix) throw std::invalid_argument("address");
    return *prefix;
}

Undo undo_in(const json& object) {
    const auto what = object.at("do").get<std::string>();
    if (what == "restore_link")
        return RestoreLink{{json_integer<int>(object.at("index")),
                            json_integer<int>(object.at("mtu")), object.at("up").get<bool>()}};
    if (what == "remove_address") return RemoveAddress{prefix_in(object)};
    if (what == "flush_table")
        return FlushTable{family_in(object), json_integer<std::uint32_t>(object.at("table"))};
    if (what == "remove_rule")
        return RemoveRule{{family_in(object), json_integer<std::uint32_t>(object.at("table")),
                           json_integer<std::uint32_t>(object.at("priority"))}};
    const auto backend = dns_backend_named(
        what == "restore_dns" ? object.at("backend").get<std::string>() : std::string());
    if (!backend) throw std::invalid_argument("do");
    return RestoreDns{*backend};
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
