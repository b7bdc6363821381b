"""`causeway explain` as people type it: as nobody, without a network, with its exit statuses.

    explain_test.py PROGRAM
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

BUILT = sys.argv.pop()
NOBODY = 65534

# Nobody may not reach a build tree below a private home, so a copy stands where everybody may.
COPY = tempfile.TemporaryDirectory()
os.chmod(COPY.name, 0o755)
PROGRAM = shutil.copy(BUILT, COPY.name)


def give_up_rights():
    """Makes the command run as nobody where we may say so."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)


def causeway(*words):
    """Runs the program in a network namespace without links, where the machine permits that."""
    alone = ["unshare", "--user", "--net"] if can_unshare() else []
    return subprocess.run(
        [*alone, PROGRAM, *words],
        capture_output=True,
        text=True,
        timeout=20,
        stdin=subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"]},
        preexec_fn=give_up_rights,
    )


def can_unshare():
    probe = subprocess.run(
        ["unshare", "--user", "--net", "true"], capture_output=True, preexec_fn=give_up_rights
    )
    return probe.returncode == 0


class Explain(unittest.TestCase):
    def names(self, *words):
        done = causeway("explain", *words, "--json")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return [row["name"] for row in json.loads(done.stdout)]

    def test_a_number_may_look_like_an_option(self):
        self.assertEqual(self.names("-9814"), ["errSSLCertExpired"])

    def test_several_may_be_asked_with_the_flag_anywhere(self):
        done = causeway("explain", "-9814", "--json", "serverdead", "0xFFFFD9AA", "2203002")
        self.assertEqual(done.returncode, 0)
        self.assertEqual(
            [row["value"] for row in json.loads(done.stdout)], [-9814, 7, 2203002]
        )

    def test_all_of_them_are_listed_when_none_is_asked(self):
        self.assertEqual(len(self.names()), 19 + 74 + 38 + 10)
        self.assertIn("serverCertificateExpired", causeway("explain").stdout)

    def test_an_unknown_one_ends_in_status_2_and_names_the_nearest(self):
        done = causeway("explain", "serverDed")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("serverDead (vpn 7)", done.stderr)

    def test_an_unknown_option_ends_in_status_2(self):
        done = causeway("explain", "--jsno")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("--jsno", done.stderr)

    def test_a_misspelt_command_ends_in_status_2_and_is_named(self):
        done = causeway("explian", "19")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn('"explian"', done.stderr)
        self.assertIn('"explain"', done.stderr)

    def test_help_and_version_end_in_status_0(self):
        for words in (["--help"], ["--version"], ["explain", "--help"]):
            done = causeway(*words)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertTrue(done.stdout)


if __name__ == "__main__":
    unittest.main()
