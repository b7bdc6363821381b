// A tunnel over UDP in C, with the client library of causewayd: every packet of the TUN goes to the
// other side in one datagram, and back. It encrypts nothing: what it shows is the service.
//
//     udp_tunnel_c OWN-ADDRESS LENGTH PEER PORT [NETWORK LENGTH]        IPv4

#include "causeway/compat/vpn_service.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static int fail_with(causeway_error* error) {
    fprintf(stderr, "udp_tunnel_c: %d %s: %s\n", causeway_error_code(error),
            causeway_error_name(error), causeway_error_sentence(error));
    causeway_error_free(error);
    return 70;
}

/// The configuration; what does not fit or cannot be is for the service to refuse.
static void write_config(char* text, size_t size, char** words, int count) {
    int used = snprintf(text, size,
                        "{\"addresses\": [{\"address\": {\"address\": \"%s\"}, "
                        "\"prefixLength\": %d}]",
                        words[0], atoi(words[1]));
    if (count > 5 && used > 0 && (size_t)used < size)
        used += snprintf(text + used, size - (size_t)used,
                         ", \"routes\": [{\"destination\": {\"address\": {\"address\": \"%s\"}, "
                         "\"prefixLength\": %d}}]",
                         words[4], atoi(words[5]));
    if (used > 0 && (size_t)used < size) snprintf(text + used, size - (size_t)used, "}");
}

/// One packet from one side to the other. False at the end.
static int carry(int from, int to) {
    char packet[2048];
    const ssize_t size = read(from, packet, sizeof packet);
    if (size > 0 && write(to, packet, (size_t)size) < 0) perror("write");
    return size != 0;
}

int main(int count, char** words) {
    struct sockaddr_in own = {.sin_family = AF_INET};
    struct sockaddr_in peer = {.sin_family = AF_INET};
    if (count < 5 || inet_pton(AF_INET, words[3], &peer.sin_addr) != 1) {
        fputs("usage: udp_tunnel_c OWN-ADDRESS LENGTH PEER PORT [NETWORK LENGTH]\n", stderr);
        return 2;
    }
    own.sin_port = peer.sin_port = htons((unsigned short)atoi(words[4]));

    char config[1024];
    write_config(config, sizeof config, words + 1, count - 1);
    causeway_error* error = NULL;
    causeway_vpn* vpn = causeway_vpn_set_up(config, &error);
    if (!vpn) return fail_with(error);

    const int outside = socket(AF_INET, SOCK_DGRAM, 0);
    // Before it is connected, so that its way never leads into the tunnel.
    if (causeway_vpn_protect(vpn, outside, &error) != 0) return fail_with(error);
    if (bind(outside, (const struct sockaddr*)&own, sizeof own) != 0 ||
        connect(outside, (const struct sockaddr*)&peer, sizeof peer) != 0) {
        perror("udp_tunnel_c");
        return 70;
    }
    printf("up: %s\n", causeway_vpn_interface(vpn));
    fflush(stdout);

    struct pollfd waiting[] = {{causeway_vpn_tun(vpn), POLLIN, 0}, {outside, POLLIN, 0}};
    while (poll(waiting, 2, -1) > 0) {
        if (waiting[0].revents && !carry(waiting[0].fd, outside)) break;
        if (waiting[1].revents && !carry(outside, waiting[0].fd)) break;
    }
    return causeway_vpn_destroy(vpn, &error) == 0 ? 0 : fail_with(error);
}
