"""What the device tests share: a world of their own, its state, and the tool that changes it.

Each test runs inside a network, mount and process namespace that ends with it:

    [ test ]--- out0 192.0.2.2/24, 2001:db8::2/64 ---veth--- peer namespace: 192.0.2.1, 2001:db8::1
       |
       cw-tun (the tool's TUN)
"""

import json
import os
import signal
import subprocess
import sys
import time
import traceback

BIN = os.environ.get("BIN", "build/release/bin")
TOOL = os.path.abspath(os.path.join(BIN, "device_tool"))
TUN = "cw-test"


def enter_own_world():
    """Runs this script again in namespaces of its own."""
    if os.environ.get("CAUSEWAY_DEVICE_WORLD") == "inside":
        return
    os.environ["CAUSEWAY_DEVICE_WORLD"] = "inside"
    os.execvp("unshare", ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child",
                          "--mount-proc", "--propagation", "private",
                          sys.executable, *sys.argv])


def run(*words, check=True, **options):
    return subprocess.run(words, check=check, capture_output=True, text=True, **options)


def ip(words):
    return run("ip", *words.split())


def make_world():
    """An /etc of its own, a peer behind a veth, and default routes to it in both families."""
    run("mount", "-t", "tmpfs", "none", "/run")
    scratch = "/run/world"
    os.makedirs(f"{scratch}/state", mode=0o700)
    own_etc(scratch)
    ip("link set lo up")
    ip("link add out0 type veth peer name peer0")
    for words in ("addr add 192.0.2.2/24 dev out0", "addr add 2001:db8::2/64 dev out0 nodad",
                  "link set out0 up", "link set peer0 up"):
        ip(words)
    ip("route add default via 192.0.2.1 dev out0")
    ip("-6 route add default via 2001:db8::1 dev out0")
    return f"{scratch}/state"


def own_etc(scratch):
    """A copy, so that a rename inside it is a rename on one ordinary file system."""
    copy = f"{scratch}/etc"
    os.mkdir(copy)
    for name in os.listdir("/etc"):
        if name in ("nsswitch.conf", "hosts", "passwd", "group"):
            run("cp", "-p", f"/etc/{name}", copy)
    with open(f"{copy}/resolv.conf", "w") as file:
        file.write("# the machine's own\nnameserver 192.0.2.53\nsearch example.org\noptions ndots:2\n")
    run("umount", "/etc/resolv.conf", check=False)
    run("mount", "--bind", copy, "/etc")


def settle():
    """Waits until the kernel has done what it does by itself: link-local addresses."""
    wait_local("2001:db8::2")
    until = time.monotonic() + 5
    while "tentative" in run("ip", "-6", "addr").stdout and time.monotonic() < until:
        time.sleep(0.05)


def wait_local(address):
    """Waits until packets to the address are for this machine, which IPv6 takes a moment for."""
    until = time.monotonic() + 5
    while not run("ip", "route", "get", address, check=False).stdout.startswith("local"):
        assert time.monotonic() < until, address
        time.sleep(0.01)


def resolver_file():
    with open("/etc/resolv.conf") as file:
        return file.read()


def machine(state=None):
    """All that a tunnel may change."""
    seen = {}
    for family in ("-4", "-6"):
        for what in ("addr", "route show table all", "rule"):
            text = run("ip", "-j", family, *what.split()).stdout or "[]"
            seen[f"{family} {what}"] = steady(json.loads(text))
    seen["nft"] = run("nft", "list", "ruleset").stdout
    seen["resolv.conf"] = resolver_file()
    seen["etc"] = sorted(os.listdir("/etc"))
    if state:
        seen["state"] = sorted(os.listdir(state)) if os.path.exists(state) else []
    return seen


def steady(objects):
    """Without what changes by itself: life times, and addresses that routers would advertise."""
    return [{key: value for key, value in item.items()
             if key not in ("expires", "valid_life_time", "preferred_life_time")}
            for item in objects]


def difference(before, after):
    return {key: (before[key], after[key]) for key in before if before[key] != after.get(key)}


class Tool:
    """A running device_tool; its first line says whether the tunnel is up."""

    def __init__(self, *words):
        self.process = subprocess.Popen([TOOL, *words], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.notes = []
        self.answer = None

    def wait_answer(self):
        while True:
            line = self.process.stdout.readline().strip()
            if line.startswith("note: "):
                self.notes.append(line[6:])
                continue
            self.answer = line
            return self

    def error(self):
        self.process.wait(timeout=20)
        assert self.process.returncode == 1, f"expected a failure, got {self.answer!r}"
        return json.loads(self.answer)

    def end(self):
        self.process.stdin.close()
        rest = self.process.stdout.read().strip()
        assert self.process.wait(timeout=20) == 0, rest
        assert rest == "down", rest

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(timeout=20)


def apply(state, *words, interface=TUN, mtu="1400"):
    return Tool("apply", state, interface, mtu, *words).wait_answer()


def recover(state):
    return run(TOOL, "recover", state).stdout.strip()


def chain(error):
    """[("vpn", "configurationFailed"), …]"""
    names = []
    while error:
        names.append(f"{error['domain']}/{error['name']}")
        error = error.get("cause")
    return names


def fact(error, key):
    while error:
        if key in error.get("evidence", {}):
            return error["evidence"][key]
        error = error.get("cause")
    return None


def equal(got, wanted, what=""):
    assert got == wanted, f"{what}\n     got {got}\n  wanted {wanted}"


def tests_of(names):
    """The functions of a test program that take the state folder first."""
    return [value for value in names.values()
            if getattr(value, "__module__", None) == "__main__" and hasattr(value, "__code__")
            and value.__code__.co_varnames[:value.__code__.co_argcount] == ("state",)]


def main(tests):
    """Runs the functions in order; each must leave the machine as it found it."""
    enter_own_world()
    if os.geteuid() != 0 or not os.path.exists(TOOL):
        sys.exit(f"needs root and {TOOL}")
    state = make_world()
    settle()
    failed = 0
    for test in tests:
        before = machine(state)
        try:
            test(state)
            equal(difference(before, machine(state)), {}, "something is left behind")
            print(f"ok    {test.__name__}", flush=True)
        except Exception:
            failed += 1
            print(f"FAIL  {test.__name__}", flush=True)
            traceback.print_exc()
            break
    sys.exit(1 if failed else 0)
