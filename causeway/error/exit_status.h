// Exit statuses: one table for all programs.
//
//     0          success
//     2          wrong usage; a daemon: a configuration it refuses
//     31..40     a service code: 201 202 203 401 801 2203001 2203002 2203004 19900001 19900002
//     50         a channel code or trust reason alone
//     70         anything else
//     101..119   a VPN code
//
// 1 is never used.

#pragma once

#include "causeway/error/error.h"

namespace causeway {

inline constexpr int exit_success = 0;
inline constexpr int exit_usage = 2;
inline constexpr int exit_channel = 50;
inline constexpr int exit_other = 70;

/// By the first error of the chain that has a status of its own.
int exit_status(const Error& error);

}  // namespace causeway
