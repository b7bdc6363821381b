"""The table for the README: what was measured, in short, as Markdown."""

from report import figure, label

SHOWN = ("ocserv dtls", "ocserv tls", "openvpn udp", "wireguard-go udp", "causeway dtls",
         "causeway evp", "causeway tls")
VERDICTS = {"goal": "goal reached", "must": "enough", "below": "**not enough**"}


def written(told):
    """The lines of the table of programs and of the ratios, below a line that says where it ran."""
    where = told["machine"]
    yield (f"{told['rounds']} rounds in turn on {where['processors']} processors "
           f"({where['model']}, {', '.join(where['ciphers']) or 'no AES instructions'}), "
           f"Linux {where['kernel'].split('-')[0]}, {where['time'][:10]}; medians.")
    yield from programs(told["rows"])
    yield from ratios(told["ratio_details"])


def programs(rows):
    """One stream, the cable as it is by default."""
    found = {(label(row), row["direction"]): row for row in rows
             if row["measure"] == "throughput" and row["offload"] == "on" and row["streams"] == 1}
    yield ""
    yield "| one TCP stream | Gbit/s up | down | CPU s/GB up | down |"
    yield "|---|---|---|---|---|"
    for name in SHOWN:
        if (name, "up") in found and (name, "down") in found:
            up, down = found[name, "up"], found[name, "down"]
            cells = (up["gbit_per_s"], down["gbit_per_s"], up["cpu_s_per_gb"], down["cpu_s_per_gb"])
            yield f"| {name} | {' | '.join(map(figure, cells))} |"


def ratios(details):
    measured = [ratio for ratio in details if ratio["value"] is not None]
    if not measured:
        return
    yield ""
    yield "| ratio, of two directions the worse one | median (spread) | must | goal | |"
    yield "|---|---|---|---|---|"
    for ratio in measured:
        spread = f"{figure(ratio['lowest'])}–{figure(ratio['highest'])}"
        most = "≤" if ratio["at_most"] else "≥"
        yield (f"| `{ratio['name']}`: {ratio['what']} | {figure(ratio['value'])} ({spread}) | "
               f"{most} {ratio['must']:g} | {ratio['goal']:g} | {VERDICTS[ratio['verdict']]} |")
