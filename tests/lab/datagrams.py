"""Datagrams beside TLS: losing them on the way, and what our client says about them."""

import contextlib

from .cases import eventually


@contextlib.contextmanager
def lose(host, rule):
    """While it lasts, what matches is lost on the host's way in or out."""
    host.nft("table inet cut { "
             f"chain in {{ type filter hook input priority -300; {rule.get('in', '')} }}; "
             f"chain out {{ type filter hook output priority -300; {rule.get('out', '')} }}; }}\n")
    try:
        yield
    finally:
        host.run("nft", "delete", "table", "inet", "cut")


UDP_IN = {"in": "udp sport 443 drop;"}
UDP_OUT = {"out": "udp dport 443 drop;"}
UDP = {**UDP_IN, **UDP_OUT}


def states(client, state):
    return [e for e in client.events() if e["event"] == "datagram" and e["state"] == state]


def wait_state(client, state, count=1, timeout=20.0):
    """The count-th event of the datagram channel with that state."""
    return eventually(lambda: (states(client, state)[count - 1:] or [None])[0],
                      lambda: f"no {state} of datagrams: {client.events()}", timeout)


def counters(report):
    return [e for e in report.events if e["event"] == "counters"][-1]["counters"]
