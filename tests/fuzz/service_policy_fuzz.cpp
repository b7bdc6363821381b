// The policy of the VPN service. Whatever the text, it is refused with a place and a sentence, or
// it is one that lets root own a VPN unless it says otherwise.

#include "causeway/service/policy.h"
#include "tests/fuzz/input.h"

using namespace causeway;
using namespace causeway::service;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto policy = parse_policy(fuzz::text(data, size), "service.toml");
    if (!policy) {
        fuzz::require(policy.error().detail.starts_with("service.toml:"));
        return 0;
    }
    const Caller root{0, 1, {}};
    const bool is_guest = policy->guests.users.contains(0);
    const bool is_barred = policy->is_prohibited || policy->prohibited_for.users.contains(0);
    fuzz::require(policy->check_prohibited(root).has_value() != is_barred);
    fuzz::require(policy->check_owner(root).has_value() != is_guest);
    return 0;
}
