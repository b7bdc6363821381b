#include "causeway/device/resolver_record.h"

#include "causeway/base/bytes.h"
#include "causeway/base/file.h"
#include "causeway/error/json_integer.h"

#include <cerrno>
#include <nlohmann/json.hpp>

namespace causeway::device {
namespace {

using nlohmann::json;

constexpr int version = 1;

json json_of(const Original& original) {
    return {{"text", base64(as_bytes(original.text))},
            {"mode", original.mode},
            {"uid", original.uid},
            {"gid", original.gid}};
}

Original original_in(const json& object) {
    const auto text = from_base64(object.at("text").get<std::string>());
    if (!text) throw std::invalid_argument("not base64");
    return {std::string(as_text(*text)), json_integer<mode_t>(object.at("mode")),
            json_integer<uid_t>(object.at("uid")), json_integer<gid_t>(object.at("gid"))};
}

}  // namespace

std::string text_of(const ResolverRecord& record) {
    json entries = json::array();
    for (const auto& entry : record.entries)
        entries.push_back(
            {{"owner", entry.owner}, {"servers", entry.servers}, {"search", entry.search}});
    const json object = {{"version", version},
                         {"original", record.original ? json_of(*record.original) : json()},
                         {"entries", std::move(entries)}};
    return object.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

std::optional<ResolverRecord> parse_record(std::string_view text) try {
    const auto object = json::parse(text);
    if (object.at("version") != version) return std::nullopt;
    ResolverRecord record;
    if (!object.at("original").is_null()) record.original = original_in(object.at("original"));
    for (const auto& entry : object.at("entries"))
        record.entries.push_back({entry.at("owner").get<std::string>(),
                                  entry.at("servers").get<std::vector<std::string>>(),
                                  entry.at("search").get<std::vector<std::string>>()});
    return record;
} catch (const std::exception&) {
    return std::nullopt;
}

Result<std::optional<ResolverRecord>> load_record(const std::string& path) {
    const auto text = read_file(path);
    if (!text && text.error() == ENOENT) return std::nullopt;
    if (!text) return std::unexpected(system_error(text.error(), "read").with("file", path));
    auto record = parse_record(*text);
    if (!record)
        return std::unexpected(
            system_error(EBADMSG, "json", "the record of the resolver's file cannot be read")
                .with("file", path));
    return record;
}

}  // namespace causeway::device
