// The JSON form of an error and of an incident: the only one, for files, sockets and people's
// tools.
//
// `version` changes when a reader could break. Objects keep their order (ordered_json), since the
// evidence is in the order in which people should read it.

#pragma once

#include "causeway/error/error.h"
#include "causeway/error/incident.h"

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace causeway {

inline constexpr int incident_json_version = 1;

/// What is accepted from outside.
struct JsonLimits {
    static constexpr std::size_t bytes = 256 * 1024;  ///< Of a whole text.
    static constexpr std::size_t depth = 32;          ///< Objects and arrays inside one another.
    static constexpr std::size_t chain = 16;          ///< Errors under one another.
    static constexpr std::size_t evidence = 64;       ///< Pairs of one error.
    static constexpr std::size_t trail = 256;         ///< Steps of one incident.
    static constexpr std::size_t text = 16 * 1024;    ///< Bytes of one string.
};

/// All strings become valid UTF-8. The words of the catalogue stand on the first error, and on the
/// one that advises best when that is another.
nlohmann::ordered_json json_of(const Error& error);
nlohmann::ordered_json json_of(const Incident& incident);

/// A row of the catalogue: domain, value, name, meaning, remedy, move, recovery, causes.
nlohmann::ordered_json json_of(const Entry& row);

/// The same on one line, without a line break at the end.
std::string json_text(const Error& error);
std::string json_text(const Incident& incident);

/// Reads the form; words and unknown keys are ignored. Fails with PARAMETER_ERROR that names the
/// key and what was expected there.
Result<Error> error_from_json(const nlohmann::ordered_json& json);
Result<Incident> incident_from_json(const nlohmann::ordered_json& json);
Result<Error> error_from_text(std::string_view text);
Result<Incident> incident_from_text(std::string_view text);

/// Any JSON text from outside within `bytes` and `depth` of JsonLimits. Fails with PARAMETER_ERROR.
Result<nlohmann::ordered_json> parse_json(std::string_view text);

}  // namespace causeway
