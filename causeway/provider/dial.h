// All the way from a name, or from the cookie of a session that was lost, into a session.

#pragma once

#include "causeway/provider/entrance.h"
#include "causeway/provider/login.h"
#include "causeway/provider/opening.h"

#include <functional>
#include <memory>
#include <vector>

namespace causeway::provider {

/// What lets us into a session again.
struct Pass {
    Secret cookie;
    protocol::Url gateway;
    std::vector<IpAddress> known;  ///< addresses of the gateway that answered
};

struct Dialed {
    Entered entered;
    Pass pass;
};

/// `done` is called once, from the loop; destroying the dial before that ends it in silence. Fails
/// with what its stages fail with.
class Dial {
public:
    using Done = std::move_only_function<void(Result<Dialed>)>;
    /// Called when the connection is ready and CONNECT is about to be sent; goes on when the
    /// action it is given is called.
    using Hold = std::move_only_function<void(EventLoop::Action go_on)>;

    /// With a login.
    Dial(Environment& environment, Prompter& prompter, Done done);
    /// With a cookie.
    Dial(Environment& environment, Pass pass, Hold hold, Done done);
    ~Dial();

private:
    class Work;
    std::unique_ptr<Work> work_;
};

}  // namespace causeway::provider
