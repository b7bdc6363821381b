"""A server that answers a ClientHello with one chosen alert, or with bytes made by hand."""

import socket

from . import record
from .listener import Server


class AlertServer(Server):
    """Reads the ClientHello, sends what it is told, and waits for the client to leave.

    answer: bytes, or a function that makes them of the ClientHello's record.
    """

    def __init__(self, host, port, number=None, level=2, answer=None):
        self.ends = answer is None
        self.answer = record.alert(number, level) if answer is None else answer
        super().__init__(host, port, self._serve_alert)

    def _serve_alert(self, connection):
        if hello := record.read_record(connection):
            connection.sendall(self.answer(hello[1]) if callable(self.answer) else self.answer)
            if self.ends:
                connection.shutdown(socket.SHUT_WR)
            # Whatever the client answers to words made by hand can only be its end.
            connection.recv(4096)
            connection.shutdown(socket.SHUT_RDWR)
