// The keeper's own life.

#pragma once

#include "causeway/ipc/channel.h"

#include <string>

namespace causeway::service {

/// Answers until the service is gone, then takes everything back.
void keep(ipc::Channel channel, const std::string& state_folder);

}  // namespace causeway::service
