// One JSON object of a request, read field by field against what is expected there.

#pragma once

#include "causeway/service/request_faults.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace causeway::service {

enum class Need : std::uint8_t { mandatory, optional };

/// Whatever is wrong becomes a fault with its path, and reads as nothing.
class RequestObject {
public:
    /// Fields that are not among `known` are faults, with the nearest that is.
    RequestObject(const nlohmann::json& object, std::string path, RequestFaults& faults,
                  std::initializer_list<std::string_view> known);

    /// Whatever it is, as long as it is there.
    const nlohmann::json* any(std::string_view name, std::string_view expected) const;
    std::optional<std::string> text(std::string_view name, Need need) const;
    std::optional<std::int64_t> number(std::string_view name, Need need, std::int64_t smallest,
                                       std::int64_t largest) const;
    std::optional<bool> flag(std::string_view name) const;
    /// Nothing also when it has more than `limit` entries, which is one fault and not many.
    const nlohmann::json* list(std::string_view name, Need need, std::size_t limit) const;
    std::optional<RequestObject> object(std::string_view name, Need need,
                                        std::initializer_list<std::string_view> known) const;

    /// Whether the field is something else than missing or an empty list.
    bool has_entries(std::string_view name) const;

    /// "routes[3].destination" + "prefixLength"
    std::string path(std::string_view name) const;
    void illegal(std::string_view name, std::string value, std::string allowed) const;
    RequestFaults& faults() const { return *faults_; }

private:
    const nlohmann::json* find(std::string_view name, Need need, std::string_view expected) const;

    const nlohmann::json* object_;
    std::string path_;
    RequestFaults* faults_;
};

/// What another way of asking than JSON brought, and JSON has no word for: a value that is refused
/// wherever it stands, as `words`: "a descriptor".
nlohmann::json foreign_value(std::string_view words);

/// For a sentence: the value as JSON, at most about 60 characters of it.
std::string value_text(const nlohmann::json& value);

}  // namespace causeway::service
