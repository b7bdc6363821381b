#!/usr/bin/python3
"""Who may include whom, and why.

The folders of causeway/ are layers. An include line that goes against the arrows, a library that is
used outside the one place that owns it, or a folder nobody has named here fails this test.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

# layer: {layer it may include: why}
ARROWS = {
    "base": {},
    "error": {"base": "failures are told in text, times and random names"},
    "tls": {
        "error": "every failure of the channel is a code",
        "base": "bytes, time and addresses",
    },
    "protocol": {"error": "a message that breaks a rule is a code", "base": "bytes and time"},
    "datapath": {"error": "a device that fails is a code", "base": "bytes and descriptors"},
    "device": {"error": "the kernel's refusals are codes", "base": "addresses and descriptors"},
    "ipc": {"error": "incidents cross it whole", "base": "bytes and descriptors"},
    "program": {
        "error": "a fault of a file is a code",
        "base": "text and descriptors",
    },
    "connection": {
        "error": "a setting that cannot work is a code",
        "base": "text and addresses",
        "protocol": "the gateway's address is a URL of the protocol",
        "tls": "the transport policy is the channel's",
        "ipc": "the profile crosses to the worker process",
        "device": "what the tunnel asks of the machine",
        "datapath": "the tunnel's packets",
    },
    "provider": {
        "error": "it ends in one incident",
        "base": "its event loop",
        "tls": "the channel",
        "protocol": "login, session and frames",
        "datapath": "packets from and to the TUN",
        "ipc": "its only way to the process with rights",
    },
    "gateway": {
        "error": "every refusal is an incident",
        "base": "its event loops",
        "tls": "the channel",
        "protocol": "login, session and frames",
        "datapath": "packets from and to the TUN",
        "device": "one TUN for all, with its addresses",
        "ipc": "the password process and the control socket",
        "program": "its file of settings, its socket, its tables, and giving up root",
    },
    "service": {
        "error": "every refusal is an incident",
        "base": "its event loop",
        "device": "it changes the machine for others",
        "ipc": "frames of its socket and its keeper's",
        "program": "its file of settings, its socket, and giving up root",
    },
    "compat": {
        "error": "a failure becomes a code, a name, a sentence and an incident",
        "service": "its client library",
    },
    "cli": {
        "error": "reports and exit statuses",
        "base": "text",
        "connection": "options become a profile",
        "provider": "it forks the worker",
        "service": "it asks the machine's service",
        "device": "it keeps the device while the worker talks to the network",
        "ipc": "it talks to the worker",
        "program": "tables on a terminal",
        "protocol": "what a user may type as a gateway",
        "tls": "certificates are looked at before the network is",
    },
}

# header prefix: the only files that may include it, and why
OWNERS = {
    "openssl/": (
        r"^causeway/(tls/openssl\.h|datapath/record_cipher_evp\.cpp)$",
        "one file includes OpenSSL for handshakes, one for the ciphers of records",
    ),
    "intel-ipsec-mb": (
        r"^causeway/datapath/record_cipher_ipsec_mb\.cpp$",
        "its header is huge, and not on every machine",
    ),
    "pugixml": (r"^causeway/protocol/", "XML comes from the network, and only there"),
    "toml++/": (r"^causeway/program/settings", "one file format, one reader"),
    "CLI/": (r"^causeway/(cli|gateway|service)/", "command lines are the programs' business"),
    "ares": (r"^causeway/provider/", "only the worker resolves names"),
    "libmnl/": (r"^causeway/device/", "only the device talks netlink"),
    "sdbus-c++/": (
        r"^causeway/(device/|service/bus_)",
        "the device talks to the resolver's bus, the service has a face on it",
    ),
    "seccomp": (r"^causeway/(provider|gateway)/", "only processes that parse hostile input are caged"),
}

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.M)


def complaints():
    folders = {path.name for path in (ROOT / "causeway").iterdir() if path.is_dir()}
    for unknown in sorted(folders - ARROWS.keys()):
        if any((ROOT / "causeway" / unknown).iterdir()):
            yield f"causeway/{unknown} is a layer without arrows: name it in {pathlib.Path(__file__).name}"

    for path in sorted((ROOT / "causeway").rglob("*.[hc]*")):
        name = path.relative_to(ROOT).as_posix()
        parts = name.split("/")
        if len(parts) != 3:
            yield f"{name}: two levels of folders are enough"
            continue
        layer = parts[1]
        is_test = name.endswith("_test.cpp")
        for included in INCLUDE.findall(path.read_text()):
            if included.startswith("causeway/"):
                target = included.split("/")[1]
                if target != layer and target not in ARROWS.get(layer, {}):
                    yield f"{name} includes {included}: {layer} may not know {target}"
                if not (ROOT / included).is_file():
                    yield f"{name} includes {included}, which does not exist"
            for prefix, (owner, why) in OWNERS.items():
                if included.startswith(prefix) and not is_test and not re.match(owner, name):
                    yield f"{name} includes <{included}>: {why}"


def main():
    found = list(complaints())
    for line in found:
        print(line)
    count = sum(1 for _ in (ROOT / "causeway").rglob("*.[hc]*"))
    if count < 10:
        print(f"only {count} files were looked at: the test looks in the wrong place")
        return 1
    return 1 if found else 0


sys.exit(main())
