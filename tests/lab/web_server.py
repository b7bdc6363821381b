"""What is found behind HTTPS where no gateway is, or a broken one: a way to answer each request."""

import time

from .tls_server import drops

FORM = """<?xml version="1.0" encoding="UTF-8"?>
<config-auth client="vpn" type="auth-request"><version who="sg">0.1(1)</version>
<auth id="main"><message>Please enter your username.</message>
<form method="post" action="/auth"><input type="text" name="username" label="Username:"/></form>
</auth></config-auth>"""
HTML = "<!DOCTYPE html><html><head><title>Intranet</title></head><body>Welcome</body></html>"
BROKEN_XML = '<?xml version="1.0"?><config-auth client="vpn" type="auth-request"><auth><form'


def read_request(stream):
    """(head, body) of one request; None when the client is gone."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = stream.recv(16384)
        if not more:
            return None
        data += more
    head, body = data.split(b"\r\n\r\n", 1)
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    while len(body) < length:
        more = stream.recv(16384)
        if not more:
            return None
        body += more
    return head.decode("latin-1"), body.decode("utf-8", "replace")


def response(status, body="", *headers, kind="text/html"):
    """A whole response; status such as "404 Not Found"."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body.encode())}",
             *headers]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def answers(*responses):
    """Answers the requests of a connection with these, the last one for all that follow."""
    def serve(stream):
        number = 0
        while read_request(stream):
            stream.sendall(responses[min(number, len(responses) - 1)])
            number += 1
    return serve


def redirects(location, status="302 Found"):
    return answers(response(status, "", f"Location: {location}"))


def never_answers(stream):
    while read_request(stream):
        continue


def closes_after_request(stream):
    read_request(stream)
    drops(stream)


def speaks(words):
    """Answers the first request with words that are no HTTP."""
    def serve(stream):
        read_request(stream)
        stream.sendall(words)
        never_answers(stream)
    return serve


def announces(length, sent):
    """Promises a body of this length and sends only so much of it, as fast as it can."""
    def serve(stream):
        read_request(stream)
        stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n" +
                       f"Content-Length: {length}\r\n\r\n".encode())
        for _ in range(sent // 16384):
            stream.sendall(b" " * 16384)
        never_answers(stream)
    return serve


def endless_headers(stream):
    read_request(stream)
    stream.sendall(b"HTTP/1.1 200 OK\r\n")
    number = 0
    while True:
        stream.sendall(f"X-Filler-{number}: {'x' * 200}\r\n".encode())
        number += 1


def drips(words, pause=0.5):
    """An answer of which a byte comes now and then, so that no single read ever waits long."""
    def serve(stream):
        read_request(stream)
        for byte in words:
            stream.sendall(bytes([byte]))
            time.sleep(pause)
    return serve
