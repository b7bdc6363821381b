"""What a client changes on its machine, as text that can be compared before and after."""

import json
import os


def without_clocks(text):
    """The JSON of ip, without what counts down."""
    if not text.strip():
        return []
    found = json.loads(text)
    for entry in found:
        for address in entry.get("addr_info", []):
            address.pop("valid_life_time", None)
            address.pop("preferred_life_time", None)
        entry.pop("expires", None)
    return found


def state(host):
    """Addresses, routes of all tables, rules, firewall and the resolver's file of a host."""
    commands = {"addresses": ("addr",), "routes": ("route", "show", "table", "all"),
                "rules": ("rule",)}
    found = {f"{name} {family}": without_clocks(host.run("ip", family, "-j", *command))
             for name, command in commands.items() for family in ("-4", "-6")}
    found["firewall"] = host.run("nft", "list", "ruleset")
    found["resolver"] = host.run("cat", "/etc/resolv.conf")
    return found


def differences(before, after):
    """What is not as it was, part by part, as text; empty when nothing is."""
    return "\n".join(f"{part}: {before[part]}\n   now {after[part]}" for part in before
                     if before[part] != after[part])


def processes(host, name=None):
    """The programs that run in a host's network, but for its holder: their ids."""
    mine = os.stat(f"/proc/{host.holder.pid}/ns/net").st_ino
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == host.holder.pid:
            continue
        try:
            if os.stat(f"/proc/{entry}/ns/net").st_ino != mine:
                continue
            with open(f"/proc/{entry}/comm") as comm:
                if name in (None, comm.read().strip()):
                    found.append(int(entry))
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue  # It ended meanwhile, or is guarded and not of this lab.
    return found
