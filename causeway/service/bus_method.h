// What can be called over the bus, and what it tells: one row for each, with its arguments.

#pragma once

#include "causeway/base/fd.h"
#include "causeway/error/error.h"
#include "causeway/service/vpn_service.h"

#include <sdbus-c++/Message.h>
#include <nlohmann/json.hpp>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace causeway::service {

/// "ts" and {"session", "interface"}
struct BusArguments {
    std::string types;
    std::vector<std::string> names;
};

/// One method, as a method of the control protocol.
struct BusMethod {
    std::string name;
    Method method;
    BusArguments takes;
    BusArguments gives;
    /// The parameters as the socket would bring them. Fails with PARAMETER_ERROR.
    Result<nlohmann::json> (*read)(sdbus::MethodCall& call, std::vector<Fd>& descriptors);
    void (*write)(sdbus::MethodReply& reply, Answer& answer);
};

struct BusSignal {
    std::string name;
    std::string_view
        event;  ///< Of the control protocol; "" for all that have no signal of their own.
    BusArguments brings;
    void (*write)(sdbus::Signal& signal, const nlohmann::ordered_json& event);
};

std::span<const BusMethod> bus_methods();
std::span<const BusSignal> bus_signals();
const BusSignal& bus_signal_of(std::string_view event);

}  // namespace causeway::service
