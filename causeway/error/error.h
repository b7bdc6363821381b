// A failure on its way up: which code, the particulars, the evidence, and what lay underneath.

#pragma once

#include "causeway/error/codes.h"

#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace causeway {

/// What programs read: "subject", "not_after", "alert"; in the order in which people should.
using Evidence = std::vector<std::pair<std::string, std::string>>;

struct Error {
    Code code;
    std::string detail;  ///< The particulars, for people: one sentence, no full stop.
    Evidence evidence = {};
    std::shared_ptr<const Error> cause = nullptr;  ///< What the layer below reported.

    /// The same error with one more piece of evidence. A later value of the same key wins.
    Error&& with(std::string key, std::string value) &&;
    Error& with(std::string key, std::string value) &;
    /// The same error resting on `below`.
    Error&& because(Error below) &&;

    /// The first error of the chain with that code, or nothing.
    const Error* find(Code code) const;
    /// The first error of the chain in that domain, or nothing.
    const Error* find(Domain domain) const;
    /// The value of the first evidence of that key along the chain, or nothing ("").
    std::string_view fact(std::string_view key) const;
};

/// A value, or the reason there is none.
template <typename Value>
using Result = std::expected<Value, Error>;

/// Ends a function that returns a Result: `return fail(Tls::errSSLDecodeError, "…")`.
inline std::unexpected<Error> fail(Code code, std::string detail = {}, Evidence evidence = {}) {
    return std::unexpected(Error{code, std::move(detail), std::move(evidence)});
}

/// The same, keeping the lower layer's failure as the cause.
inline std::unexpected<Error> fail(Code code, std::string detail, Error cause) {
    return std::unexpected(
        Error{code, std::move(detail), {}, std::make_shared<const Error>(std::move(cause))});
}

/// Hands an error on as it is: `if (!x) return pass(x)`.
template <typename Value>
std::unexpected<Error> pass(Result<Value>& result) {
    return std::unexpected(std::move(result).error());
}

/// A raw fact: an errno with the call that set it, as evidence `errno` and `call`.
Error system_error(int number, std::string call, std::string detail = {});

}  // namespace causeway
