// What a user's answers make of a gateway's form.

#pragma once

#include "causeway/base/secret.h"
#include "causeway/error/error.h"
#include "causeway/protocol/auth_form.h"
#include "causeway/protocol/config_auth.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace causeway::protocol {

struct FormAnswers {
    std::vector<AnsweredField> fields;  ///< All but the group, in the order of the form.
    std::vector<AnsweredField> asked;   ///< Of these, what the user was asked for.
    std::string group;                  ///< What the form's group field says, or "".
};

/// Answers every field. Hidden ones answer themselves; so does a select with a selected or a single
/// choice; the group field takes `group`, else the gateway's choice, else the first one.
///
/// Fails with authenticationFailed (no answer; evidence `field`) or configurationFailed (an answer
/// that is no choice of its select).
Result<FormAnswers> answer_form(const AuthForm& form, const std::map<std::string, Secret>& answers,
                                std::string_view group);

/// The value of the group that is called `wish`, by value or text. Fails with configurationFailed
/// and what is on offer as evidence `groups`.
Result<std::string> group_on_offer(const AuthForm& form, std::string_view wish);

/// The names of the fields that a user is asked for.
std::vector<std::string> asked_fields(const AuthForm& form);
bool asks_password(const AuthForm& form);

}  // namespace causeway::protocol
