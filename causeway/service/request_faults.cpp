#include "causeway/service/request_faults.h"

#include "causeway/base/text.h"
#include "causeway/service/limits.h"

#include <fmt/format.h>

namespace causeway::service {
namespace {

std::string sentence(const Fault& fault) {
    if (fault.value.empty())
        return fmt::format("{} is missing, expected is {}", fault.field, fault.allowed);
    return fmt::format("{} is {}, allowed is {}", fault.field, fault.value, fault.allowed);
}

}  // namespace

void RequestFaults::add(Kind& kind, Fault fault) {
    ++kind.count;
    if (kind.kept.size() < fault_limit) kind.kept.push_back(std::move(fault));
}

void RequestFaults::misshapen(std::string field, std::string value, std::string expected) {
    add(misshapen_, {std::move(field), std::move(value), std::move(expected)});
}

void RequestFaults::illegal(std::string field, std::string value, std::string allowed) {
    add(illegal_, {std::move(field), std::move(value), std::move(allowed)});
}

Error RequestFaults::error() const {
    std::vector<Fault> faults = misshapen_.kept;
    faults.insert(faults.end(), illegal_.kept.begin(), illegal_.kept.end());
    const auto& first = faults.at(0);
    Error error{misshapen_.count > 0 ? Service::PARAMETER_ERROR : Service::INVALID_PARAMETER_VALUE,
                sentence(first),
                {{"field", first.field}, {"value", first.value}, {"limit", first.allowed}}};
    error.with("faults", std::to_string(count()));
    for (std::size_t i = 0; i < std::min(faults.size(), fault_limit); ++i)
        error.with(fmt::format("fault_{}", i + 1), sentence(faults[i]));
    return error;
}

}  // namespace causeway::service
