// The gateway's configuration. Whatever the text, it is refused with a place and a sentence, or it
// is one whose parts fit together.

#include "causeway/gateway/config.h"
#include "tests/fuzz/input.h"

using namespace causeway;
using namespace causeway::gateway;

namespace {

void check(const Config& config) {
    fuzz::require(!config.listen.empty() && !config.groups.empty());
    fuzz::require(config.default_group < config.groups.size());
    for (const Pool& pool : config.pools) {
        fuzz::require(pool.first <= pool.last && pool.gateway < pool.first);
        fuzz::require(pool.network.contains(pool.first) && pool.network.contains(pool.last));
    }
    for (const Group& group : config.groups) {
        fuzz::require(group.pool4 || group.pool6);
        fuzz::require(!group.pool4 || config.pools.at(*group.pool4).network.address.is_v4());
        fuzz::require(!group.pool6 || !config.pools.at(*group.pool6).network.address.is_v4());
        fuzz::require(config.group(group.name) == &group);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto config = parse_config(fuzz::text(data, size), "gateway.toml");
    if (config)
        check(*config);
    else
        fuzz::require(config.error().detail.starts_with("gateway.toml:"));
    return 0;
}
