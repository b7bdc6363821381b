"""Our client on a host: causeway run with --json, its events, its incident, its exit status."""

import json
import signal
import time

from .process import Gone
from .scene import BIN


class Client:
    """Starts at once. password: text, or None for no password file."""

    def __init__(self, scene, host, url, *options, user="alice", password="secret", ca=None,
                 name="causeway", stdin=None, prefix=(), programs=BIN):
        given = []
        if user is not None:
            given += ["--user", user]
        if password is not None:
            given += ["--password-file", scene.write(f"{name}.password", password + "\n", 0o600)]
        if ca is not None:
            given += ["--ca", ca]
        command = [*prefix, programs / "causeway", "run", url, "--json", *given, *options]
        self.process = host.start(command, name, stdin=stdin)
        self.began = self.process.started

    def events(self):
        """Every whole line of its output, in order."""
        lines = self.process.printed().split("\n")[:-1]
        return [json.loads(line) for line in lines]

    def wait_event(self, event, timeout=20.0, count=1):
        """The count-th event of this name."""
        end = time.monotonic() + timeout
        while True:
            running = self.process.running()
            found = [e for e in self.events() if e.get("event") == event]
            if len(found) >= count:
                return found[count - 1]
            if not running or time.monotonic() > end:
                raise Gone(f"no event {event}:\n{self.process.output()[-3000:]}")
            time.sleep(0.02)

    def connected(self, timeout=20.0):
        self.wait_event("connected", timeout)
        return self

    def fault(self):
        """The moment from which the seconds of the report count."""
        self.began = time.monotonic()

    def report(self, timeout=40.0):
        """Waits for its end: what it said last, and how it ended."""
        status = self.process.wait(timeout)
        return Report(self.events(), status, time.monotonic() - self.began,
                      self.process.errors.read_text(errors="replace"))

    def stop(self):
        """As a service manager ends it; its report."""
        self.process.send(signal.SIGTERM)
        return self.report(10)


class Report:
    """How a run ended: .chain is the list of errors from the VPN code down."""

    def __init__(self, events, status, seconds, errors):
        self.events, self.status, self.seconds, self.errors = events, status, seconds, errors
        self.incident = events[-1] if events and "error" in events[-1] else None
        self.chain = []
        error = self.incident and self.incident["error"]
        while error:
            self.chain.append(error)
            error = error.get("cause")

    @property
    def name(self):
        return self.chain[0]["name"] if self.chain else None

    def evidence(self):
        """All evidence of the chain; what is nearer to the user wins."""
        merged = {}
        for error in reversed(self.chain):
            merged.update(error.get("evidence", {}))
        return merged

    def __str__(self):
        return f"status {self.status} after {self.seconds:.2f} s, " + (
            json.dumps(self.incident, indent=1) if self.incident else
            f"no incident; events {self.events}; {self.errors[-2000:]}")
