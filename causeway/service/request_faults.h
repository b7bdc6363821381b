// Everything that is wrong with a request, collected before any of it is refused.

#pragma once

#include "causeway/error/error.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace causeway::service {

/// One thing that is wrong: "routes[3].destination.prefixLength", "33", "0 to 32".
struct Fault {
    std::string field;
    std::string value;  ///< Empty: it is missing.
    std::string allowed;
};

class RequestFaults {
public:
    /// Missing, of the wrong type, or unknown: PARAMETER_ERROR.
    void misshapen(std::string field, std::string value, std::string expected);
    /// Of the right type and with an impossible content: INVALID_PARAMETER_VALUE.
    void illegal(std::string field, std::string value, std::string allowed);

    std::size_t count() const { return misshapen_.count + illegal_.count; }
    bool empty() const { return count() == 0; }

    /// The code of the first in the order of the service's checks, PARAMETER_ERROR before
    /// INVALID_PARAMETER_VALUE. Evidence: `field`, `value` and `limit` of the first; `faults`, how
    /// many; `fault_1` …, a sentence each, as many as a report should carry.
    Error error() const;

private:
    struct Kind {
        std::vector<Fault> kept;
        std::size_t count = 0;
    };
    static void add(Kind& kind, Fault fault);

    Kind misshapen_;
    Kind illegal_;
};

}  // namespace causeway::service
