"""Faults of a server that is no gateway, or does not finish what it began (rows 26 to 37)."""

from lab import listener, pki, web_server
from lab.client import Client
from lab.listener import Server
from lab.tls_server import TlsServer, context
from login_rows import NO_ANSWER
from rows import row

URL = "https://vpn.test/"
NO_HELLO = "a hello that does not come in time"
NO_REPLY = "an answer that does not come in time"


def plain(scene, serve):
    """Our client at a listener that does not speak TLS."""
    client, server = scene.pair()
    scene.keep(Server(server, 443, serve))
    return Client(scene, client, URL).report()


def inside(scene, serve):
    """Our client at a TLS server with a good certificate."""
    client, server = scene.pair()
    ca = pki.Authority(scene.folder)
    scene.keep(TlsServer(server, 443, context(ca.issue("server", ["vpn.test"])), serve))
    return Client(scene, client, URL, ca=ca.file).report()


@row("26a", "garbage on the port", "negotiationFailed", "errSSLProtocol",
     within=3.0)
def garbage(scene):
    return plain(scene, listener.says(listener.GARBAGE))


@row("26b", "plain HTTP on the port, a captive portal", "negotiationFailed", "errSSLProtocol",
     having=["portal\\.test/login"], within=3.0)
def plain_http(scene):
    return plain(scene, listener.says(listener.PLAIN_HTTP))


@row("26c", "SSH on the port", "negotiationFailed", "errSSLProtocol", having=["SSH"],
     within=3.0)
def ssh(scene):
    return plain(scene, listener.greets(listener.SSH))


@row("27", "server closes at once", "serverNotResponding", "errSSLConnectionRefused",
     family=NO_ANSWER)
def closes_at_once(scene):
    return plain(scene, listener.closes)


@row("27b", "server resets at once", "serverNotResponding", "errSSLTransportReset|"
     "errSSLConnectionRefused", family=NO_ANSWER)
def resets_at_once(scene):
    return plain(scene, listener.resets)


@row("28", "accepts TCP, never answers TLS", "serverNotResponding", "errSSLNetworkTimeout",
     within=12.0, family=NO_HELLO)
def silent_before_tls(scene):
    return plain(scene, listener.silent)


@row("28b", "a handshake that drips", "serverNotResponding", "errSSLNetworkTimeout", within=12.0,
     family=NO_HELLO)
def drips_before_tls(scene):
    return plain(scene, listener.drips(b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03" + bytes(90)))


@row("29", "TLS fine, HTTP never answers", "serverNotResponding", within=22.0,
     family=NO_REPLY)
def silent_after_tls(scene):
    return inside(scene, web_server.never_answers)


@row("29b", "an HTTP answer that drips", "serverNotResponding", within=22.0, family=NO_REPLY)
def drips_after_tls(scene):
    return inside(scene, web_server.drips(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nX: " +
                                          bytes(b"x" * 200)))


@row("30", "closes after the request", "serverNotResponding", "errSSLClosedNoNotify")
def closes_after_request(scene):
    return inside(scene, web_server.closes_after_request)


@row("31", "text in TLS that is no HTTP", "negotiationFailed", having=["hello"])
def no_http(scene):
    return inside(scene, web_server.speaks(b"hello, this is the echo service\r\n"))


@row("32a", "another web server: 404", "negotiationFailed", "Not Found")
def not_found(scene):
    return inside(scene, web_server.answers(web_server.response("404 Not Found", web_server.HTML)))


@row("32b", "another web server: 500", "negotiationFailed", "Internal Server Error")
def server_error(scene):
    return inside(scene, web_server.answers(web_server.response("500 Internal Server Error")))


@row("32c", "another web server: 503", "negotiationFailed", "Service Unavailable",
     having=["maintenance"])
def unavailable(scene):
    return inside(scene, web_server.answers(
        web_server.response("503 Service Unavailable", "", "X-Reason: maintenance until noon")))


@row("33", "403", "authenticationFailed", "Forbidden")
def forbidden(scene):
    return inside(scene, web_server.answers(web_server.response("403 Forbidden")))


@row("34", "401", "authenticationFailed", "Unauthorized")
def unauthorized(scene):
    return inside(scene, web_server.answers(
        web_server.response("401 Unauthorized", "", 'WWW-Authenticate: Basic realm="x"')))


@row("35", "200 with HTML", "negotiationFailed", having=["web page", "web server"])
def html(scene):
    return inside(scene, web_server.answers(web_server.response("200 OK", web_server.HTML)))


@row("36", "broken XML", "negotiationFailed", having=["XML"])
def broken_xml(scene):
    return inside(scene, web_server.answers(
        web_server.response("200 OK", web_server.BROKEN_XML, kind="text/xml")))


@row("37", "redirect loop", "negotiationFailed", having=["redirect"])
def redirect_loop(scene):
    return inside(scene, web_server.redirects("https://vpn.test/"))


@row("37b", "redirect to a page that is not encrypted", "negotiationFailed",
     "errSSLATSViolation", having=["http://"])
def redirect_to_plain(scene):
    return inside(scene, web_server.redirects("http://vpn.test/login"))


@row("37c", "a body of 10 GB announced", "negotiationFailed", within=3.0)
def body_too_long(scene):
    return inside(scene, web_server.announces(10 * 10**9, 64 * 2**20))


@row("37d", "headers without an end", "negotiationFailed", within=3.0)
def endless_headers(scene):
    return inside(scene, web_server.endless_headers)
