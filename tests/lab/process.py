"""A program that runs on a host: its output goes to a file, which can be waited on."""

import os
import re
import signal
import subprocess
import time
from pathlib import Path


class Gone(Exception):
    """The program ended, or said nothing, where something was expected of it."""


class Process:
    """Starts at once. Dies with the lab, even when the lab is killed."""

    def __init__(self, argv, log, stdin=None, env=None, pass_fds=()):
        self.argv = [str(a) for a in argv]
        self.log = Path(log)
        self.errors = self.log.with_suffix(".err")
        self.started = time.monotonic()
        with open(self.log, "wb") as out, open(self.errors, "wb") as err:
            self.child = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *self.argv],
                stdin=subprocess.PIPE if isinstance(stdin, str) else stdin or subprocess.DEVNULL,
                stdout=out, stderr=err, env=env, pass_fds=pass_fds, start_new_session=True)
        if isinstance(stdin, str):
            self.child.stdin.write(stdin.encode())
            self.child.stdin.close()

    @property
    def pid(self):
        return self.child.pid

    def output(self):
        """What it has printed so far, on both streams."""
        return self.printed() + self.errors.read_text(errors="replace")

    def printed(self):
        """What it has printed so far on its standard output."""
        return self.log.read_text(errors="replace")

    def running(self):
        return self.child.poll() is None

    def wait_for(self, pattern, timeout=10.0):
        """The first match of the regular expression in its output."""
        end = time.monotonic() + timeout
        while True:
            running = self.running()
            found = re.search(pattern, self.output())
            if found:
                return found
            if not running or time.monotonic() > end:
                raise Gone(f"{self.argv} {'is silent' if running else 'ended'}, wanted "
                           f"{pattern!r}:\n{self.output()[-3000:]}")
            time.sleep(0.02)

    def send(self, number):
        if self.running():
            self.child.send_signal(number)

    def wait(self, timeout=30.0):
        """Its exit status; negative for a signal."""
        try:
            return self.child.wait(timeout)
        except subprocess.TimeoutExpired:
            raise Gone(f"{self.argv} did not end within {timeout} s:\n{self.output()[-3000:]}")

    def stop(self, number=signal.SIGTERM, timeout=5.0):
        """Ends it, in the end by force, with what it left in its session."""
        self.send(number)
        try:
            self.child.wait(timeout)
        except subprocess.TimeoutExpired:
            pass
        try:
            os.killpg(self.child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        return self.child.wait()
