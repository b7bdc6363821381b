"""What stock openconnect prints when our gateway refuses or ends something: the reason is in it."""

import signal

from lab import pki
from lab.gateway import Gateway
from lab.openconnect import OpenConnect
from lab.pki import DAY

URL = "https://vpn.test/"
WORDS = []


def words(title, sentence):
    """Registers set_up(scene) -> what openconnect printed; the sentence must be in it."""
    def register(set_up):
        WORDS.append((title, sentence, set_up))
        return set_up
    return register


class Setup:
    def __init__(self, scene, revoke=False, **kwargs):
        self.scene = scene
        self.host, self.server = scene.pair()
        self.ca = pki.Authority(scene.folder)
        self.user = self.ca.issue("alice", usage=pki.CLIENT, user="alice")
        self.gateway = Gateway(scene, self.server, self.ca.issue("server", ["vpn.test"]),
                               ca=self.ca.file if "certificate" in str(kwargs) else None,
                               crl=self.ca.revoke(self.user) if revoke else None, **kwargs)

    def stock(self, *options, password="secret", name="openconnect", interface="oc0", user="alice"):
        return OpenConnect(self.scene, self.host, URL, "--cafile", self.ca.file, "--user", user,
                           "--non-inter", *options, password=password, name=name,
                           interface=interface, verbose=False)

    def refused(self, *options, **kwargs):
        """Everything it printed until it gave up."""
        client = self.stock(*options, **kwargs)
        client.wait(30)
        return client.output()

    def ended(self, end):
        """What it printed from the moment a session was ended by end()."""
        client = self.stock().connected()
        before = len(client.output())
        end()
        client.wait(30)
        return client.output()[before:]

    def second(self):
        self.stock(name="first", interface="first0").connected()
        return self.refused(interface="second0")


def by_certificate():
    return {"authentication": {"method": "certificate"}}


@words("wrong password", "name or password is wrong")
def wrong_password(scene):
    return Setup(scene).refused(password="wrong")


@words("locked", "This user is locked")
def locked(scene):
    setup = Setup(scene)
    setup.gateway.user("lock", "alice")
    setup.gateway.reload()
    return setup.refused()


@words("banned", "Too many failed logins")
def banned(scene):
    setup = Setup(scene, sections={"ban": {"failures": 2}})
    setup.refused(password="wrong", name="one")
    setup.refused(password="wrong", name="two")
    return setup.refused()


@words("no certificate", "asks for a client certificate and none was sent")
def no_certificate(scene):
    return Setup(scene, sections=by_certificate()).refused(password=None)


@words("expired certificate", "client certificate has expired")
def expired_certificate(scene):
    setup = Setup(scene, sections=by_certificate())
    old = setup.ca.issue("old", usage=pki.CLIENT, user="alice", starts=-9 * DAY, ends=-2 * DAY)
    return setup.refused("-c", old.chain, "-k", old.key, password=None)


@words("revoked by CRL file", "client certificate has been revoked")
def revoked(scene):
    setup = Setup(scene, revoke=True, sections=by_certificate())
    return setup.refused("-c", setup.user.chain, "-k", setup.user.key, password=None)


@words("limit per user", "as many sessions as allowed")
def limit(scene):
    return Setup(scene, sections={"limits": {"sessions_per_user": 1}}).second()


@words("pool empty", "no address left")
def pool_empty(scene):
    return Setup(scene, sections={"network": {"ipv4_pool": "10.78.0.0/30",
                                              "ipv6_pool": None}}).second()


@words("administrator", "An administrator ended the session")
def administrator(scene):
    setup = Setup(scene)
    return setup.ended(lambda: setup.gateway.control("disconnect", "user:alice"))


@words("idle", "idle for too long")
def idle(scene):
    return Setup(scene, sections={"session": {"idle_timeout": 2}}).ended(lambda: None)


@words("session end", "reached the time it may last")
def session_end(scene):
    return Setup(scene, sections={"session": {"session_timeout": 2}}).ended(lambda: None)


@words("shutdown", "shutting down")
def shutdown(scene):
    setup = Setup(scene)
    return setup.ended(lambda: setup.gateway.process.send(signal.SIGTERM))
