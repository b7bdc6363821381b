// Questions to the person at the terminal; passwords are not shown.

#pragma once

#include "causeway/base/secret.h"
#include "causeway/error/error.h"
#include "causeway/provider/messages.h"

namespace causeway::cli {

/// Whether somebody can be asked: standard input is a terminal.
bool can_prompt();

/// Asks for each field of the form in turn. Interrupted by SIGINT or SIGTERM, which must be blocked
/// in this thread; `interrupted` is then set, and the terminal is as it was. Also ends when
/// `abandoned`, a descriptor, becomes readable (-1: none).
/// Fails with errSecUserCanceled, or authenticationFailed at the end of input.
Result<provider::Typed> prompt(const provider::PromptAsked& asked, int abandoned,
                               bool& interrupted);

/// One password.
Result<Secret> prompt_password(const std::string& label, bool& interrupted);

}  // namespace causeway::cli
