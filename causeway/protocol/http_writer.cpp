#include "causeway/protocol/http_writer.h"

#include "causeway/base/text.h"

namespace causeway::protocol {
namespace {

constexpr std::size_t value_limit = 16 * 1024;  // header_text would cut a long cookie otherwise.

void put_headers(std::string& to, const Headers& headers) {
    for (const Header& header : headers) {
        to += header.name;
        to += ": ";
        to += header_text(header.value, value_limit);
        to += "\r\n";
    }
}

void put_length(std::string& to, std::size_t length) {
    to += "Content-Length: " + std::to_string(length) + "\r\n";
}

}  // namespace

std::string write_request(const HttpRequest& request) {
    std::string text = request.method + " " + request.target + " HTTP/1.1\r\n";
    put_headers(text, request.headers);
    if (!request.body.empty()) put_length(text, request.body.size());
    return text + "\r\n" + request.body;
}

std::string write_response(const HttpResponse& response, bool is_tunnel) {
    std::string text =
        "HTTP/1.1 " + std::to_string(response.status) + " " + header_text(response.reason) + "\r\n";
    put_headers(text, response.headers);
    if (!is_tunnel) put_length(text, response.body.size());
    return text + "\r\n" + response.body;
}

}  // namespace causeway::protocol
