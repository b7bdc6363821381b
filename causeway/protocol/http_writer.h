// HTTP messages as bytes.

#pragma once

#include "causeway/protocol/http_message.h"

#include <string>

namespace causeway::protocol {

/// The request as it goes on the wire. Content-Length is written when there is a body; method,
/// target and headers are the caller's. CR and LF in a value become spaces.
std::string write_request(const HttpRequest& request);

/// The response as it goes on the wire. Content-Length is always written, except for a 200 to a
/// CONNECT (`is_tunnel`), which has neither body nor length.
std::string write_response(const HttpResponse& response, bool is_tunnel = false);

}  // namespace causeway::protocol
