"""Clients of a service under test: keep-alive connections with one request in flight each, or quiet ones."""
import selectors
import socket
import threading
import time

from target import PATIENCE


def http(path):
    return "GET {} HTTP/1.1\r\nHost: here\r\n\r\n".format(path).encode()


class Connections:
    """Every answer is followed by the next request, until quiet() is called. Answers are small: one read is one answer."""

    def __init__(self, port, requests):
        """One connection for each of the requests."""
        self.answers = 0
        self._silent = set()
        self._quiet = self._closing = False
        self._selector = selectors.DefaultSelector()
        self._sockets = []
        for request in requests:
            connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
            connection.sendall(request)
            self._sockets.append(connection)
            self._silent.add(connection)
            self._selector.register(connection, selectors.EVENT_READ, request)
        self.fault = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        try:
            while not self._closing and not (self._quiet and not self._silent):
                for key, _ in self._selector.select(0.1):
                    self._read(key.fileobj, key.data)
        except Exception as fault:  # told to the test by wait_for_answers()
            self.fault = fault

    def _read(self, connection, request):
        answer = connection.recv(1 << 16)
        assert answer and not answer.startswith(b"HTTP/1.1 5"), answer
        self.answers += 1
        self._silent.discard(connection)
        if not self._quiet:
            connection.sendall(request)
            self._silent.add(connection)

    def wait_for_answers(self, number):
        """Until that many more have come."""
        wanted, until = self.answers + number, time.monotonic() + PATIENCE
        while self.answers < wanted:
            assert self.fault is None, self.fault
            assert time.monotonic() < until, "{} of {} answers".format(self.answers, wanted)
            time.sleep(0.005)

    def quiet(self):
        """Returns when every request has its answer; the connections stay open."""
        self._quiet = True
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive() and self.fault is None, self.fault

    def close(self):
        self._closing = True
        self._thread.join(PATIENCE)
        for connection in self._sockets:
            connection.close()
