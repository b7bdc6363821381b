#include "causeway/program/refusal.h"

#include "causeway/base/text.h"
#include "causeway/error/names.h"

#include <fmt/format.h>

#include <cstdio>

namespace causeway::program {

void print_refusal(std::string_view program, const Error& error) {
    fmt::print(stderr, "{}: {}\n", program, printable(error.detail));
    for (const auto& [key, value] : error.evidence)
        if (key.starts_with("fault_") && key != "fault_1")
            fmt::print(stderr, "{}: {}\n", program, printable(value));
    for (const Error* cause = error.cause.get(); cause; cause = cause->cause.get())
        fmt::print(stderr, "  because {} ({}){}{}\n", code_name(cause->code),
                   code_text(cause->code), cause->detail.empty() ? "" : ": ",
                   printable(cause->detail));
}

}  // namespace causeway::program
