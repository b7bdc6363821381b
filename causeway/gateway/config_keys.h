// The keys of the gateway's configuration file: one row each, from which the checks, the manual and
// the words of a fault are made.

#pragma once

#include "causeway/program/config_keys.h"

namespace causeway::gateway {

using program::ConfigKey;
using program::KeyKind;

program::ConfigKeys config_keys();

}  // namespace causeway::gateway
