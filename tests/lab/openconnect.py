"""The stock client on a host, with a script of our own that only sets the addresses."""

import signal

SCRIPT = """#!/bin/sh
if [ "$reason" = connect ]; then
  ip link set dev "$TUNDEV" mtu "$INTERNAL_IP4_MTU" up
  [ -z "$INTERNAL_IP4_ADDRESS" ] || ip addr add "$INTERNAL_IP4_ADDRESS/32" dev "$TUNDEV"
  [ -z "$INTERNAL_IP6_ADDRESS" ] || ip addr add "$INTERNAL_IP6_ADDRESS/128" dev "$TUNDEV" nodad
  for net in $LAB_ROUTES; do ip route add "$net" dev "$TUNDEV"; done
  env | grep -E '^(INTERNAL|CISCO)' > "$LAB_SETTINGS"
  echo "script: connected"
fi
[ "$reason" != reconnect ] || echo "script: reconnected"
exit 0
"""


class OpenConnect:
    """Starts at once. password: given on standard input; None for none, or for another stdin."""

    def __init__(self, scene, host, url, *options, password=None, routes=(), dtls=False,
                 name="openconnect", interface="oc0", stdin=None, verbose=True):
        script = scene.write(f"{name}.script", SCRIPT, 0o755)
        self.settings = scene.folder / f"{name}.settings"
        talk = ["-v"] if verbose else []
        dtls_option = [] if dtls else ["--no-dtls"]
        on_stdin = ["--passwd-on-stdin"] if password is not None else []
        self.process = host.start(
            ["env", f"LAB_ROUTES={' '.join(routes)}", f"LAB_SETTINGS={self.settings}",
             "openconnect", *talk, "--script", script, "-i", interface, *dtls_option, *on_stdin,
             *options, url], name,
            stdin=f"{password}\n" if password is not None else stdin)

    def connected(self, timeout=20.0):
        """Waits until the script has set the addresses."""
        self.process.wait_for("script: connected", timeout)
        return self

    def given(self):
        """What the gateway gave: the variables of the script."""
        lines = self.settings.read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    def output(self):
        return self.process.output()

    def wait(self, timeout=30.0):
        return self.process.wait(timeout)

    def stop(self):
        """As the user ends it: the gateway is told."""
        self.process.send(signal.SIGINT)
        return self.process.wait(10)
