#include "causeway/error/exit_status.h"

#include <optional>

namespace causeway {
namespace {

constexpr int first_service_status = 31;
constexpr int first_vpn_status = 100;

constexpr Service in_order_of_status[] = {
    Service::PERMISSION_DENIED,        Service::NOT_SYSTEM_CALLER,
    Service::PROHIBITED_BY_POLICY,     Service::PARAMETER_ERROR,
    Service::CAPABILITY_NOT_SUPPORTED, Service::VPN_CREATION_DENIED,
    Service::VPN_ALREADY_EXISTS,       Service::INVALID_SOCKET_FD,
    Service::INVALID_PARAMETER_VALUE,  Service::SYSTEM_INTERNAL_ERROR,
};

std::optional<int> own_status(Code code) {
    switch (code.domain()) {
        case Domain::vpn: return first_vpn_status + code.number();
        case Domain::tls:
        case Domain::trust: return exit_channel;
        case Domain::service: {
            int status = first_service_status;
            for (const Service each : in_order_of_status) {
                if (Code(each) == code) return status;
                ++status;
            }
            return std::nullopt;
        }
        default: return std::nullopt;
    }
}

}  // namespace

int exit_status(const Error& error) {
    for (const Error* at = &error; at; at = at->cause.get())
        if (const auto status = own_status(at->code)) return *status;
    return exit_other;
}

}  // namespace causeway
