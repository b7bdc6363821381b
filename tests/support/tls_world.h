// One authority, one server, one client certificate, and streams made of them: what most tests of
// the channel begin with.

#pragma once

#include "tests/support/tls_ends.h"

#include <memory>
#include <string>

namespace causeway::test {

struct World {
    Issued root = self_signed(authority_plan("Test Root"));
    Issued server = issue(server_plan("vpn.example.com"), root);
    Issued client = issue(client_plan("anna"), root);
};

/// Made once for a test program.
const World& world();

tls::Identity identity_of(const Issued& issued);

/// Trusts the world's root.
tls::ClientSettings client_settings(tls::Version highest = tls::Version::tls_1_3);
/// Shows the world's server certificate.
tls::ServerSettings server_settings();

tls::Stream client_stream(tls::ClientSettings settings, std::string name = "vpn.example.com");
/// Of a context that is there already: making one takes milliseconds.
tls::Stream stream_of(std::shared_ptr<const tls::Context> context);
tls::Stream server_stream(tls::ServerSettings settings);

}  // namespace causeway::test
