"""`causeway-gateway` as people type it: its users, the check of its configuration, its exit
statuses.

    gateway_test.py PROGRAM
"""

import json
import os
import pty
import select
import signal
import stat
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

PROGRAM = sys.argv.pop()
CONFIGURATION_FAILED = 104
WRONG_USAGE = 2
PASSWORD = "correct horse"


def gateway(*words, input=None, pass_fds=()):
    """Runs the program without a terminal."""
    return subprocess.run([PROGRAM, *map(str, words)], capture_output=True, text=True, timeout=60,
                          input=input, stdin=None if input else subprocess.DEVNULL,
                          pass_fds=pass_fds, start_new_session=True)


class Typist:
    """Somebody at a terminal of their own."""

    def __init__(self, *words):
        self.process, self.terminal = pty.fork()
        if self.process == 0:
            os.execv(PROGRAM, [PROGRAM, *map(str, words)])
        self.seen = ""

    def wait_for(self, words):
        end = time.monotonic() + 30
        while words not in self.seen:
            ready, _, _ = select.select([self.terminal], [], [], max(0, end - time.monotonic()))
            if not ready:
                raise AssertionError(f"no {words!r} in {self.seen!r}")
            self.seen += self.read()

    def read(self):
        try:
            return os.read(self.terminal, 4096).decode()
        except OSError:  # the other end is closed
            raise AssertionError(f"the program ended after {self.seen!r}") from None

    def type(self, text):
        os.write(self.terminal, text.encode())

    def status(self):
        try:
            while True:
                self.seen += os.read(self.terminal, 4096).decode()
        except OSError:
            pass
        _, status = os.waitpid(self.process, 0)
        os.close(self.terminal)
        return os.waitstatus_to_exitcode(status)


class WithFolder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.users = self.folder / "users"
        self.password_file = self.folder / "password"
        self.password_file.write_text(PASSWORD + "\nthe second line is nobody's\n")

    def user(self, *words, **more):
        return gateway("user", "--users", self.users, *words, **more)

    def add(self, name, *words):
        done = self.user("add", name, "--password-file", self.password_file, *words)
        self.assertEqual((done.returncode, done.stdout), (0, f"Added {name}.\n"), done.stderr)


class Users(WithFolder):
    def test_a_user_is_added_listed_locked_unlocked_and_removed(self):
        self.add("alice", "--group", "staff", "--group", "admins")
        self.add("bob")
        line = self.users.read_text().splitlines()[1]
        self.assertTrue(line.startswith("alice:staff,admins:active:$y$"), line)
        self.assertEqual(self.user("lock", "bob").stdout, "Locked bob.\n")
        listed = json.loads(self.user("list", "--json").stdout)
        self.assertEqual(listed, [
            {"name": "alice", "groups": ["staff", "admins"], "locked": False, "password": True},
            {"name": "bob", "groups": [], "locked": True, "password": True}])
        self.assertEqual(self.user("unlock", "bob").stdout, "Unlocked bob.\n")
        self.assertEqual(self.user("remove", "alice").stdout, "Removed alice.\n")
        self.assertEqual(self.user("list").stdout.split(),
                         ["NAME", "LOGIN", "GROUPS", "bob", "active", "-"])

    def test_the_file_is_for_its_owner_alone_and_nothing_is_left_beside_it(self):
        self.add("alice")
        self.assertEqual(stat.S_IMODE(self.users.stat().st_mode), 0o600)
        self.assertEqual(sorted(p.name for p in self.folder.iterdir()), ["password", "users"])

    def test_the_owner_of_the_file_stays_its_owner(self):
        if os.geteuid() != 0:
            self.skipTest("only root can change a file of somebody else")
        self.add("alice")
        os.chown(self.users, 12345, 23456)
        self.add("bob")
        status = self.users.stat()
        self.assertEqual((status.st_uid, status.st_gid), (12345, 23456))

    def test_the_password_comes_from_a_descriptor_too(self):
        with open(self.password_file) as file:
            done = self.user("add", "alice", "--password-fd", file.fileno(),
                             pass_fds=(file.fileno(),))
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_user_may_have_a_certificate_and_no_password(self):
        self.assertEqual(self.user("add", "carol", "--no-password").returncode, 0)
        self.assertIn("carol::active:\n", self.users.read_text())
        self.assertIn("certificate", self.user("list").stdout)

    def test_another_password_makes_another_hash(self):
        self.add("alice")
        before = self.users.read_text()
        done = self.user("password", "alice", "--password-file", self.password_file)
        self.assertEqual((done.returncode, done.stdout), (0, "Set the password of alice.\n"))
        self.assertNotEqual(self.users.read_text(), before)

    def test_what_cannot_be_done_is_one_sentence_a_status_and_no_change(self):
        self.add("alice")
        before = self.users.read_text()
        for words, sentence in [
                (["add", "alice", "--no-password"], "there is a user alice already"),
                (["add", "a:b", "--no-password"], '"a:b" is no user name; allowed are'),
                (["add", "bob", "--no-password", "--group", "x y"],
                 '"x y" is no group name; allowed are'),
                (["add", "bob", "--password-file", "/nowhere"],
                 "the password file /nowhere cannot be read"),
                (["add", "bob", "--password-file", "/dev/null"],
                 "a password has 1 to 511 bytes"),
                (["add", "bob", "--password-fd", "77"],
                 "no password can be read from descriptor 77"),
                (["add", "bob"], "there is no terminal to ask for the password; give"),
                (["remove", "nobody"], "there is no user nobody"),
                (["lock", "nobody"], "there is no user nobody"),
                (["password", "nobody"], "there is no user nobody")]:
            with self.subTest(words=words):
                done = self.user(*words)
                self.assertEqual(done.returncode, CONFIGURATION_FAILED, done.stderr)
                self.assertEqual(done.stdout, "")
                self.assertTrue(done.stderr.startswith("causeway-gateway: " + sentence),
                                done.stderr)
                self.assertEqual(self.users.read_text(), before)

    def test_a_file_that_is_missing_or_broken_is_named(self):
        for words in [["list"], ["remove", "alice"], ["lock", "alice"]]:
            done = self.user(*words)
            self.assertEqual(done.returncode, CONFIGURATION_FAILED)
            self.assertIn(f"the users file {self.users} cannot be read", done.stderr)
            self.assertIn("ENOENT", done.stderr)
            self.assertFalse(self.users.exists())
        self.users.write_text("# mine\nalice\n")
        done = self.user("add", "bob", "--no-password")
        self.assertEqual(done.returncode, CONFIGURATION_FAILED)
        self.assertIn(f"{self.users}:2: a user's line has 4 fields", done.stderr)
        self.assertEqual(self.users.read_text(), "# mine\nalice\n")

    def test_wrong_usage_is_status_2(self):
        for words in [["user"], ["user", "ad"], ["user", "add"], ["sessions", "extra"],
                      ["--nonsense"], ["nonsense"],
                      ["user", "add", "x", "--no-password", "--password-fd", "0"]]:
            with self.subTest(words=words):
                done = gateway(*words)
                self.assertEqual(done.returncode, WRONG_USAGE, done.stderr)
                self.assertIn('Try "causeway-gateway --help".', done.stderr)


class AtATerminal(WithFolder):
    def add_typing(self, first, second=None):
        typist = Typist("user", "--users", self.users, "add", "alice")
        typist.wait_for("New password for alice: ")
        self.limits = Path(f"/proc/{typist.process}/limits").read_text()
        typist.type(first + "\n")
        if second is not None:
            typist.wait_for("The same once more: ")
            typist.type(second + "\n")
        return typist.status(), typist.seen

    def test_the_password_is_asked_for_twice_and_never_shown(self):
        status, seen = self.add_typing(PASSWORD, PASSWORD)
        self.assertEqual(status, 0, seen)
        self.assertNotIn("horse", seen)
        self.assertIn("Added alice.", seen)
        self.assertIn("alice::active:$y$", self.users.read_text())
        self.assertRegex(self.limits, r"Max core file size +0 +0 ")

    def test_two_that_differ_are_refused(self):
        status, seen = self.add_typing(PASSWORD, PASSWORD + "!")
        self.assertEqual(status, CONFIGURATION_FAILED)
        self.assertIn("the two passwords differ", seen)
        self.assertFalse(self.users.exists())

    def test_an_empty_one_is_refused_before_it_is_asked_for_again(self):
        status, seen = self.add_typing("")
        self.assertEqual(status, CONFIGURATION_FAILED)
        self.assertIn("a password has 1 to 511 bytes", seen)

    def test_a_signal_while_typing_ends_the_program_at_once(self):
        typist = Typist("user", "--users", self.users, "add", "alice")
        typist.wait_for("New password for alice: ")
        os.kill(typist.process, signal.SIGTERM)
        self.assertEqual(typist.status(), -signal.SIGTERM)
        typist = Typist("user", "--users", self.users, "add", "alice")
        typist.wait_for("New password for alice: ")
        typist.type("half a pass\x03")
        self.assertEqual(typist.status(), -signal.SIGINT)
        self.assertFalse(self.users.exists())


class Configuration(WithFolder):
    def setUp(self):
        super().setUp()
        self.config = self.folder / "gateway.toml"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                        "-subj", "/CN=vpn.test", "-addext", "subjectAltName=DNS:vpn.test",
                        "-keyout", self.folder / "key.pem", "-out", self.folder / "cert.pem"],
                       check=True, capture_output=True)
        self.add("alice")

    def write(self, more="", certificate="cert.pem"):
        self.config.write_text(
            f'listen = ["127.0.0.1:4443"]\ncertificate = "{certificate}"\nkey = "key.pem"\n{more}\n'
            '[authentication]\nusers_file = "users"\n[network]\nipv4_pool = "10.99.0.0/24"\n')

    def check(self):
        return gateway("--config", self.config, "--check-config")

    def test_a_sound_configuration_is_called_so(self):
        self.write()
        done = self.check()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, f"{self.config} is sound: 1 address to listen on, 1 group, "
                                      "1 user.\n")

    def test_every_fault_is_told_with_its_place_and_status_2(self):
        self.write('thread = 3\nbanner = 7')
        done = self.check()
        self.assertEqual(done.returncode, WRONG_USAGE)
        self.assertEqual(done.stderr.splitlines(), [
            f"causeway-gateway: {self.config}:4:10: there is no key thread; the nearest is threads",
            f"causeway-gateway: {self.config}:5:10: banner is 7, allowed is text of 0 to 2000 "
            "bytes"])

    def test_the_files_it_names_are_looked_into(self):
        self.write(certificate="missing.pem")
        done = self.check()
        self.assertEqual(done.returncode, WRONG_USAGE)
        self.assertIn(str(self.folder / "missing.pem"), done.stderr)
        self.assertIn("ENOENT", done.stderr)
        self.write()
        self.users.write_text("broken\n")
        done = self.check()
        self.assertEqual(done.returncode, WRONG_USAGE)
        self.assertIn(f"{self.users}:1: a user's line has 4 fields", done.stderr)

    def test_a_missing_file_is_named_with_its_cause(self):
        for words in [["--check-config"], [], ["sessions"], ["user", "list"]]:
            with self.subTest(words=words):
                done = gateway("--config", "/nowhere/gateway.toml", *words)
                self.assertEqual(done.returncode, WRONG_USAGE, done.stderr)
                self.assertIn("the configuration file /nowhere/gateway.toml cannot be read",
                              done.stderr)

    def test_the_users_file_is_found_through_the_configuration(self):
        self.write()
        done = gateway("user", "list", "--config", self.config)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("alice", done.stdout)


class Program(unittest.TestCase):
    def test_version_and_help_are_status_0(self):
        self.assertRegex(gateway("--version").stdout, r"^causeway-gateway \d+\.\d+\.\d+\n$")
        shown = gateway("--help")
        self.assertEqual(shown.returncode, 0)
        for word in ["sessions", "bans", "disconnect", "unban", "incident", "user",
                     "--check-config"]:
            self.assertIn(word, shown.stdout)


if __name__ == "__main__":
    unittest.main()
