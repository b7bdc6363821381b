#include "causeway/service/bus_link.h"

#include "causeway/base/text.h"
#include "causeway/service/limits.h"

#include <sdbus-c++/Error.h>
#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <limits>
#include <utility>

namespace causeway::service {
namespace {

int errno_of(std::string_view name) {
    if (name.ends_with(".AccessDenied") || name.ends_with(".AuthFailed")) return EACCES;
    if (name.ends_with(".NoReply") || name.ends_with(".Timeout") || name.ends_with(".TimedOut"))
        return ETIMEDOUT;
    if (name.ends_with(".FileNotFound") || name.ends_with(".ServiceUnknown") ||
        name.ends_with(".NameHasNoOwner"))
        return ENOENT;
    if (name.ends_with(".FileExists")) return EEXIST;
    if (name.ends_with(".Disconnected") || name.ends_with(".NoServer")) return ECONNREFUSED;
    return EIO;
}

/// poll(2)'s flags have epoll(7)'s numbers.
std::uint32_t flags_of(const sdbus::IConnection::PollData& wanted) {
    return static_cast<std::uint32_t>(static_cast<unsigned short>(wanted.events));
}

std::unique_ptr<sdbus::IConnection> connect(const std::string& address) {
    if (address == "system") return sdbus::createSystemBusConnection();
    return sdbus::createSessionBusConnectionWithAddress(address);
}

}  // namespace

Error bus_failure(const std::string& name, const std::string& message, std::string call) {
    return system_error(errno_of(name), std::move(call), printable(message))
        .with("dbus_error", printable(name));
}

Result<std::unique_ptr<BusLink>> BusLink::open(EventLoop& loop, const std::string& address,
                                               std::function<void(const std::string&)> gone) try {
    return std::unique_ptr<BusLink>(new BusLink(loop, connect(address), std::move(gone)));
} catch (const sdbus::Error& error) {
    return std::unexpected(bus_failure(error.getName(), error.getMessage(), "connect"));
}

BusLink::BusLink(EventLoop& loop, std::unique_ptr<sdbus::IConnection> connection,
                 std::function<void(const std::string&)> gone)
    : loop_(loop), connection_(std::move(connection)), gone_(std::move(gone)) {
    const auto wanted = connection_->getEventLoopPollData();
    watch_ = loop_.watch(wanted.fd, flags_of(wanted), [this](auto) { pump(); });
    // What came with the answers to the first calls waits in the connection, not in its socket.
    arm();
}

BusLink::~BusLink() = default;

void BusLink::pump() try {
    for (int turn = 0; turn < bus_messages_a_turn; ++turn)
        if (!connection_->processPendingRequest()) break;
    arm();
} catch (const sdbus::Error& error) {
    end(error.getMessage());
}

void BusLink::arm() try {
    if (!watch_) return;
    const auto wanted = connection_->getEventLoopPollData();
    watch_.want(flags_of(wanted));
    timer_.reset();
    if (wanted.timeout_usec == std::numeric_limits<std::uint64_t>::max()) return;
    // Messages that wait have a time in the past; the others of the loop have their turn before
    // them.
    const auto when =
        std::max(Instant(std::chrono::microseconds(wanted.timeout_usec)), Clock::now());
    timer_ = loop_.at(when, [this] { pump(); });
} catch (const sdbus::Error& error) {
    end(error.getMessage());
}

/// Not here: whoever sends may be in the middle of something of this connection.
void BusLink::end(const std::string& why) {
    watch_.reset();
    timer_.reset();
    if (gone_) loop_.post([gone = std::exchange(gone_, nullptr), why] { gone(why); });
}

}  // namespace causeway::service
