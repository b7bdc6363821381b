// A program that uses the VPN service by its C face: what it was refused is printed, the code and
// the name in a line, then the sentence, then the incident.
//
//     service_c_tool set_up CONFIG         sets up, prints status, interface and session, destroys
//     service_c_tool protect CONFIG KIND   then protects a "file" or a socket
//     service_c_tool ask METHOD PARAMS

#include "causeway/compat/vpn_service.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static int refuse(causeway_error* error) {
    printf("%d %s\n%s\n%s\n", causeway_error_code(error), causeway_error_name(error),
           causeway_error_sentence(error), causeway_error_incident(error));
    causeway_error_free(error);
    return 1;
}

static int say(char* json) {
    printf("%s\n", json);
    causeway_free(json);
    return 0;
}

static int set_up(const char* config) {
    causeway_error* error = NULL;
    causeway_vpn* vpn = causeway_vpn_set_up(config, &error);
    if (!vpn) return refuse(error);
    char* status = causeway_vpn_status(vpn, &error);
    if (!status) return refuse(error);
    printf("%s %s\n", causeway_vpn_interface(vpn), causeway_vpn_session(vpn));
    say(status);
    return causeway_vpn_destroy(vpn, &error) == 0 ? 0 : refuse(error);
}

static int protect(const char* config, const char* kind) {
    causeway_error* error = NULL;
    causeway_vpn* vpn = causeway_vpn_set_up(config, &error);
    if (!vpn) return refuse(error);
    const int it =
        strcmp(kind, "file") == 0 ? open("/dev/null", O_RDONLY) : socket(AF_INET, SOCK_DGRAM, 0);
    const int done = causeway_vpn_protect(vpn, it, &error);
    causeway_vpn_destroy(vpn, NULL);
    if (done != 0) return refuse(error);
    puts("protected");
    return 0;
}

static int ask(const char* method, const char* params) {
    causeway_error* error = NULL;
    char* json = causeway_service_ask(method, params, &error);
    return json ? say(json) : refuse(error);
}

int main(int count, char** words) {
    const char* verb = count > 2 ? words[1] : "";
    if (strcmp(verb, "set_up") == 0) return set_up(words[2]);
    if (strcmp(verb, "protect") == 0 && count > 3) return protect(words[2], words[3]);
    if (strcmp(verb, "ask") == 0 && count > 3) return ask(words[2], words[3]);
    return 2;
}
