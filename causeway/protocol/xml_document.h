// XML from the network, parsed within limits; for the files of this layer that read it.

#pragma once

#include "causeway/error/error.h"

#include <pugixml.hpp>

#include <string>
#include <string_view>

namespace causeway::protocol {

/// Parses `body` into `document`. Fails with errSSLDecodeError (not XML, a DOCTYPE) or
/// errSSLBufferOverflow (too deep, too many elements).
Result<void> parse_xml(pugi::xml_document& document, std::string_view body);

/// The text for an element's content or an attribute's value: with the five entities, and without
/// the control characters that XML cannot hold.
std::string xml_escaped(std::string_view text);

}  // namespace causeway::protocol
