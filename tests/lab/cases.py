"""Tests with sentences for names, run beside each other: each gets a scene of its own.

    @case("our client logs in with a password")
    def password(scene): ...

A case passes when it returns; it fails by an exception, best by `expect`. A program of cases ends
with `sys.exit(main())` and takes --list, --only PART-OF-A-NAME, and --jobs N.
"""

import argparse
import concurrent.futures
import time
import traceback

from .scene import Scene

_cases = []


class Wrong(Exception):
    """What was expected is not so."""


def case(name, alone=False, idle=False):
    """Registers test(scene).

    idle: times matter, and it leaves the processor idle: only such cases run meanwhile.
    alone: times matter, and it loads the processor: nothing else runs meanwhile.
    """
    def register(test):
        _cases.append((name, test, "alone" if alone else "idle" if idle else "any"))
        return test
    return register


def expect(truth, words):
    if not truth:
        raise Wrong(words() if callable(words) else words)


def expect_equal(got, wanted, what):
    expect(got == wanted, f"{what}: {got!r}, wanted {wanted!r}")


def eventually(truth, words, timeout=10.0, pause=0.05):
    """Waits until truth() holds; the last value of it."""
    end = time.monotonic() + timeout
    while not (value := truth()):
        expect(time.monotonic() < end, words)
        time.sleep(pause)
    return value


def _run(item):
    name, test, _ = item
    began = time.monotonic()
    try:
        with Scene() as scene:
            test(scene)
        fault = None
    except Wrong as wrong:
        fault = f"{wrong}\n{traceback.format_exc(limit=-2)}"
    except Exception:
        fault = traceback.format_exc()
    print(f"{'FAILED' if fault else 'ok':6} {name} ({time.monotonic() - began:.1f} s)", flush=True)
    if fault:
        print("       " + fault.replace("\n", "\n       "), flush=True)
    return fault is None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--only")
    parser.add_argument("--jobs", type=int, default=4)
    asked = parser.parse_args()
    chosen = [item for item in _cases if not asked.only or asked.only in item[0]]
    if not chosen:
        parser.error("no such case")
    if asked.list:
        print("\n".join(name for name, _, _ in chosen))
        return 0
    passed = []
    for beside, jobs in (("any", asked.jobs), ("idle", asked.jobs), ("alone", 1)):
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            passed += pool.map(_run, [item for item in chosen if item[2] == beside])
    print(f"{sum(passed)} of {len(passed)} cases passed")
    return 0 if all(passed) else 1
