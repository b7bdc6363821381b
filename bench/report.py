"""What was measured, for people and for programs: the tables, and the JSON file.

The JSON file: `rows`, one for each thing measured, with the median of the rounds and, as
`<name>_min` and `<name>_max`, its spread; `rounds`, how many there were; `ratios`, name to value,
null where it was not measured; `ratio_details`, the same with spread, must and goal; `samples`,
every single measurement; `failures`; `machine`; `effort`.
"""

import datetime
import os
import platform
import re
import statistics
import textwrap

from ratios import judged, verdict
from tunnels import CALLS

IDENTITY = ("peer", "mode", "offload", "measure", "direction", "streams", "loaded", "size")
MEASURED = ("gbit_per_s", "gbit_per_s_up", "gbit_per_s_down", "cpu_s_per_gb", "cpu_s_per_gb_client",
            "cpu_s_per_gb_gateway", "retransmits", "rtt_ms_p50", "rtt_ms_p99", "lost", "pps",
            *(f"packets_per_{name}" for name in CALLS), "other_load")
QUIET = 0.15  # processors that other programs may take before the figures are doubted


def rows(samples):
    """The samples of all rounds, merged: median and spread."""
    groups = {}
    for sample in samples:
        identity = tuple((name, sample[name]) for name in IDENTITY if name in sample)
        groups.setdefault(identity, []).append(sample)
    found = []
    for identity, group in groups.items():
        row = dict(identity)
        for name in MEASURED:
            values = [sample[name] for sample in group if sample.get(name) is not None]
            if values:
                row[name] = statistics.median(values)
                row[f"{name}_min"], row[f"{name}_max"] = min(values), max(values)
        row["samples"] = len(group)
        if "cipher" in group[0]:
            row["cipher"] = group[0]["cipher"]
        found.append(row)
    return found


def machine():
    """Where it ran: figures of different machines are not comparable, ratios hardly."""
    with open("/proc/cpuinfo") as info:
        text = info.read()
    model = re.search(r"^model name\s*: (.*)$", text, re.M)
    flags = set((re.search(r"^flags\s*: (.*)$", text, re.M) or [""])[0].split())
    return {"processors": os.cpu_count(), "model": model.group(1) if model else platform.machine(),
            # What AES-GCM is made of: its speed differs by a factor of three between them.
            "ciphers": [flag for flag in ("aes", "vaes", "avx2", "avx512f") if flag in flags],
            "kernel": platform.release(),
            "time": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")}


def document(samples, failures, rounds, effort):
    ratios = judged(samples)
    return {"version": 1, "machine": machine(), "effort": effort, "rounds": rounds,
            "rows": rows(samples), "ratios": {r["name"]: r["value"] for r in ratios},
            "ratio_details": [dict(r, verdict=verdict(r)) for r in ratios],
            "failures": failures, "samples": samples}


def figure(value):
    """Three digits that count."""
    if value is None:
        return "-"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def rate(value):
    return "-" if value is None else f"{value / 1000:.0f} k" if value >= 1e4 else f"{value:.0f}"


def with_spread(row, name, show=figure):
    """The median, and what lay around it when there was more than one round."""
    if not row or name not in row:
        return "-"
    text = show(row[name])
    if row["samples"] > 1:
        text += f" ({show(row[name + '_min'])}..{show(row[name + '_max'])})"
    return text


def each_way(row):
    """What went up and what went down at the same time."""
    if not row:
        return "-"
    return f"{figure(row['gbit_per_s_up'])} + {figure(row['gbit_per_s_down'])}"


def laid_out(head, lines):
    """Columns as wide as what they hold; the first one to the left."""
    table = [head, *lines]
    widths = [max(len(line[i]) for line in table) for i in range(len(head))]
    for line in table:
        cells = [line[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(line[1:], widths[1:]))]
        yield "  ".join(cells).rstrip()


def tables(told):
    """The lines of the tables, as text."""
    yield from throughput_table(told["rows"])
    yield from calls_table(told["rows"])
    yield from round_trip_table(told["rows"])
    yield from packet_rate_table(told["rows"])
    yield from ratio_table(told["ratio_details"])
    yield from remarks(told)


def label(row):
    return f"{row['peer']} {row['mode']}"


def throughput_table(found):
    found = [row for row in found if row["measure"] == "throughput"]
    if not found:
        return
    yield ""
    yield "TCP payload, Gbit/s, and CPU seconds of both ends of the tunnel a GB"
    for offload in dict.fromkeys(row["offload"] for row in found):
        for streams in sorted({row["streams"] for row in found if row["offload"] == offload}):
            here = [r for r in found if r["offload"] == offload and r["streams"] == streams]
            by = {(label(r), r["direction"]): r for r in here}
            lines = [[name, *(with_spread(by.get((name, way)), "gbit_per_s")
                              for way in ("up", "down")), each_way(by.get((name, "both"))),
                      *(with_spread(by.get((name, way)), "cpu_s_per_gb") for way in ("up", "down"))]
                     for name in dict.fromkeys(label(r) for r in here)]
            title = f"{offload}, {streams} stream{'s' if streams > 1 else ''}"
            yield ""
            yield from laid_out([title, "up", "down", "both", "s/GB up", "s/GB down"], lines)


def calls_table(found):
    here = [r for r in found if r["measure"] == "calls"]
    if not here:
        return
    yield ""
    yield "Packets a system call at our client, acknowledgements included"
    by = {(r["offload"], r["direction"]): r for r in here}
    lines = [[f"{mode}, {way}", *(with_spread(row, f"packets_per_{name}") for name in CALLS)]
             for (mode, way), row in by.items()]
    yield ""
    yield from laid_out(["", *(name.replace("_", " ") for name in CALLS)], lines)


def round_trip_table(found):
    here = [r for r in found if r["measure"] == "round_trip"]
    if not here:
        return
    by = {(label(r), r["loaded"]): r for r in here}
    lines = [[name, *(with_spread(by.get((name, loaded)), f"rtt_ms_{part}")
                      for loaded in (False, True) for part in ("p50", "p99"))]
             for name in dict.fromkeys(label(r) for r in here)]
    yield ""
    yield "Round trips in ms; loaded: while one stream goes up as fast as it can"
    yield ""
    yield from laid_out(["on", "idle p50", "p99", "loaded p50", "p99"], lines)


def packet_rate_table(found):
    here = [r for r in found if r["measure"] == "packet_rate"]
    if not here:
        return
    yield ""
    yield "UDP packets a second of which less than 1 % are lost, by bytes of payload"
    sizes = sorted({r["size"] for r in here})
    by = {(label(r), r["direction"], r["size"]): r for r in here}
    for way in dict.fromkeys(r["direction"] for r in here):
        lines = [[name, *(with_spread(by.get((name, way, size)), "pps", rate) for size in sizes)]
                 for name in dict.fromkeys(label(r) for r in here)]
        yield ""
        yield from laid_out([f"on, {way}", *(f"{size} B" for size in sizes)], lines)


def ratio_table(details):
    shown = []
    for ratio in (ratio for ratio in details if ratio["value"] is not None):
        most = "≤ " if ratio["at_most"] else "≥ "
        spread = ("" if ratio["lowest"] == ratio["highest"] else
                  f"{figure(ratio['lowest'])}..{figure(ratio['highest'])}")
        words = {"goal": "goal reached", "must": "enough", "below": "NOT ENOUGH"}
        shown.append([f"{ratio['name']}: {ratio['what']}", figure(ratio["value"]), spread,
                      most + f"{ratio['must']:g}", f"{ratio['goal']:g}", words[ratio["verdict"]]])
    missing = [ratio["name"] for ratio in details if ratio["value"] is None]
    yield ""
    if shown:
        yield from laid_out(["Ratios, of two directions the worse one", "median", "spread", "must",
                             "goal", ""], shown)
    if missing:
        yield from textwrap.wrap(f"Ratios that were not measured: {', '.join(missing)}", 100)


def remarks(told):
    """What a reader must know before believing the figures."""
    where = told["machine"]
    yield ""
    yield (f"On {where['processors']} processors ({where['model']}, "
           f"{', '.join(where['ciphers']) or 'no AES instructions'}), Linux {where['kernel']}.")
    ciphers = {label(row): row["cipher"] for row in told["rows"] if "cipher" in row}
    if ciphers:
        yield ""
        yield from textwrap.wrap("Ciphers: " + ", ".join(f"{name} {cipher}" for name, cipher in
                                                         ciphers.items()) + ".", 100,
                                 break_on_hyphens=False)
    other = [s["other_load"] for s in told["samples"] if "other_load" in s]
    if other and statistics.median(other) > QUIET:
        yield ""
        yield (f"Other programs took {100 * statistics.median(other):.0f} % of a processor meanwhile: "
               "the figures are too low, and the ratios not to be trusted.")
    if told["rounds"] < 5:
        yield ""
        yield "Fewer than 5 rounds: good for a look, not for a judgement."
    if told["failures"]:
        yield ""
        yield "Not measured:"
        for failure in told["failures"]:
            yield (f"  {failure['key']} ({failure['offload']}, round {failure['round']}): "
                   f"{failure['problem']}")
