// Which of the answers at hand belongs to which field of a gateway's form; pure.

#pragma once

#include "causeway/base/secret.h"
#include "causeway/protocol/auth_form.h"
#include "causeway/provider/settings.h"

#include <map>
#include <string>
#include <vector>

namespace causeway::provider {

struct GatheredAnswers {
    std::map<std::string, Secret> answers;    ///< by name of the field
    std::vector<protocol::Field> unanswered;  ///< that somebody would have to be asked for
};

/// An answer given for a field's name fits first. Else the first text field that is the user's name
/// takes that, and the first password field the password; fields of a second server take neither.
/// Hidden fields, groups, and selects with a choice made answer themselves.
GatheredAnswers gather_answers(const protocol::AuthForm& form, const Settings& settings);

}  // namespace causeway::provider
