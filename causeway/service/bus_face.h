// The service as an object of the D-Bus: org.causeway.Service1. docs/dbus.md describes it.
//
// A second face of the same calls as the control socket's: the same checks, the same incidents.

#pragma once

#include "causeway/base/event_loop.h"
#include "causeway/service/bus_callers.h"
#include "causeway/service/bus_link.h"
#include "causeway/service/bus_polkit.h"
#include "causeway/service/vpn_service.h"

#include <sdbus-c++/IObject.h>

#include <functional>
#include <memory>
#include <string>

namespace causeway::service {

inline constexpr const char* bus_service = "org.causeway.Service1";
inline constexpr const char* bus_object = "/org/causeway/Service1";
inline constexpr const char* bus_error_prefix = "org.causeway.Error.";

struct BusMethod;

/// A call that is not answered yet. It keeps its connection, whose memory the message is.
struct BusCall {
    std::shared_ptr<BusLink> link;
    sdbus::MethodCall message;
};

class BusFace {
public:
    /// Takes its name on the bus, which is waited for: before anything is served. `gone` is told
    /// when the bus has gone, and why; the sessions of its callers have ended then. Fails with the
    /// bus's word as a raw fact; EEXIST when another process has the name.
    static Result<std::unique_ptr<BusFace>> open(EventLoop& loop, const std::string& address,
                                                 VpnService& service,
                                                 std::function<void(const std::string&)> gone);
    ~BusFace();

    /// No further requests; what was asked for is still answered.
    void stop() { is_serving_ = false; }
    /// An event for one of its callers.
    void tell(ConnectionId connection, const std::string& json);

private:
    /// Who is answered, and may have left the bus.
    struct Asker {
        ConnectionId connection;
        Caller caller;
    };

    BusFace(EventLoop& loop, VpnService& service, std::function<void(const std::string&)> gone);
    void take_name(const std::string& address);
    void describe();
    void called(const BusMethod& method, BusCall call);
    void ask(const BusMethod& method, const BusCall& call, const BusCaller& caller, Request request,
             std::vector<Fd> descriptors);
    void answer(const BusMethod& method, const BusCall& call, Result<Answer> result,
                const Asker& asker);
    void take_back(const Asker& asker, const nlohmann::ordered_json& session);
    void refuse(const BusCall& call, const Caller& caller, Error error);
    void send(const std::function<void()>& action);
    nlohmann::ordered_json public_status();
    void announce_change();
    void bus_gone(const std::string& why);

    EventLoop& loop_;
    VpnService& service_;
    std::function<void(const std::string&)> gone_;
    std::shared_ptr<BusLink> link_;
    std::unique_ptr<BusCallers> callers_;
    std::unique_ptr<BusPolkit> polkit_;
    std::unique_ptr<sdbus::IObject> object_;
    bool is_serving_ = true;
    bool has_changed_ = false;
};

}  // namespace causeway::service
