"""Our gateway on a host: its configuration, its users, its control program, its log."""

import json
import os
import signal
import subprocess

from .cases import eventually
from .scene import BIN

DEFAULTS = {
    "": {"listen": ["10.77.0.2:443", "[fd77:0::2]:443"], "interface": "cwgw0", "threads": 2,
         "run_as_user": "nobody", "run_as_group": "nogroup"},
    "authentication": {"method": "password"},
    "network": {"ipv4_pool": "10.78.0.0/24", "ipv6_pool": "fd78::/64"},
    "ban": {"failures": 0},
}


def toml(value):
    """A value as TOML writes it; JSON's form serves for texts, numbers, flags and lists."""
    return json.dumps(value)


class Gateway:
    """sections: {"limits": {"sessions": 1}} over DEFAULTS; None leaves a key out."""

    def __init__(self, scene, host, identity, ca=None, crl=None, users=None, sections=None,
                 groups=(), name="gateway", start=True, programs=BIN):
        self.scene, self.host, self.name, self.groups = scene, host, name, groups
        self.programs = programs
        self.folder = scene.folder / name
        self.folder.mkdir(mode=0o755)
        self.users = self.folder / "users"
        self.control_socket = self.folder / "control"
        self.log_file = self.folder / "incidents.log"
        self.log_file.touch()
        self.log_file.chmod(0o666)
        self.config = self.folder / "gateway.toml"
        self.sections = {key: dict(value) for key, value in DEFAULTS.items()}
        self.sections[""].update({"certificate": str(identity.chain), "key": str(identity.key),
                                  "control_socket": str(self.control_socket),
                                  "log": str(self.log_file)})
        self.sections["authentication"].update({"users_file": str(self.users)})
        if ca:
            self.sections["authentication"].update({"client_ca": str(ca), "username_from": "UID"})
        if crl:
            self.sections["authentication"]["crl_file"] = str(crl)
        for section, values in (sections or {}).items():
            self.sections.setdefault(section, {}).update(values)
        if self.sections["authentication"]["method"] == "password":
            # Keys about certificates are refused where none is asked for.
            for key in ("username_from", "group_from"):
                self.sections["authentication"].pop(key, None)
        self.write()
        for user, password in (users or {"alice": "secret"}).items():
            self.add_user(user, password)
        self.folder.chmod(0o777)
        self.starts = 0
        if start:
            self.start()

    def write(self):
        """Writes the configuration file anew, after a change of `sections` or `groups`."""
        lines = []
        for section, values in self.sections.items():
            lines += [f"[{section}]\n"] if section else []
            lines += [f"{k} = {toml(v)}\n" for k, v in values.items() if v is not None]
        for group in self.groups:
            lines += ["[[group]]\n"] + [f"{k} = {toml(v)}\n" for k, v in group.items()]
        self.config.write_text("".join(lines))

    def add_user(self, user, password, *options):
        word = self.scene.write(f"{self.name}-{user}.password", password + "\n", 0o600)
        self.user("add", user, "--password-file", word, *options)

    def user(self, *words):
        """causeway-gateway user ..."""
        done = subprocess.run(
            [self.programs / "causeway-gateway", "user", "--users", self.users, *words],
            capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"user {words}: {done.stdout}{done.stderr}")
        self.users.chmod(0o644)

    def start(self):
        self.starts += 1
        self.process = self.host.start(
            [self.programs / "causeway-gateway", "--config", self.config],
            f"{self.name}-{self.starts}")
        self.process.wait_for("(?m)^.*ready: ")

    def control(self, *words):
        """What causeway-gateway sessions, bans, disconnect … answers, as JSON."""
        out = self.host.run(self.programs / "causeway-gateway", *words, "--config", self.config,
                            "--json")
        return json.loads(out) if out.strip() else None

    def incidents(self):
        """The refusals and ends of its log, which also has lines of other events."""
        lines = [json.loads(line) for line in self.log_file.read_text().splitlines()]
        return [line for line in lines if "error" in line]

    def ask_to_reload(self):
        """Makes it read its files again, which it may refuse."""
        self.process.send(signal.SIGHUP)

    def reload(self):
        """Makes it read its files again, and waits until it has."""
        before = self.log_file.read_text().count('"event":"reloaded"')
        self.ask_to_reload()
        eventually(lambda: self.log_file.read_text().count('"event":"reloaded"') > before,
                   "the gateway did not read its files again")

    def kill(self):
        """Dies without a word to anyone."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(5)

    def stop(self):
        """Ends as an administrator ends it; its exit status."""
        self.process.send(signal.SIGTERM)
        return self.process.wait(10)
