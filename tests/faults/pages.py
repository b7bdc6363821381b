"""What a run writes down: docs/fault-lab.md and provoked.tsv."""

import re
from pathlib import Path

HERE = Path(__file__).resolve().parent
PAGE = HERE.parents[1] / "docs/fault-lab.md"
PROVOKED = HERE / "provoked.tsv"
CATALOGUED = ("vpn", "tls", "trust", "service")

INTRODUCTION = """# The fault lab

Made by `tests/faults/run --write` from a run of all faults; `tests/faults` holds what sets each of
them up. Every row is a real fault: a resolver, a network, a certificate, a gateway that misbehaves.
Our client ran against it, and this is what it said, word for word, and how many seconds after the
fault. Its exit status was 100 plus the number of the code each time. In the S rows it is the client
that misbehaves, and our gateway's log that speaks.

Rows 1 to 58 carry the numbers of the failures that stock openconnect 9.01 was watched at. A letter
is another fault of the same kind. Rows marked *ours* ran against our gateway, the others against
stock ocserv 1.1.6 or an instrument of the lab. A rows answer the handshake with that TLS alert, C
rows harm the secure channel or the chain of certificates.

Some causes look the same on the wire of a stock gateway, which says nothing (18 and 19; 23, 24 and
42; 39, 40 and 41; 43 to 46, and 47 when the gateway still says goodbye; 47 and 48). There the code is the one that the wire supports, and the
evidence lists the candidates. At our gateway each of them has a report of its own.

Rows 52 and 53 end nothing either: TLS carries the packets, and the code is that of the `datagram`
event that says why. The seconds are those until that event; the tunnel stood before it and after.

Row 50, a worker of the gateway killed, ends nothing: the client tells of it by a `reconnecting` event
and is back with the same address (`tests/interop/our_client`).

"""


def order(row):
    letter, number, rest = re.match(r"([A-Z]?)(\d+)(.*)", row.number).groups()
    return (row.against == "our gateway", letter, int(number), rest)


def cell(text):
    """Text for one cell of a table, without what changes from run to run."""
    return re.sub(r"/tmp/causeway-lab-[\w-]+", "…", text).replace("|", "\\|").replace("\n", " ")


def fault_table(outcome):
    lines = ["| row | fault | what we said | the chain beneath | seconds |",
             "|---|---|---|---|---|"]
    for row in sorted(outcome, key=order):
        report = outcome[row][0]
        first = report.chain[0]
        beneath = " ← ".join(error["name"] for error in report.chain[1:])
        lines.append(f"| {row.key()} | {cell(row.title)} | **{first['name']}**: "
                     f"{cell(first.get('detail', first.get('meaning', '')))} | {cell(beneath)} | "
                     f"{report.seconds:.1f} |")
    return "\n".join(lines) + "\n"


def words_section(printed):
    """printed: [(title, sentence, what openconnect printed)]"""
    parts = ["\n## What stock openconnect prints\n",
             "The same reasons, told by our gateway to openconnect 9.01: the lines it printed "
             "about them.\n"]
    for title, sentence, text in printed:
        lines = [line for line in text.splitlines() if re.search(sentence, line)]
        seen = list(dict.fromkeys(line.strip() for line in lines))
        parts.append(f"**{title}**\n\n```\n" + "\n".join(seen) + "\n```\n")
    return "\n".join(parts)


def provoked(outcome):
    """{code name: name of the first row that produced it}"""
    found = {}
    # Rows whose wire leaves a choice give another code now and then: they come last.
    for row in sorted(outcome, key=lambda row: (not row.is_certain(), order(row))):
        for error in outcome[row][0].chain:
            if error["domain"] in CATALOGUED:
                theme = row.theme.removesuffix("_rows")
                found.setdefault(error["name"], f"faults.{theme} row {row.key()}: {row.title}")
    return found


def read_provoked():
    """[(code name, test)] of the file."""
    lines = PROVOKED.read_text().splitlines() if PROVOKED.exists() else []
    return [tuple(line.split("\t", 1)) for line in lines if line and not line.startswith("#")]


def write(outcome, printed):
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(INTRODUCTION + fault_table(outcome) + words_section(printed))
    found = provoked(outcome)
    # Tests beside the code that join two real peers, and those of whole programs, name themselves
    # here by hand.
    kept = {code: test for code, test in read_provoked() if test.startswith(("unit.", "netns."))}
    every = {**kept, **found}
    PROVOKED.write_text("# code<TAB>the test in which a real fault produces it. Lines of faults.* "
                        "are written by tests/faults/run --write.\n" +
                        "".join(f"{code}\t{every[code]}\n" for code in sorted(every)))
