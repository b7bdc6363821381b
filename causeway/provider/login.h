// From a name and the answers at hand to a session's cookie, over as many connections as it takes.

#pragma once

#include "causeway/protocol/auth_form.h"
#include "causeway/protocol/login_client.h"
#include "causeway/provider/opening.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace causeway::provider {

/// A session that is granted but not yet entered.
struct Admission {
    Secret cookie;
    protocol::Url gateway;         ///< where to send CONNECT
    std::unique_ptr<Link> link;    ///< still good for it, or nothing
    std::vector<IpAddress> known;  ///< the address that answered
};

/// Who can be asked for what is not at hand.
struct Prompter {
    /// Asks for the fields of a form; fails with errSecUserCanceled, or authenticationFailed when
    /// there is nobody. Waits as long as the person takes.
    std::function<Result<std::map<std::string, Secret>>(const protocol::AuthForm& form,
                                                        const std::vector<protocol::Field>& fields)>
        ask;
    std::function<void(const std::string& banner)> show;
};

/// `done` is called once, from the loop; destroying the login before that ends it in silence.
/// Fails with what Opening and LoginClient fail with, and serverNotResponding <-
/// errSSLNetworkTimeout when an answer takes longer than its deadline.
class Login {
public:
    using Done = std::move_only_function<void(Result<Admission>)>;

    Login(Environment& environment, Prompter& prompter, Done done);
    ~Login();

private:
    class Work;
    std::unique_ptr<Work> work_;
};

}  // namespace causeway::provider
