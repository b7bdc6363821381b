#include "causeway/compat/vpn_service.h"

#include "causeway/error/json.h"
#include "causeway/error/names.h"
#include "causeway/error/report.h"
#include "causeway/service/client.h"

#include <cstring>
#include <memory>
#include <string>

using causeway::Result;
using causeway::service::ControlClient;
using causeway::service::VpnSession;

struct causeway_vpn {
    VpnSession session;
};

struct causeway_error {
    int code;
    std::string name;
    std::string sentence;
    std::string incident;
};

namespace {

void tell(causeway_error** into, causeway::Error failure) {
    if (!into) return;
    const auto incident = causeway::service::incident_of(std::move(failure));
    *into =
        new causeway_error{incident.error.code.number(), causeway::code_name(incident.error.code),
                           causeway::sentence(incident.error), causeway::json_text(incident)};
}

int status_of(Result<void> result, causeway_error** error) {
    if (result) return 0;
    tell(error, std::move(result).error());
    return -1;
}

char* text_of(Result<std::string> result, causeway_error** error) {
    if (!result) {
        tell(error, std::move(result).error());
        return nullptr;
    }
    auto text = std::make_unique<char[]>(result->size() + 1);
    std::memcpy(text.get(), result->c_str(), result->size() + 1);
    return text.release();
}

Result<std::string> ask(const char* method, const char* params) {
    auto client = ControlClient::connect();
    if (!client) return pass(client);
    auto answer = client->ask(method, params);
    if (!answer) return pass(answer);
    return std::move(answer->json);
}

}  // namespace

causeway_vpn* causeway_vpn_set_up(const char* config, causeway_error** error) {
    auto session = VpnSession::set_up_text(config);
    if (session) return new causeway_vpn{std::move(*session)};
    tell(error, std::move(session).error());
    return nullptr;
}

int causeway_vpn_tun(const causeway_vpn* vpn) { return vpn->session.tun(); }

const char* causeway_vpn_session(const causeway_vpn* vpn) { return vpn->session.id().c_str(); }

const char* causeway_vpn_interface(const causeway_vpn* vpn) {
    return vpn->session.interface().c_str();
}

int causeway_vpn_protect(causeway_vpn* vpn, int socket, causeway_error** error) {
    return status_of(vpn->session.protect(socket), error);
}

char* causeway_vpn_status(causeway_vpn* vpn, causeway_error** error) {
    return text_of(vpn->session.status(), error);
}

int causeway_vpn_destroy(causeway_vpn* vpn, causeway_error** error) {
    const std::unique_ptr<causeway_vpn> ended(vpn);
    return ended ? status_of(ended->session.destroy(), error) : 0;
}

char* causeway_service_ask(const char* method, const char* params, causeway_error** error) {
    return text_of(ask(method, params), error);
}

int causeway_error_code(const causeway_error* error) { return error->code; }

const char* causeway_error_name(const causeway_error* error) { return error->name.c_str(); }

const char* causeway_error_sentence(const causeway_error* error) { return error->sentence.c_str(); }

const char* causeway_error_incident(const causeway_error* error) { return error->incident.c_str(); }

void causeway_error_free(causeway_error* error) { delete error; }

void causeway_free(char* text) { delete[] text; }
