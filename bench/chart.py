"""The picture for the README: throughput and CPU seconds of one stream, peer by peer, as SVG.

Bars carry their value in words, so that nobody needs the colours; they are readable on a light and
on a dark page.
"""

from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT, BAR, GAP, HEAD = 720, 190, 90, 16, 8, 46
OURS, OTHERS = "#2f81f7", "#8b949e"
NAMES = {("causeway", "dtls"): "Causeway", ("causeway", "evp"): "Causeway, without ipsec-mb",
         ("causeway", "tls"): "Causeway, TLS only", ("ocserv", "dtls"): "ocserv, DTLS",
         ("ocserv", "tls"): "ocserv, TLS", ("openvpn", "udp"): "OpenVPN",
         ("wireguard-go", "udp"): "wireguard-go"}
PANELS = (("gbit_per_s", "One TCP stream, Gbit/s (the slower direction): more is better", min),
          ("cpu_s_per_gb", "CPU seconds of both ends a GB (the dearer direction): less is better",
           max))


def bars(rows, field, worse):
    """[(name, is ours, value)] of one stream, the cable as it is by default."""
    found = []
    for (peer, mode), name in NAMES.items():
        values = [row[field] for row in rows
                  if (row["peer"], row["mode"]) == (peer, mode) and row["offload"] == "on"
                  and row.get("streams") == 1 and row.get("direction") in ("up", "down")
                  and field in row]
        if values:
            found.append((name, peer == "causeway", worse(values)))
    return found


def panel(title, entries, top):
    """The lines of one panel, and where it ends."""
    yield f'<text x="0" y="{top + 20}" class="title">{escape(title)}</text>'
    longest = max(value for _, _, value in entries) or 1
    for number, (name, ours, value) in enumerate(entries):
        y = top + HEAD - 10 + number * (BAR + GAP)
        width = max(1.0, (WIDTH - LEFT - RIGHT) * value / longest)
        yield (f'<text x="{LEFT - 10}" y="{y + 12}" text-anchor="end">{escape(name)}</text>'
               f'<rect x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR}" rx="2" '
               f'fill="{OURS if ours else OTHERS}"/>'
               f'<text x="{LEFT + width + 8:.1f}" y="{y + 12}">{value:.2f}</text>')


def drawn(rows):
    """The whole picture; panels of which nothing was measured are left out."""
    lines, top = [], 0
    for field, title, worse in PANELS:
        entries = bars(rows, field, worse)
        if entries:
            lines += panel(title, entries, top)
            top += HEAD + len(entries) * (BAR + GAP) + 10
    style = ("text{font:13px sans-serif;fill:#57606a}.title{font-weight:600;font-size:14px}"
             "@media(prefers-color-scheme:dark){text{fill:#c9d1d9}}")
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{top}" '
            f'viewBox="0 0 {WIDTH} {top}" role="img"><style>{style}</style>\n' +
            "\n".join(lines) + "\n</svg>\n")
