// What `causeway run` shows: lines for people, or one JSON object a line for programs.

#pragma once

#include "causeway/error/incident.h"
#include "causeway/provider/messages.h"

#include <string>

namespace causeway::cli {

class Output {
public:
    /// JSON goes to standard output; for people, progress goes there and failures to standard
    /// error.
    explicit Output(bool json) : json_(json) {}

    void phase(const TrailStep& step);
    void note(const std::string& text);
    void banner(const std::string& text);
    void connected(const provider::Connected& connected, const std::string& interface);
    void reconnecting(const provider::Reconnecting& again);
    void datagram(const provider::DatagramChanged& changed);
    /// For programs only.
    void counted(const provider::Counted& counted);
    void disconnected();
    void failed(const Incident& incident);

private:
    bool json_;
    bool was_connected_ = false;
};

}  // namespace causeway::cli
