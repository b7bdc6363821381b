"""Our VPN service on a host, and programs that talk to it by its socket: nothing but the frames."""

import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys

from .scene import BIN

HEADER = struct.Struct(">I")


class Refused(Exception):
    """The incident that a request was answered with."""

    def __init__(self, incident):
        self.incident = incident
        self.error = incident["error"]
        super().__init__(json.dumps(self.error))

    @property
    def code(self):
        return self.error["value"]

    @property
    def name(self):
        return self.error["name"]

    def fact(self, key):
        error = self.error
        while error:
            if key in error.get("evidence", {}):
                return error["evidence"][key]
            error = error.get("cause")
        return None


class Gone(Exception):
    """The service closed the connection."""


class Daemon:
    """A running causewayd. policy: the text of its file; user: whom it becomes, if there is one;
    state: the folder of an earlier one; bus: the address of a D-Bus that it serves."""

    def __init__(self, scene, host, policy="", name="causewayd", prefix=(), bus="none",
                 state=None):
        self.host = host
        self.folder = scene.folder / f"{host.name}-{name}"
        self.folder.mkdir(exist_ok=True)
        self.folder.chmod(0o755)
        self.policy = self.folder / "service.toml"
        self.policy.write_text(policy)
        self.socket = self.folder / "control.sock"
        self.state = state or self.folder / "state"
        self.name, self.prefix, self.bus = name, prefix, bus
        self.starts = 0
        self.process = None
        self.start()

    def start(self):
        self.starts += 1
        self.process = self.host.start(
            [*self.prefix, BIN / "causewayd", "--config", self.policy, "--state-dir", self.state,
             "--socket", self.socket, "--bus", self.bus], f"{self.name}-{self.starts}")
        self.process.wait_for("causewayd: ready")

    @property
    def pid(self):
        """The daemon itself: nsenter and setpriv have become it."""
        return self.process.pid

    @property
    def keeper(self):
        """Its child."""
        children = subprocess.run(["pgrep", "-P", str(self.pid)], capture_output=True, text=True)
        return int(children.stdout.split()[0])

    def kill(self, number=signal.SIGKILL):
        self.process.send(number)
        self.process.wait(20)

    def close(self):
        if self.process:
            self.process.stop()

    def client(self):
        return Client(self.socket)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def memory(self):
        """Resident bytes."""
        status = open(f"/proc/{self.pid}/status").read()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) * 1024


class Client:
    """One connection to the control socket."""

    def __init__(self, path, timeout=20):
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        self.socket.connect(str(path))
        self.last = 0
        self.events = []
        self.received = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()
        for descriptor in self.received:
            try:
                os.close(descriptor)
            except OSError:
                pass
        self.received = []

    def send(self, message, descriptors=()):
        text = message if isinstance(message, bytes) else json.dumps(message).encode()
        frame = HEADER.pack(len(text)) + text
        sent = socket.send_fds(self.socket, [frame], descriptors) if descriptors else 0
        self.socket.sendall(frame[sent:])

    def _read(self, size):
        data = b""
        while len(data) < size:
            part, descriptors, _, _ = socket.recv_fds(self.socket, size - len(data), 8)
            self.received += descriptors
            if not part:
                raise Gone()
            data += part
        return data

    def receive(self):
        """The next frame."""
        return json.loads(self._read(HEADER.unpack(self._read(HEADER.size))[0]))

    def ask(self, method, params=None, descriptors=()):
        """The result; events that come meanwhile are kept."""
        self.last += 1
        self.send({"id": self.last, "method": method, "params": params or {}}, descriptors)
        return self.answer(self.last)

    def answer(self, number):
        while True:
            message = self.receive()
            if "event" in message:
                self.events.append(message)
                continue
            assert message["id"] == number, message
            if "error" in message:
                raise Refused(message["error"])
            return message["result"]

    def event(self):
        return self.events.pop(0) if self.events else self.receive()

    def set_up(self, config):
        """(session, interface, the TUN's descriptor)"""
        before = len(self.received)
        result = self.ask("set_up", {"config": config})
        assert len(self.received) == before + 1, "no descriptor came with the answer"
        return result["session"], result["interface"], self.received[-1]

    def protect(self, descriptor):
        return self.ask("protect", {}, [descriptor])


def refusal(call, *args, **kwargs):
    """The refusal that a call ends in."""
    try:
        result = call(*args, **kwargs)
    except Refused as refused:
        return refused
    raise AssertionError(f"it was not refused: {result}")


def link(address, length):
    return {"address": {"address": address}, "prefixLength": length}


def config(*addresses, **more):
    """config("10.8.0.2/24", mtu=1400): the published form."""
    parts = [address.split("/") for address in addresses or ("10.8.0.2/24",)]
    return {"addresses": [link(address, int(length)) for address, length in parts], **more}


def route(network, **more):
    address, length = network.split("/")
    return {"destination": link(address, int(length)), **more}


def as_user(daemon, uid, method, params=None, gid=None, groups=()):
    """The answer frame that another user gets on a connection of its own."""
    who = ["setpriv", "--reuid", str(uid), "--regid", str(gid or uid),
           *(["--groups", ",".join(map(str, groups))] if groups else ["--clear-groups"])]
    done = subprocess.run([*who, sys.executable, "-c", ASK, str(daemon.socket),
                           json.dumps({"id": 1, "method": method, "params": params or {}})],
                          capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# Holds what it was given until its answer is printed.
ASK = r"""
import socket, struct, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
text = sys.argv[2].encode()
s.sendall(struct.pack(">I", len(text)) + text)
data = b""
while len(data) < 4 or len(data) < 4 + struct.unpack(">I", data[:4])[0]:
    part = s.recv(65536)
    if not part: sys.exit("closed")
    data += part
print(data[4:].decode())
"""
