// The client's login against a gateway that says anything, on connections that end at any time. It
// comes to an end, and no answer goes to another host than the one it was meant for.

#include "causeway/protocol/login_client.h"
#include "tests/fuzz/input.h"

#include <map>

using namespace causeway;
using namespace causeway::protocol;

namespace {

void take_output(LoginClient& login) {
    const auto pending = login.pending();
    if (!pending.empty()) fuzz::require(as_text(pending).starts_with("POST /"));
    login.sent(pending.size());
}

/// Does what a driver would; false at the end of the login.
bool react(LoginClient& login, const LoginEvent& event) {
    if (std::holds_alternative<LoggedIn>(event)) return false;
    if (std::holds_alternative<NeedAnswers>(event))
        return login
            .answer({{"username", Secret("alice")},
                     {"password", Secret("pw")},
                     {"answer", Secret("1")}})
            .has_value();
    if (std::holds_alternative<ClientCertificateWanted>(event)) {
        login.has_no_certificate();
        login.connected();
    }
    if (std::holds_alternative<ReconnectWanted>(event)) login.connected();
    if (const auto* redirected = std::get_if<Redirected>(&event);
        redirected && !redirected->same_connection)
        login.connected();
    return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    LoginSettings settings;
    settings.gateway = Url{"vpn.test", 443, data[0] & 1 ? "/g1" : "/"};
    if (data[0] & 2) settings.group = "g2";
    settings.has_certificate = (data[0] & 4) != 0;
    LoginClient login(std::move(settings));
    login.connected();
    bool goes_on = true;
    int events = 0;
    const auto listen = [&] {
        while (goes_on) {
            take_output(login);
            const auto event = login.next();
            if (!event) goes_on = false;
            if (!event || !*event) return;
            fuzz::require(++events < 1000);
            goes_on = react(login, **event);
        }
    };
    fuzz::in_pieces(fuzz::view(data, size).subspan(2), data[1] * 16UL, [&](ByteView piece) {
        if (!goes_on) return;
        login.feed(piece);
        listen();
    });
    login.connection_lost(Error{Tls::errSSLClosedAbort, ""});
    listen();
    return 0;
}
