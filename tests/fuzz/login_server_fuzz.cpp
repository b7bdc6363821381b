// The gateway's login against a client that says anything: every request gets an answer that is
// HTTP, and nobody gets in without a password that was checked.

#include "causeway/protocol/http_reader.h"
#include "causeway/protocol/login_server.h"
#include "tests/fuzz/input.h"

#include <memory>

using namespace causeway;
using namespace causeway::protocol;

namespace {

const Reason wrong{Vpn::authenticationFailed, "The user name or the password is wrong", 1};

void check_response(const Respond& respond) {
    HttpResponseReader reader;
    reader.feed(as_bytes(respond.bytes.reveal()));
    const auto response = reader.next();
    fuzz::require(response && *response && reader.is_idle());
    fuzz::require((*response)->headers.size() < 20);
}

/// Decides as a gateway would; the password is "pw".
Respond decide(LoginServer& login, LoginAction action) {
    bool was_checked = false;
    if (const auto* check = std::get_if<CheckPassword>(&action)) {
        fuzz::require(!check->user.empty() && !check->password.empty());
        was_checked = check->password.reveal() == "pw";
        action = was_checked ? login.password_right() : LoginAction(login.password_wrong(wrong));
    }
    if (std::holds_alternative<Reject>(action)) return login.refuse({403, wrong});
    if (std::holds_alternative<Admit>(action)) {
        fuzz::require(was_checked);
        return login.complete(Secret("cookie="));
    }
    return std::get<Respond>(std::move(action));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1) return 0;
    auto policy = std::make_shared<LoginPolicy>();
    policy->groups = {{"g1", "Group One"}, {"g2", ""}};
    std::optional<CertificateUser> certificate;
    if (data[0] & 1) policy->wants_certificate = true;
    if (data[0] & 2) certificate = CertificateUser{"alice", "g1"};
    LoginServer login(policy, "context=", certificate);

    HttpRequestReader reader;
    fuzz::in_pieces(fuzz::view(data, size).subspan(1), 4096, [&](ByteView piece) {
        if (login.is_over()) return;
        reader.feed(piece);
        while (!login.is_over()) {
            const auto request = reader.next();
            if (!request || !*request) return;
            check_response(decide(login, login.on(**request)));
        }
    });
    return 0;
}
