"""The table of faults: each row sets up a real fault, runs our client, and says what must come."""

import re

VPN = ["", "overslept", "noNetworkAvailable", "unrecoverableNetworkChange", "configurationFailed",
       "serverAddressResolutionFailed", "serverNotResponding", "serverDead", "authenticationFailed",
       "clientCertificateInvalid", "clientCertificateNotYetValid", "clientCertificateExpired",
       "pluginFailed", "configurationNotFound", "pluginDisabled", "negotiationFailed",
       "serverDisconnected", "serverCertificateInvalid", "serverCertificateNotYetValid",
       "serverCertificateExpired"]

ROWS = []


class Row:
    def __init__(self, number, title, says, beneath, within, against, family, having, set_up):
        self.number, self.title, self.says, self.beneath = number, title, says, beneath
        self.within, self.against, self.having = within, against, having
        self.families = set(family.split("|")) if family else set()
        self.set_up = set_up
        self.theme = set_up.__module__

    def key(self):
        """The name in documents and on the command line: "16", and "16 ours" at our gateway."""
        return f"{self.number} ours" if self.against == "our gateway" else self.number

    def is_certain(self):
        """Whether the wire always leads to the same chain."""
        return len(self.says) == 1 and not self.families and "|" not in "".join(self.beneath)

    def is_late(self, report):
        return report.seconds > self.within

    def faults(self, report):
        """What is wrong with the report; an empty list when it is as it must be."""
        wrong = []
        names = [error["name"] for error in report.chain]
        if self.says != [""] and report.name not in self.says:
            wrong.append(f"said {report.name}, wanted {' or '.join(self.says)}")
        elif report.status is not None and report.status != 100 + VPN.index(report.name):
            wrong.append(f"exit status {report.status}, wanted {100 + VPN.index(report.name)}")
        at = 0
        for wanted in self.beneath:
            choices = wanted.split("|")
            found = [i for i in range(at, len(names)) if names[i] in choices]
            if not found:
                wrong.append(f"{wanted} is not beneath it, the chain is {' <- '.join(names)}")
                break
            at = found[0] + 1
        if self.is_late(report):
            wrong.append(f"took {report.seconds:.1f} s, at most {self.within:g} s are allowed")
        for word in self.having:
            if not re.search(word, str(report)):
                wrong.append(f"nothing in the report matches {word!r}")
        return wrong


def row(number, title, says, *beneath, within=1.0, against="", family=None, having=()):
    """Registers set_up(scene) -> Report.

    says: the VPN code, several with "|" where the wire leaves the choice, "" for any.
    beneath: names that follow in the chain, in this order; others may stand between.
    within: seconds from the fault to the end.
    family: rows of one family (or several, with "|") may give the same report. having: patterns the report must match.
    """
    def register(set_up):
        ROWS.append(Row(number, title, says.split("|"), beneath, within, against, family, having,
                        set_up))
        return set_up
    return register


# What differs between two reports although the cause is the same.
VOLATILE = [
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( ?UTC|Z)?", "TIME"),
    (r"[0-9A-Za-z+/]{40,}=?", "HASH"),
    (r"\b[0-9a-f]{16,}\b", "HASH"),
    (r"\b\d+(\.\d+)? (ms|s|seconds?|minutes?|hours?|days?)\b", "DURATION"),
    (r"/tmp/causeway-lab-[\w-]+", "SCENE"),
]


def signature(report):
    """The chain and its words without what changes from run to run."""
    parts = []
    for error in report.chain:
        parts.append(f"{error['domain']}/{error['name']}: {error.get('detail', '')}")
    text = " <- ".join(parts)
    for pattern, word in VOLATILE:
        text = re.sub(pattern, word, text)
    return text
