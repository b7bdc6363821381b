"""The stock gateway on a host: its configuration, its users, its control program, its log."""

import os
import signal
import subprocess

DEFAULTS = {
    "tcp-port": 443, "run-as-user": "nobody", "run-as-group": "nogroup", "isolate-workers": "false",
    "max-clients": 16, "max-same-clients": 4, "keepalive": 300, "dpd": 60,
    "try-mtu-discovery": "false", "cert-user-oid": "0.9.2342.19200300.100.1.1",
    "tls-priorities": '"NORMAL:%SERVER_PRECEDENCE:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"',
    "auth-timeout": 240, "cookie-timeout": 300, "rekey-time": 172800, "use-occtl": "true",
    "device": "ocs", "predictable-ips": "true", "ipv4-network": "10.79.0.0",
    "ipv4-netmask": "255.255.255.0", "ping-leases": "false", "mtu": 1400,
    "cisco-client-compat": "true", "max-ban-score": 0, "udp-port": 0,
}


class Ocserv:
    """auth: "password", "certificate", "both". Options replace DEFAULTS; a list repeats a line."""

    def __init__(self, scene, host, identity, auth="password", ca=None, users=None, options=None,
                 name="ocserv"):
        self.scene, self.host, self.name = scene, host, name
        self.folder = scene.folder / name
        self.folder.mkdir(mode=0o755, exist_ok=True)
        self.passwd = self.folder / "passwd"
        self.passwd.touch()
        for user, password in (users or {"alice": "secret"}).items():
            self.add_user(user, password)
        settings = dict(DEFAULTS)
        plain, by_certificate = f'"plain[passwd={self.passwd}]"', '"certificate"'
        settings["auth"] = {"password": [plain], "certificate": [by_certificate],
                            "both": [plain, by_certificate]}[auth]
        if ca:
            settings["ca-cert"] = ca
        settings["socket-file"] = self.folder / "socket"
        settings["occtl-socket-file"] = self.folder / "control"
        settings["pid-file"] = self.folder / "pid"
        settings["server-cert"], settings["server-key"] = identity.chain, identity.key
        settings.update(options or {})
        lines = []
        for key, value in settings.items():
            for one in value if isinstance(value, list) else [value]:
                if one is not None:
                    lines.append(f"{key} = {one}\n")
        self.config = self.folder / "ocserv.conf"
        self.config.write_text("".join(lines))
        self.starts = 0
        self.start()

    def add_user(self, user, password, group=None):
        which = ["-g", group] if group else []
        subprocess.run(["ocpasswd", "-c", self.passwd, *which, user], check=True, text=True,
                       input=f"{password}\n{password}\n", capture_output=True)
        self.passwd.chmod(0o644)

    def start(self):
        self.starts += 1
        self.process = self.host.start(["ocserv", "-f", "-d", "3", "-c", self.config],
                                       f"{self.name}-{self.starts}")
        self.process.wait_for("initialized ocserv|listening \\(TCP\\)")
        # It listens before the process is there that holds its key: a handshake would break off.
        self.process.wait_for("sec-mod initialized")

    def workers(self):
        """The processes that serve one client each."""
        out = subprocess.run(["pgrep", "-f", "ocserv-worker", "--ns", str(self.process.pid),
                              "--nslist", "net"], capture_output=True, text=True).stdout
        return [int(pid) for pid in out.split()]

    def control(self, *words):
        """What occtl answers."""
        return self.host.run("occtl", "-s", self.folder / "control", *words, check=False)

    def log(self):
        return self.process.output()

    def kill(self):
        """Dies without a word to anyone, with all its workers."""
        os.killpg(self.process.pid, signal.SIGKILL)
        for pid in self.workers():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:  # it went by itself when its parent did
                continue
        self.process.wait(5)

    def stop(self):
        """Ends as an administrator ends it."""
        self.process.send(signal.SIGTERM)
        return self.process.wait(10)
