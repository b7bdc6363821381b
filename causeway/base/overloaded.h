// Several lambdas as one, each for the alternatives of a variant that it takes.

#pragma once

namespace causeway {

/// `std::visit(overloaded{[](const A&) {…}, [](const B&) {…}}, variant)`
template <typename... Handlers>
struct overloaded : Handlers... {
    using Handlers::operator()...;
};

}  // namespace causeway
