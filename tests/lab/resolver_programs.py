"""systemd-resolved and resolvconf, from their packages, where neither is installed.

Installing one changes the machine's own resolver: the packages are unpacked into a folder and run in
the test's own namespaces, with a private bus.
"""

import os
import shutil
import subprocess
from pathlib import Path

from .cases import eventually

PACKAGES = ("systemd-resolved", "libsystemd-shared", "openresolv")
RESOLVER_USER = 990

BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path=/run/dbus/system_bus_socket</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/><allow own="*"/>
    <allow send_type="method_call"/><allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/><allow receive_type="method_return"/>
    <allow receive_type="error"/><allow receive_type="signal"/>
    {deny}
  </policy>
</busconfig>
"""


def unpack(folder):
    """Fetches the packages into the folder; why it could not, or nothing."""
    fetched = subprocess.run(["apt-get", "download", "-qq", *PACKAGES], cwd=folder,
                             capture_output=True, text=True)
    if fetched.returncode != 0:
        return fetched.stderr.strip()
    for package in Path(folder).glob("*.deb"):
        subprocess.run(["dpkg", "-x", package, f"{folder}/unpacked"], check=True)
    os.chmod(folder, 0o755)
    return None


class Resolved:
    """systemd-resolved on a host, with a bus; its resolver's file leads there."""

    def __init__(self, host, unpacked):
        self.host = host
        self.unpacked = unpacked
        self.environment = f"LD_LIBRARY_PATH={unpacked}/usr/lib/x86_64-linux-gnu/systemd"
        for name, line in (("passwd", f"systemd-resolve:x:{RESOLVER_USER}:{RESOLVER_USER}::/:/\n"),
                           ("group", f"systemd-resolve:x:{RESOLVER_USER}:\n")):
            text = Path(f"/etc/{name}").read_text()
            host.file(name).write_text(text + line)
        host.run("mkdir", "-p", "/run/dbus", "/run/systemd/resolve")
        host.run("chown", f"{RESOLVER_USER}:{RESOLVER_USER}", "/run/systemd/resolve")
        bus = host.folder / "bus.conf"
        bus.write_text(BUS.format(deny=""))
        host.start(["dbus-daemon", f"--config-file={bus}", "--nofork"], "bus")
        eventually(lambda: host.succeeds("test", "-S", "/run/dbus/system_bus_socket"), "no bus")
        host.start(["env", self.environment, f"{unpacked}/lib/systemd/systemd-resolved"],
                   "resolved")
        eventually(lambda: host.succeeds("test", "-e", "/run/systemd/resolve/stub-resolv.conf") and
                   host.succeeds("env", self.environment, f"{unpacked}/usr/bin/resolvectl", "dns"),
                   "no systemd-resolved")
        host.file("resolv.conf").unlink()
        (host.etc / "resolv.conf").symlink_to("/run/systemd/resolve/stub-resolv.conf")

    def ctl(self, *words, check=True):
        return self.host.run("env", self.environment, f"{self.unpacked}/usr/bin/resolvectl",
                             *words, check=check)

    def of_link(self, what, interface):
        """What it has for the link: "10.8.0.1 10.8.0.2"."""
        said = self.ctl(what, interface, check=False)
        return said.split(":", 1)[1].strip() if ":" in said else None


class Resolvconf:
    """openresolv on a host, which knows what the resolver's file says of the interface "net"."""

    def __init__(self, host, unpacked):
        self.host = host
        helpers = f"{unpacked}/lib/resolvconf"
        mine = host.folder / "resolvconf"
        mine.mkdir()
        shutil.copytree(helpers, mine / "helpers", symlinks=True)
        for source, target in ((f"{unpacked}/sbin/resolvconf", mine / "resolvconf"),
                               (f"{helpers}/libc", mine / "helpers/libc")):
            text = Path(source).read_text().replace("=/lib/resolvconf", f"={mine}/helpers")
            target.write_text(text)
            target.chmod(0o755)
        shutil.copy(f"{unpacked}/etc/resolvconf.conf", host.file("resolvconf.conf"))
        host.run("mount", "-t", "tmpfs", "none", "/usr/local/sbin")
        host.run("cp", mine / "resolvconf", "/usr/local/sbin/resolvconf")
        host.run("resolvconf", "-a", "net", stdin=host.file_text("resolv.conf"))

    def state(self):
        return self.host.run("resolvconf", "-l", check=False) + self.host.file_text("resolv.conf")
