// The parameters of a request, against those that its method has.

#pragma once

#include "causeway/service/ask.h"
#include "causeway/service/limits.h"
#include "causeway/service/request_object.h"

#include <fmt/format.h>

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>

namespace causeway::service {

/// Calls `read(object)` for them, and refuses everything else: PARAMETER_ERROR with all faults.
template <typename Read>
Result<void> read_params(const Ask& ask, std::initializer_list<std::string_view> known,
                         std::size_t descriptors, Read read) {
    RequestFaults faults;
    const RequestObject params(ask.request.params, "", faults, known);
    read(params);
    if (ask.has_too_many_descriptors || ask.descriptors.size() > descriptors)
        faults.misshapen("descriptors",
                         ask.has_too_many_descriptors
                             ? fmt::format("more than {}", descriptor_limit)
                             : std::to_string(ask.descriptors.size()),
                         fmt::format("{} beside {}", descriptors, name_of(ask.request.method)));
    if (!faults.empty()) return std::unexpected(faults.error());
    return {};
}

}  // namespace causeway::service
