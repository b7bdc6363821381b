// The report of a failure for people: what happened, why, what was tried, what to do.

#pragma once

#include "causeway/error/incident.h"

#include <string>

namespace causeway {

/// Many lines of at most 100 columns, each ended by '\n'; foreign text is escaped. Colour only
/// when asked for (a terminal that wants it).
std::string report(const Incident& incident, bool colour = false);

/// One line without an end, for logs and for protocols that have room for a sentence: the meaning
/// of the first error and its detail, "The server ended the session: idle for 30 minutes".
std::string sentence(const Error& error);

}  // namespace causeway
