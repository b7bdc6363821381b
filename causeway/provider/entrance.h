// CONNECT: from a cookie and a TLS connection to a session.

#pragma once

#include "causeway/protocol/connect_request.h"
#include "causeway/protocol/login_client.h"
#include "causeway/provider/opening.h"

#include <functional>
#include <memory>

namespace causeway::provider {

/// A session that has been entered: what was granted, and the link it runs on.
struct Entered {
    protocol::SessionParameters parameters;
    std::unique_ptr<Link> link;
    Bytes rest;            ///< what already came behind the gateway's answer
    Secret master_secret;  ///< offered for a datagram channel that resumes a session
};

/// `done` is called once, from the loop; destroying the entrance before that ends it in silence.
/// Fails with the gateway's refusal (read_connect_response), serverNotResponding when no answer
/// comes, and the verdict on the channel when it ends.
class Entrance {
public:
    using Done = std::move_only_function<void(Result<Entered>)>;

    Entrance(Environment& environment, const protocol::Url& gateway, const Secret& cookie,
             std::unique_ptr<Link> link, Done done);
    ~Entrance();

private:
    class Work;
    std::unique_ptr<Work> work_;
};

}  // namespace causeway::provider
