"""A machine of its own: a network and a mount namespace, held by one sleeping process.

No namespace gets a name. When the holder dies, and the programs on the host with it, the kernel
removes interfaces, mounts and files of the host; the holder dies with the lab.
"""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import threading
from pathlib import Path

from . import machine
from .process import Process

CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)

# Where the machine's own /etc is seen on a host.
MACHINE_ETC = "/run/machine-etc"

# An /etc of links to the machine's, and an empty /run, keep changes of the resolver's file or of
# state from the machine. The holder says when it is ready.
HOLD = """
set -e
ip link set lo up
sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.default.router_solicitations=0
mount -t tmpfs -o mode=755 run /run
mkdir /run/machine-etc
mount --bind /etc /run/machine-etc
mount --bind "$1" /etc
echo ready
exec sleep infinity
"""


class Host:
    def __init__(self, name, folder):
        self.name = name
        self.folder = Path(folder) / name
        self.folder.mkdir(mode=0o755)
        self.etc = self.folder / "etc"
        self.etc.mkdir(mode=0o755)
        for entry in os.listdir("/etc"):
            (self.etc / entry).symlink_to(f"{MACHINE_ETC}/{entry}")
        self.file("resolv.conf").write_text("")
        self.file("hosts").write_text("127.0.0.1 localhost\n::1 localhost\n")
        self.holder = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "--mount", "sh", "-c", HOLD,
             "hold", str(self.etc)], stdout=subprocess.PIPE, start_new_session=True)
        if self.holder.stdout.readline() != b"ready\n":
            raise RuntimeError(f"the host {name} did not come up")
        self.processes = []

    def file(self, name):
        """A file of its /etc."""
        path = self.etc / name
        if path.is_symlink():
            path.unlink()
        return path

    def file_text(self, name):
        return (self.etc / name).read_text()

    def command(self, argv):
        """The command line that runs argv on this host."""
        return ["nsenter", "-t", str(self.holder.pid), "-n", "-m", "--", *map(str, argv)]

    def run(self, *argv, check=True, stdin=None, timeout=60):
        """Runs a command to its end; what it printed."""
        done = subprocess.run(self.command(argv), input=stdin, capture_output=True, text=True,
                              timeout=timeout)
        if check and done.returncode:
            raise RuntimeError(f"{argv} on {self.name}: {done.stderr or done.stdout}")
        return done.stdout

    def succeeds(self, *argv):
        return subprocess.run(self.command(argv), capture_output=True).returncode == 0

    def start(self, argv, name, **kwargs):
        """Starts a program that goes on running; its output is in the host's folder."""
        process = Process(self.command(argv), self.folder / f"{name}.log", **kwargs)
        self.processes.append(process)
        return process

    def inside(self, make):
        """The result of make(), called in this host's network: a socket stays there for ever."""
        result = []

        def enter():
            try:
                namespace = os.open(f"/proc/{self.holder.pid}/ns/net", os.O_RDONLY)
                try:
                    if _libc.setns(namespace, CLONE_NEWNET):
                        raise OSError(ctypes.get_errno(), "setns")
                    result.append(make())
                finally:
                    os.close(namespace)
            except BaseException as error:  # handed to the caller, in the caller's thread
                result.append(error)

        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()
        if isinstance(result[0], BaseException):
            raise result[0]
        return result[0]

    def listen(self, port, address="::"):
        """A TCP socket that listens here, on both families unless an address is given."""
        def make():
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            listening = socket.socket(family, socket.SOCK_STREAM)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            listening.bind((address, port))
            listening.listen(64)
            return listening
        return self.inside(make)

    def dial(self, address, port, timeout=10.0):
        """A TCP connection from here."""
        return self.inside(lambda: socket.create_connection((address, port), timeout))

    def ping(self, address, count=1, interval=0.2, wait=1, size=56):
        """How many of the pings were answered."""
        out = self.run("ping", "-q", "-n", "-c", count, "-i", interval, "-W", wait, "-s", size,
                       address, check=False, timeout=count * (interval + wait) + 10)
        return int(out.split(" received")[0].split()[-1]) if " received" in out else 0

    def nft(self, rules):
        """Loads nftables rules here."""
        self.run("nft", "-f", "-", stdin=rules)

    def swallow(self, what=""):
        """Drops what arrives here and matches, without a word to the sender."""
        self.nft("table inet swallow { chain everything { type filter hook input priority -300; "
                 f"iifname != \"lo\" {what} drop; }}; }}\n")

    @contextlib.contextmanager
    def mute(self, port):
        """While it lasts, nothing that is sent from this TCP port leaves the host."""
        self.nft("table inet mute { chain out { type filter hook output priority 0; "
                 f"tcp sport {port} drop; }}; }}\n")
        try:
            yield
        finally:
            self.run("nft", "delete", "table", "inet", "mute")

    def knows(self, address, *names):
        """Writes names into its hosts file."""
        with open(self.file("hosts"), "a") as hosts:
            hosts.write(f"{address} {' '.join(names)}\n")

    def resolvers(self, *addresses):
        """Says in resolv.conf whom to ask; nobody when there are none."""
        self.file("resolv.conf").write_text("".join(f"nameserver {a}\n" for a in addresses))

    def close(self):
        for process in reversed(self.processes):
            process.stop(timeout=2.0)
        # Programs that left the session of their parent are found by the namespace they live in.
        for pid in machine.processes(self):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.holder.kill()
        self.holder.wait()
        self.holder.stdout.close()


def link(left, right, number=0, mtu=1500):
    """A cable: .1 and .2 of 10.77.N.0/24 and fd77:N::/64. Returns the addresses of right."""
    left_name, right_name = f"{right.name[:10]}{number}", f"{left.name[:10]}{number}"
    subprocess.run(["ip", "link", "add", left_name, "netns", str(left.holder.pid), "mtu", str(mtu),
                    "type", "veth", "peer", "name", right_name, "netns", str(right.holder.pid),
                    "mtu", str(mtu)], check=True)
    for host, interface, last in ((left, left_name, 1), (right, right_name, 2)):
        host.run("sh", "-c", f"ip addr add 10.77.{number}.{last}/24 dev {interface} && "
                 f"ip addr add fd77:{number}::{last}/64 dev {interface} nodad && "
                 f"ip link set {interface} up")
    return f"10.77.{number}.2", f"fd77:{number}::2"
