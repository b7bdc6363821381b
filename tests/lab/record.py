"""TLS records on a stream, and the few handshake messages that are made by hand."""

import os
import struct

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, DATA = 20, 21, 22, 23


def record(kind, payload, version=0x0303):
    return struct.pack(">BHH", kind, version, len(payload)) + payload


def alert(number, level=2):
    return record(ALERT, bytes([level, number]))


def message(kind, body):
    return bytes([kind]) + len(body).to_bytes(3, "big") + body


def read_record(stream):
    """(type, whole record) of the next record; None at the end of the stream."""
    head = read_exactly(stream, 5)
    if len(head) < 5:
        return None
    body = read_exactly(stream, struct.unpack(">H", head[3:])[0])
    return head[0], head + body


def read_exactly(stream, count):
    """Fewer bytes than asked only at the end of the stream."""
    data = b""
    while len(data) < count:
        more = stream.recv(count - len(data))
        if not more:
            break
        data += more
    return data


def server_hello(version=0x0303, suite=0xC02B, session=b"", extensions=b"\xff\x01\x00\x01\x00"):
    """A ServerHello of TLS 1.2 or earlier, as one record. The suite is ECDHE-ECDSA-AES128-GCM."""
    body = (struct.pack(">H", version) + os.urandom(32) + bytes([len(session)]) + session +
            struct.pack(">HB", suite, 0) + struct.pack(">H", len(extensions)) + extensions)
    return record(HANDSHAKE, message(2, body), version)


def certificate(*encoded):
    """A Certificate message of TLS 1.2 with these DER certificates, well formed or not."""
    each = b"".join(len(der).to_bytes(3, "big") + der for der in encoded)
    return record(HANDSHAKE, message(11, len(each).to_bytes(3, "big") + each))


SERVER_HELLO_DONE = record(HANDSHAKE, message(14, b""))


def hello_without_share(client_hello, suite=0x1301):
    """A TLS 1.3 ServerHello that answers this ClientHello and lacks the key share it needs."""
    session = client_hello[43:44 + client_hello[43]]
    version = b"\x00\x2b\x00\x02\x03\x04"
    body = (b"\x03\x03" + os.urandom(32) + session + struct.pack(">HB", suite, 0) +
            struct.pack(">H", len(version)) + version)
    return record(HANDSHAKE, message(2, body))
