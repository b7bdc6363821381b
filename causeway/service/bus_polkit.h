// polkit as the authority, on the bus that the service is on.

#pragma once

#include "causeway/service/authority.h"

#include <sdbus-c++/IProxy.h>

#include <functional>
#include <map>
#include <memory>

namespace causeway::service {

class BusPolkit final : public Authority {
public:
    /// `sent` is called after something was sent.
    BusPolkit(sdbus::IConnection& connection, std::function<void()> sent);
    /// Questions that are open are answered: there is nobody to ask.
    ~BusPolkit() override;
    BusPolkit(const BusPolkit&) = delete;
    BusPolkit& operator=(const BusPolkit&) = delete;

    void ask(std::uint64_t question, Right right, const Subject& subject, Done done) override;
    void cancel(std::uint64_t question) override;

private:
    void answered(std::uint64_t question, Verdict verdict);

    std::function<void()> sent_;
    std::unique_ptr<sdbus::IProxy> polkit_;
    std::map<std::uint64_t, Done> open_;
};

}  // namespace causeway::service
