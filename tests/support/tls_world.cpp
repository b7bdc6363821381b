#include "tests/support/tls_world.h"

namespace causeway::test {

const World& world() {
    static const World made;
    return made;
}

tls::Identity identity_of(const Issued& issued) {
    return tls::Identity::from_pem(issued.pem(), issued.key_pem()).value();
}

tls::ClientSettings client_settings(tls::Version highest) {
    return {.policy = {.maximum_version = highest}, .trust = {.authorities = world().root.pem()}};
}

tls::ServerSettings server_settings() { return {.identities = {identity_of(world().server)}}; }

tls::Stream client_stream(tls::ClientSettings settings, std::string name) {
    return tls::Stream(tls::Context::client(std::move(settings)).value(),
                       {.server_name = std::move(name), .now = test_start, .wall_now = test_now});
}

tls::Stream stream_of(std::shared_ptr<const tls::Context> context) {
    std::string name = context->is_server() ? "" : "vpn.example.com";
    return tls::Stream(std::move(context),
                       {.server_name = std::move(name), .now = test_start, .wall_now = test_now});
}

tls::Stream server_stream(tls::ServerSettings settings) {
    return tls::Stream(tls::Context::server(std::move(settings)).value(),
                       {.now = test_start, .wall_now = test_now});
}

}  // namespace causeway::test
