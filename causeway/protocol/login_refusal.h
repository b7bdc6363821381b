// What a status other than 200 says in answer to a login.

#pragma once

#include "causeway/error/error.h"
#include "causeway/protocol/http_message.h"

namespace causeway::protocol {

/// The failure that a response of a gateway, or of whatever else answered, stands for: the
/// gateway's own code when it gives one; authenticationFailed for 401 and 403;
/// clientCertificateInvalid for those that speak of a certificate; negotiationFailed for the rest.
/// The HTTP status lies at the bottom.
Error login_refusal(const HttpResponse& response, bool has_certificate);

}  // namespace causeway::protocol
