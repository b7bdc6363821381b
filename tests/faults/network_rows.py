"""Faults of the resolver, of the network, and of a server that is not there (rows 1 to 8)."""

from lab.client import Client
from lab.listener import Server, silent
from lab.resolver import Resolver
from rows import row

NAME = "https://gateway.lab/"


def resolve(scene, says, ask="10.77.0.2"):
    """Runs the client with a name that only the resolver can know."""
    client, server = scene.pair()
    if says:
        scene.keep(Resolver(server, "10.77.0.2", says))
    client.resolvers(*([ask] if ask else []))
    return Client(scene, client, NAME).report()


@row("1", "host unknown, DNS answers NXDOMAIN", "serverAddressResolutionFailed", "NXDOMAIN",
     having=["gateway.lab", "10.77.0.2"])
def name_unknown(scene):
    return resolve(scene, "nxdomain")


@row("2a", "the resolver refuses (answer REFUSED)", "serverAddressResolutionFailed", "REFUSED",
     having=["10.77.0.2"])
def resolver_refuses(scene):
    return resolve(scene, "refused")


@row("2b", "nobody listens at the resolver (ICMP refused)", "serverAddressResolutionFailed",
     "UNREACHABLE", having=["10.77.0.2"])
def resolver_not_there(scene):
    return resolve(scene, None)


@row("2c", "the resolver fails (answer SERVFAIL)", "serverAddressResolutionFailed", "SERVFAIL",
     having=["10.77.0.2"])
def resolver_fails(scene):
    return resolve(scene, "servfail")


@row("2d", "the name has no address", "serverAddressResolutionFailed", having=["10.77.0.2"])
def name_without_address(scene):
    return resolve(scene, "empty")


@row("2e", "the name has only an IPv6 address, the host no IPv6", "serverAddressResolutionFailed",
     having=["IPv6"])
def only_ipv6(scene):
    client, server = scene.pair()
    scene.keep(Resolver(server, "10.77.0.2", ["fd77:0::2"]))
    client.resolvers("10.77.0.2")
    client.run("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1")
    return Client(scene, client, NAME).report()


@row("3", "the resolver does not answer", "serverAddressResolutionFailed", within=11.0,
     having=["10.77.0.2", "not answer"])
def resolver_silent(scene):
    return resolve(scene, "silence")


@row("4", "no resolver configured", "serverAddressResolutionFailed", having=["no .*resolver"])
def no_resolver(scene):
    return resolve(scene, None, ask=None)


@row("5", "refused port", "serverNotResponding", "errSSLConnectionRefused", "ECONNREFUSED",
     having=["10.77.0.2:444"])
def refused_port(scene):
    client, _ = scene.pair()
    return Client(scene, client, "https://10.77.0.2:444/").report()


@row("6", "no ARP answer", "serverNotResponding", "EHOSTUNREACH", within=5.0, having=["10.77.0.99"])
def no_neighbour(scene):
    client, _ = scene.pair()
    return Client(scene, client, "https://10.77.0.99/").report()


@row("7", "no route", "noNetworkAvailable", "ENETUNREACH")
def no_route(scene):
    client, _ = scene.pair()
    return Client(scene, client, "https://192.0.2.1/").report()


@row("8", "black-holed server", "serverNotResponding", "ETIMEDOUT|errSSLNetworkTimeout",
     within=11.0)
def black_hole(scene):
    client, server = scene.pair()
    scene.keep(Server(server, 443, silent))
    server.swallow()
    return Client(scene, client, "https://vpn.test/").report()
