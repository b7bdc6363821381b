#include "causeway/provider/datagram_failure.h"

#include "causeway/base/clock.h"

#include <fmt/format.h>

#include <cerrno>
#include <utility>

namespace causeway::provider {

Error unreachable_by_datagram(const Endpoint& remote, int number) {
    auto fact = system_error(number, "send");
    if (number == ECONNREFUSED)
        return Error{Tls::errSSLConnectionRefused, "nothing takes datagrams at " + remote.text()}
            .because(std::move(fact));
    return Error{Tls::errSSLNetworkTimeout, "datagrams do not get to " + remote.text()}.because(
        std::move(fact));
}

Error no_datagram_handshake(const Endpoint& remote, Error why, bool had_answer,
                            std::chrono::milliseconds limit) {
    if (why.code == Code(Tls::errSSLNetworkTimeout) && !why.cause && !had_answer)
        why.detail =
            fmt::format("no answer to datagrams came from {} within {}: UDP may be blocked",
                        remote.text(), spoken(limit));
    return std::move(why).with("address", remote.text()).with("phase", "datagram");
}

Error datagrams_stopped(const Endpoint& remote, protocol::DatagramDown::Why why,
                        std::chrono::milliseconds silence, int trouble, std::size_t smallest) {
    using Why = protocol::DatagramDown::Why;
    Error error{Tls::errSSLNetworkTimeout, {}};
    error.with("address", remote.text());
    if (why == Why::narrow) {
        error.detail = fmt::format(
            "only small datagrams get to {} and back: none that holds a packet of {} bytes",
            remote.text(), smallest);
        return error;
    }
    error.with("silence_ms", std::to_string(silence.count()));
    if (why == Why::silence)
        error.detail =
            fmt::format("no datagram came from {} for {}", remote.text(), spoken(silence));
    else if (why == Why::unanswered)
        error.detail = fmt::format("no answer came from {} for {}: our datagrams do not reach it",
                                   remote.text(), spoken(silence));
    else
        error.detail = "the gateway sends its packets through TLS: our datagrams do not reach it";
    if (trouble == 0) return error;
    return std::move(error).because(system_error(trouble, "send"));
}

}  // namespace causeway::provider
