"""A D-Bus of the test's own, and programs that talk to our VPN service over it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import dbus
import dbus.bus

from .service import Refused

ROOT = Path(__file__).resolve().parents[2]
NAME, OBJECT = "org.causeway.Service1", "/org/causeway/Service1"
BUS = "org.freedesktop.DBus"
ERROR = "org.causeway.Error."

# As the system's bus: nothing is owned or called unless somebody allows it, here our packaged file.
CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={path}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus"/>
  </policy>
  <include>{root}/packaging/org.causeway.Service1.conf</include>
  {more}
</busconfig>
"""


class Bus:
    """A running dbus-daemon. accounts: numbers of users whom it is to serve, besides root."""

    def __init__(self, scene, host, accounts=(), more=""):
        self.host = host
        self.folder = scene.folder / f"{host.name}-bus"
        self.folder.mkdir(exist_ok=True)
        self.folder.chmod(0o755)
        self.path = self.folder / "socket"
        self.address = f"unix:path={self.path}"
        self.config = self.folder / "bus.conf"
        self.config.write_text(CONFIG.format(path=self.path, root=ROOT, more=more))
        for name in ("passwd", "group"):
            text = open(f"/etc/{name}").read()
            for number in accounts:
                text += f"user{number}:x:{number}:" + (
                    f"{number}::/:/bin/false\n" if name == "passwd" else "\n")
            host.file(name).write_text(text)
        self.starts = 0
        self.process = None
        self.start()

    def start(self):
        self.starts += 1
        self.path.unlink(missing_ok=True)
        self.process = self.host.start(
            ["dbus-daemon", f"--config-file={self.config}", "--nofork", "--print-address=1"],
            f"bus-{self.starts}")
        self.process.wait_for("unix:path=")

    def close(self):
        self.process.stop()

    def client(self):
        return BusClient(self.address)

    def as_user(self, uid, method, params=None):
        """The answer that another user gets on a connection of its own, as by the socket."""
        done = subprocess.run(
            ["setpriv", "--reuid", str(uid), "--regid", str(uid), "--clear-groups", sys.executable,
             "-c", ASK, str(ROOT / "tests"), self.address, method, json.dumps(params or {})],
            capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def monitor(self, *rules):
        """Everything on the bus that matches, as dbus-monitor prints it."""
        started = self.host.start(["dbus-monitor", "--address", self.address, *rules], "monitor")
        started.wait_for("NameLost|NameAcquired|^signal|^method")
        return started


ASK = r"""
import json, sys
sys.path.insert(0, sys.argv[1])
from lab.bus import BusClient
from lab.service import Refused
client = BusClient(sys.argv[2])
try:
    print(json.dumps({"result": client.ask(sys.argv[3], json.loads(sys.argv[4]))}))
except Refused as refused:
    print(json.dumps({"error": refused.incident}))
"""


def variant(value):
    """What JSON holds, as one would write it for D-Bus."""
    if isinstance(value, bool):
        return dbus.Boolean(value, variant_level=1)
    if isinstance(value, int):
        return (dbus.Int32 if abs(value) < 2**31 else dbus.Int64)(value, variant_level=1)
    if isinstance(value, float):
        return dbus.Double(value, variant_level=1)
    if isinstance(value, str):
        return dbus.String(value, variant_level=1)
    if isinstance(value, (list, tuple)):
        if value and all(isinstance(each, str) for each in value):
            return dbus.Array(value, signature="s", variant_level=1)
        if value and all(isinstance(each, dict) for each in value):
            return dbus.Array([dictionary(each) for each in value], signature="a{sv}",
                              variant_level=1)
        return dbus.Array([variant(each) for each in value], signature="v", variant_level=1)
    if isinstance(value, dict):
        return dbus.Dictionary({k: variant(v) for k, v in value.items()}, signature="sv",
                               variant_level=1)
    return value


def dictionary(value):
    return dbus.Dictionary({k: variant(v) for k, v in value.items()}, signature="sv")


def plain(value):
    """What came over D-Bus, as JSON would have brought it."""
    if isinstance(value, dbus.Boolean):
        return bool(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return value


class BusClient:
    """One connection to the bus; its calls have the names and answers of the socket's."""

    def __init__(self, address, timeout=30):
        self.connection = dbus.bus.BusConnection(address)
        self.timeout = timeout
        self.received = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def name(self):
        return self.connection.get_unique_name()

    def close(self):
        self.connection.close()
        for descriptor in self.received:
            try:
                os.close(descriptor)
            except OSError:
                pass
        self.received = []

    def call(self, member, signature="", *args, interface=NAME, destination=NAME, path=OBJECT,
             explain=True):
        """What a method gives; a refusal of ours becomes the incident that it names."""
        try:
            return self.connection.call_blocking(destination, path, interface, member, signature,
                                                 args, timeout=self.timeout)
        except dbus.DBusException as error:
            name = error.get_dbus_name()
            if not name.startswith(ERROR) or not explain:
                raise
            found = re.search(r"^(?P<words>.*) \(incident (?P<id>[0-9a-f]{16})\)$",
                              error.get_dbus_message(), re.S)
            assert found, error.get_dbus_message()
            incident = json.loads(self.call("Incident", "s", found["id"], explain=False))
            assert incident["incident"] == found["id"], incident
            assert ERROR + incident["error"]["name"] == name, (name, incident)
            assert incident["error"].get("detail", found["words"]) == found["words"], incident
            raise Refused(incident) from None

    def properties(self):
        return plain(self.call("GetAll", "s", NAME, interface=f"{BUS}.Properties"))

    def set_up(self, config):
        """(session, interface, the TUN's descriptor)"""
        tun, session, interface = self.call("SetUp", "a{sv}", dictionary(config))
        self.received.append(tun.take())
        return f"{session:016x}", str(interface), self.received[-1]

    def protect(self, descriptor):
        return self.call("Protect", "h", dbus.types.UnixFd(descriptor))

    def ask(self, method, params=None):
        """As by the socket."""
        params = params or {}

        def number(default=0):
            return dbus.UInt64(int(params["session"], 16) if "session" in params else default)
        if method == "set_up":
            session, interface, _ = self.set_up(params["config"])
            return {"session": session, "interface": interface}
        if method == "destroy":
            self.call("Destroy", "t", number())
            return {"session": params.get("session")}
        if method == "protect":
            raise ValueError("needs a descriptor")
        if method == "status" and "session" in params:
            return plain(self.call("Session", "t", number()))
        if method == "status":
            return plain(self.call("Status"))
        if method == "sessions":
            return {"sessions": plain(self.call("Sessions", "b", params.get("all", False)))}
        if method == "events":
            return plain(self.call("Subscribe", "b", params.get("all", False)))
        if method == "explain_route":
            return plain(self.call("ExplainRoute", "s", params["destination"]))
        if method == "incident":
            return {"incident": json.loads(self.call("Incident", "s", params["incident"]))}
        if method == "consent":
            return plain(self.call("Consent", "s", params.get("user", "")))
        if method == "revoke":
            return {"ended": int(self.call("Revoke", "s", params.get("user", "")))}
        member = {"set_always_on": "SetAlwaysOn", "set_lockdown": "SetLockdown"}[method]
        return plain(self.call(member, "b", params["enabled"]))
