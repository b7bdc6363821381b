#!/usr/bin/python3
"""A tunnel over UDP by the D-Bus face of causewayd, with python3-dbus: every packet of the TUN goes to the
other side in one datagram, and back. It encrypts nothing: what it shows is the service.

    dbus_tunnel.py OWN-ADDRESS/LENGTH PEER:PORT LOCAL-PORT [NETWORK/LENGTH ...]

The system bus, or the one whose address is in CAUSEWAY_BUS.
"""

import json
import os
import select
import socket
import sys

import dbus
import dbus.bus

NAME, OBJECT = "org.causeway.Service1", "/org/causeway/Service1"


def variants(value):
    """Objects as a{sv}, lists as av: python3-dbus would guess narrower types."""
    if isinstance(value, dict):
        return dbus.Dictionary({k: variants(v) for k, v in value.items()}, signature="sv")
    if isinstance(value, list):
        return dbus.Array([variants(each) for each in value], signature="v")
    return value


def link(text):
    address, length = text.split("/")
    return {"address": {"address": address}, "prefixLength": int(length)}


def main(own, peer, port, *networks):
    # The session lives as long as this connection.
    bus = dbus.bus.BusConnection(os.environ.get("CAUSEWAY_BUS", dbus.bus.BusConnection.TYPE_SYSTEM))
    service = dbus.Interface(bus.get_object(NAME, OBJECT, introspect=False), NAME)
    config = {"addresses": [link(own)], "routes": [{"destination": link(n)} for n in networks]}
    try:
        tun, session, interface = service.SetUp(variants(config))
        host, _, far_port = peer.rpartition(":")
        outside = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        outside.bind(("", int(port)))
        # Before it is connected, so that its way never leads into the tunnel.
        service.Protect(dbus.types.UnixFd(outside))
    except dbus.DBusException as error:
        message = error.get_dbus_message()
        print(message, file=sys.stderr)
        if "(incident " in message:
            incident = json.loads(service.Incident(message[-17:-1]))["error"]
            print(f"{incident['value']} {incident['name']}: {incident['remedy']}", file=sys.stderr)
        sys.exit(1)
    outside.connect((host.strip("[]"), int(far_port)))
    tun = tun.take()
    print("up:", interface, flush=True)
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
