// Who calls over the bus: the bus is asked once for each connection, and watched for its end.

#pragma once

#include "causeway/base/fd.h"
#include "causeway/error/error.h"
#include "causeway/service/caller.h"
#include "causeway/service/session.h"

#include <sdbus-c++/IProxy.h>
#include <sdbus-c++/Types.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace causeway::service {

/// One connection to the bus, as its unique name says it.
struct BusCaller {
    ConnectionId connection;
    std::string name;  ///< ":1.42"
    Caller caller;
    Fd process;  ///< Its pidfd; none where its process had ended when the bus named it.
};

/// Connections of the bus are numbered from here, those of the socket below.
inline constexpr ConnectionId bus_connection_first = ConnectionId{1} << 63;

/// What `GetConnectionCredentials` answered. The process is the bus's own descriptor of it
/// (`ProcessFD`, from dbus 1.15.8), else what has its number now. Fails with ENODATA when the bus
/// does not say who it is.
Result<BusCaller> bus_caller_from(const std::map<std::string, sdbus::Variant>& credentials);

/// Asks without waiting.
class BusCallers {
public:
    /// Told who it is, or why nobody is served: SYSTEM_INTERNAL_ERROR <- EUSERS for too many.
    using Known = std::move_only_function<void(Result<const BusCaller*>)>;
    using Gone = std::function<void(ConnectionId)>;

    /// Watches for ends of connections from now on; `gone` is told of those that were known.
    BusCallers(sdbus::IConnection& connection, Gone gone);
    ~BusCallers();

    /// `known` is called at once or later, once; not at all when the connection ends meanwhile.
    void find(const std::string& name, Known known);
    const BusCaller* find(ConnectionId connection) const;
    /// All of them are gone, as after their bus.
    void clear();

private:
    struct Question {
        sdbus::PendingAsyncCall call;
        std::vector<Known> waiting;
    };

    void ask(const std::string& name, Known known);
    void answered(const std::string& name, Result<BusCaller> caller);
    Result<void> check_room(const Caller& caller) const;
    void left(const std::string& name);

    Gone gone_;
    std::unique_ptr<sdbus::IProxy> bus_;
    sdbus::Slot departures_;
    std::map<std::string, BusCaller> callers_;
    std::map<std::string, Question> questions_;
    ConnectionId last_ = bus_connection_first;
};

}  // namespace causeway::service
