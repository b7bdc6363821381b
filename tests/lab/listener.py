"""A TCP listener that misbehaves before any TLS: silent, closing, resetting, speaking otherwise."""

import socket
import struct
import threading
import time

PLAIN_HTTP = (b"HTTP/1.1 302 Found\r\nLocation: http://portal.test/login?from=vpn\r\n"
              b"Content-Length: 0\r\nConnection: close\r\n\r\n")
SSH = b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"
GARBAGE = bytes((7 * i + 131) % 256 for i in range(200))


class Server:
    """Serves each connection of a host's port in a thread of its own with serve(connection)."""

    def __init__(self, host, port, serve):
        self.socket = host.listen(port)
        self.serve = serve
        self.connections = []
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self._serve_one, args=(connection,), daemon=True).start()

    def _serve_one(self, connection):
        try:
            self.serve(connection)
        except OSError:
            return  # The client left: its own report is what the test looks at.

    def close(self):
        # close() alone does not wake a thread that waits in accept().
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join()
        for connection in self.connections:
            connection.close()


def reset(connection):
    """Ends the connection by RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    # Wakes a thread that reads it: while one does, close() alone sends nothing.
    connection.shutdown(socket.SHUT_RD)
    connection.close()


def silent(connection):
    while connection.recv(4096):
        continue


def closes(connection):
    # What was received and not read would turn the FIN into a RST.
    connection.recv(4096)
    connection.close()


def closes_unasked(connection):
    connection.shutdown(socket.SHUT_RDWR)
    connection.close()


def resets(connection):
    connection.recv(4096)
    reset(connection)


def says(words):
    """Answers the first bytes with these, then waits for the end."""
    def serve(connection):
        connection.recv(4096)
        connection.sendall(words)
        silent(connection)
    return serve


def greets(words):
    """Speaks first, as SSH and mail servers do."""
    def serve(connection):
        connection.sendall(words)
        silent(connection)
    return serve


def drips(words, pause=1.0):
    """Sends a byte now and then: something always comes, nothing is ever complete."""
    def serve(connection):
        connection.recv(4096)
        for byte in words:
            connection.sendall(bytes([byte]))
            time.sleep(pause)
    return serve
