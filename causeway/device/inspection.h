// What the kernel has, held against the plan that was carried out.

#pragma once

#include "causeway/device/apply.h"
#include "causeway/device/plan.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace causeway::device {

/// What was read back.
struct Seen {
    std::optional<Link> link;
    std::vector<Prefix> addresses = {};
    std::map<Family, std::vector<Route>> routes = {};  ///< Of the run's table.
    std::map<Family, std::vector<Rule>> rules = {};
    std::optional<std::string> firewall = {};  ///< See NetlinkFirewall::contents.
};

/// Reads what a plan has a part in. Fails with the raw fact.
Result<Seen> look(const Plan& plan, RunNumbers run, int link, Kernel& kernel);

/// Something that is not as the plan has it.
struct Deviation {
    std::string_view step;  ///< As `name` of a step.
    std::string what;       ///< "the IPv4 rule 17999: … is missing"
    /// What puts it right; nothing for what somebody added, which is theirs.
    std::optional<Step> repair = {};

    bool operator==(const Deviation&) const = default;
};

/// In the order of the plan. `firewall` is what its tables contained when they were made.
std::vector<Deviation> deviations(const Plan& plan, const Seen& seen,
                                  const std::optional<std::string>& firewall);

}  // namespace causeway::device
