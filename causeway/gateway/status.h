// How well the gateway's threads work: which offloads are on, how many packets a system call
// carries, and what was dropped where.

#pragma once

#include "causeway/datapath/record_suite.h"
#include "causeway/gateway/shard.h"

#include <span>
#include <string>

namespace causeway::gateway {

/// {"status":{"crypto":…,"threads":[{…}],"warnings":[…]}}, one entry for each shard.
std::string status_json(std::span<const Shard::Report> shards, datapath::CryptoBackend crypto);

}  // namespace causeway::gateway
