"""One test's hosts, files and programs, taken down together whatever happens."""

import functools
import os
import shutil
import tempfile
from pathlib import Path

from .host import Host, link

BIN = Path(os.environ.get("BIN", Path(__file__).resolve().parents[2] / "build/release/bin"))
SOAK = os.environ.get("CAUSEWAY_SOAK") == "1"
PREFIX = "causeway-lab-"


@functools.cache
def sweep():
    """Removes the folders of labs that were killed; their hosts are gone with them."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*-*"):
        owner = folder.name.removeprefix(PREFIX).split("-")[0]
        if owner.isdigit() and not Path(f"/proc/{owner}").exists():
            shutil.rmtree(folder, ignore_errors=True)


class Scene:
    """with Scene() as scene: the hosts and whatever else was made end with the block."""

    def __init__(self):
        sweep()
        self.folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
        self.folder.chmod(0o755)
        self.parts = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for part in reversed(self.parts):
            part.close()
        if os.environ.get("KEEP_LAB") != "1":
            shutil.rmtree(self.folder, ignore_errors=True)

    def keep(self, part):
        """Closes the part when the scene ends, the last one first."""
        self.parts.append(part)
        return part

    def host(self, name):
        return self.keep(Host(name, self.folder))

    def pair(self, ipv6=False):
        """A client and a server on one cable: 10.77.0.1 and .2, fd77:0::1 and ::2.

        The client knows the server as vpn.test (IPv4) and vpn6.test (IPv6). With ipv6 the second
        can be used at once: a link that just came up loses its first neighbour solicitations.
        """
        client, server = self.host("client"), self.host("server")
        address, address6 = link(client, server)
        if ipv6:
            client.run("ping", "-q", "-c", 1, "-w", 5, "-i", 0.1, address6)
        client.knows(address, "vpn.test")
        client.knows(address6, "vpn6.test")
        return client, server

    def write(self, name, text, mode=0o644):
        """A file of the scene; its path."""
        path = self.folder / name
        path.write_text(text)
        path.chmod(mode)
        return path
