// A program's configuration of its tunnel. Whatever the text, it is refused with a code, a field
// and a sentence, or it is one that the device takes and that reads the same when it is written.

#include "causeway/base/text.h"
#include "causeway/device/network_settings.h"
#include "causeway/service/vpn_config.h"
#include "tests/fuzz/input.h"

using namespace causeway;
using namespace causeway::service;

namespace {

void check(const VpnConfig& config) {
    fuzz::require(!config.addresses.empty());
    fuzz::require(device::check(network_settings(config, "cw0")).has_value());
    const auto again = parse_vpn_config(json_text(config));
    fuzz::require(again && *again == config);
}

void check(const Error& error) {
    fuzz::require(error.code == Code(Service::PARAMETER_ERROR) ||
                  error.code == Code(Service::INVALID_PARAMETER_VALUE));
    fuzz::require(!error.detail.empty() && printable(error.detail) == error.detail);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto config = parse_vpn_config(fuzz::text(data, size));
    if (config)
        check(*config);
    else
        check(config.error());
    return 0;
}
