#!/usr/bin/python3
"""A tunnel over UDP by the control socket of causewayd, without any library: every packet of the TUN goes
to the other side in one datagram, and back. It encrypts nothing: what it shows is the service.

    udp_tunnel.py OWN-ADDRESS/LENGTH PEER:PORT LOCAL-PORT [NETWORK/LENGTH ...]
"""

import json
import os
import select
import socket
import struct
import sys

SOCKET = os.environ.get("CAUSEWAY_SOCKET", "/run/causeway/control.sock")


class Service:
    """The connection; the session lives as long as it does."""

    def __init__(self):
        self.stream = socket.socket(socket.AF_UNIX)
        self.stream.connect(SOCKET)
        self.asked = 0

    def read(self, size, descriptors):
        data = b""
        while len(data) < size:
            part, arrived, _, _ = socket.recv_fds(self.stream, size - len(data), 4)
            if not part:
                sys.exit("the service has ended")
            data, descriptors[:] = data + part, descriptors + arrived
        return data

    def ask(self, method, params, send=()):
        """The result and the descriptors that came with it."""
        self.asked += 1
        text = json.dumps({"id": self.asked, "method": method, "params": params}).encode()
        frame = struct.pack(">I", len(text)) + text
        socket.send_fds(self.stream, [frame], send) if send else self.stream.sendall(frame)
        descriptors = []
        size, = struct.unpack(">I", self.read(4, descriptors))
        answer = json.loads(self.read(size, descriptors))
        if "error" in answer:
            error = answer["error"]["error"]
            sys.exit(f"{error['value']} {error['name']}: {error['detail']}\n{error['remedy']}")
        return answer["result"], descriptors


def link(text):
    address, length = text.split("/")
    return {"address": {"address": address}, "prefixLength": int(length)}


def main(own, peer, port, *networks):
    service = Service()
    config = {"addresses": [link(own)], "routes": [{"destination": link(n)} for n in networks]}
    session, (tun,) = service.ask("set_up", {"config": config})
    host, _, far_port = peer.rpartition(":")
    outside = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    outside.bind(("", int(port)))
    # Before it is connected, so that its way never leads into the tunnel.
    service.ask("protect", {}, [outside.fileno()])
    outside.connect((host.strip("[]"), int(far_port)))
    print("up:", session["interface"], flush=True)
    while True:
        ready, _, _ = select.select([tun, outside], [], [])
        try:
            if tun in ready:
                outside.send(os.read(tun, 2048))
            if outside in ready:
                os.write(tun, outside.recv(2048))
        except (ConnectionRefusedError, BlockingIOError):
            pass  # The other side is not there yet.


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
