#include "causeway/service/incident_book.h"

#include "causeway/base/text.h"
#include "causeway/service/ask.h"
#include "causeway/service/limits.h"
#include "causeway/service/request_object.h"

#include <fmt/format.h>

#include <algorithm>

namespace causeway::service {

Incident IncidentBook::record(const Caller& caller, Error error) {
    auto incident = make_incident({}, {}, Phase::device, std::move(error));
    if (incidents_.size() == incident_limit) incidents_.pop_front();
    incidents_.push_back({caller.uid, incident});
    return incident;
}

Result<Incident> IncidentBook::find(const Caller& caller, const std::string& text) const {
    const auto id = parse_incident_id(text);
    const auto found = std::ranges::find_if(
        incidents_, [&](const Kept& kept) { return id && kept.incident.id == *id; });
    if (found == incidents_.end())
        return illegal_value("incident", in_quotes(text, 60),
                             fmt::format("one of the last {}", incident_limit));
    if (!caller.administers() && found->owner != caller.uid) return others_session("incident");
    return found->incident;
}

}  // namespace causeway::service
