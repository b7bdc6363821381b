// The resolver's file and the hosts file, from any bytes: limits hold, and no name gets an address
// that is not written there.

#include "causeway/base/bytes.h"
#include "causeway/provider/limits.h"
#include "causeway/provider/resolver_settings.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    using namespace causeway;
    const auto text = as_text(std::as_bytes(std::span(data, size)));
    const auto settings = provider::parse_resolver_settings(text);
    if (settings.servers.size() > provider::name_server_limit) std::abort();
    if (settings.search.size() > provider::search_limit) std::abort();
    if (settings.dots < 0 || settings.dots > 15) std::abort();
    const auto name = text.substr(0, text.find('\n'));
    if (provider::candidates_for(name, settings).empty()) std::abort();
    for (const auto& address : provider::addresses_in_hosts(text, name))
        if (text.find(address.text()) == std::string_view::npos && !address.is_loopback() &&
            address.is_v4())
            std::abort();
    return 0;
}
