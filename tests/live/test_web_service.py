"""A real aiohttp service with fifty requests in flight, whose loop is then blocked by one handler."""
import os
import socket
import time

import pytest

import interpreters
from target import HERE, PATIENCE

SERVICE = os.path.join(HERE, "services", "web.py")
DISTRIBUTION_PACKAGES = "/usr/lib/python3/dist-packages"
WAYS_TO_WAIT = ("wait_for_upstream", "wait_for_lock", "wait_for_queue", "wait_for_timer")
IN_FLIGHT = 50


class StalledServer:
    """Accepts (the kernel does) and never answers."""

    def __init__(self):
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen(256)
        self.port = self.socket.getsockname()[1]


class Client:
    """Open requests that nobody waits for."""

    def __init__(self, port):
        self.port = port
        self.connections = []

    def request(self, path):
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        connection.sendall("GET /{} HTTP/1.1\r\nHost: test\r\n\r\n".format(path).encode())
        self.connections.append(connection)

    def close(self):
        for connection in self.connections:
            connection.close()


def line_of(text):
    """Number of the only line of the service that contains `text`."""
    with open(SERVICE) as file:
        found = [number for number, line in enumerate(file, 1) if text in line]
    assert len(found) == 1
    return found[0]


@pytest.fixture
def blocked_service(asyncspy, start, request):
    """Starts the service, opens the requests, sends the one that blocks, and waits until a dump shows the loop late."""
    stalled = StalledServer()
    clients = []

    def block(interpreter, path):
        environment = {"PYTHONPATH": os.pathsep.join([HERE, DISTRIBUTION_PACKAGES])}
        target = start(interpreter, SERVICE, stalled.port, environment=environment)
        client = Client(target.next_report()["port"])
        clients.append(client)
        for number in range(IN_FLIGHT):
            client.request(WAYS_TO_WAIT[number % len(WAYS_TO_WAIT)])
        while target.next_report()["arrived"] < IN_FLIGHT:
            pass
        client.request(path)
        assert target.next_report() == {"blocking": path.rpartition("_")[2]}
        return target, dump_when_late(asyncspy, target.pid)

    yield block, stalled
    for client in clients:
        client.close()
    stalled.socket.close()


def dump_when_late(asyncspy, pid):
    until = time.monotonic() + PATIENCE
    while True:
        report = asyncspy.dump(pid)
        loops = [loop for loop in report["loops"] if loop["state"] != "not_running"]
        assert len(loops) == 1
        if loops[0]["state"] == "blocked" and loops[0]["late"] and report["threads"][loops[0]["thread"]]["system_call"]:
            return report
        assert time.monotonic() < until, "the loop never showed as blocked and late: {}".format(loops)


def check_waiting_requests(report, handler):
    waiting = [task for task in report["tasks"] if not task["running"] and task["state"] == "pending"]
    for way in WAYS_TO_WAIT:
        count = len([task for task in waiting if way in [frame["function"] for frame in task["stack"]]])
        assert abs(count - IN_FLIGHT / len(WAYS_TO_WAIT)) < 1, way
    running = [task for task in report["tasks"] if task["running"]]
    assert len(running) == 1
    assert running[0]["id"] == report["loops"][running[0]["loop"]]["current_task"]
    assert running[0]["wait"]["kind"] == "running"
    own = [frame for frame in running[0]["stack"] if frame["file"] == SERVICE]
    assert own, ([each["gaps"] for each in report["threads"]], report["gaps"], report["capture"], [f["function"] for f in report["threads"][0]["stack"]], report["threads"][0]["system_call"])
    assert own[0]["function"] == handler and own[0]["kind"] == "coroutine"
    return running[0]["stack"], own


@pytest.mark.parametrize("interpreter", interpreters.supported(), ids=lambda each: each.label)
def test_requests_get_to_a_stalled_server_is_named_with_its_peer(blocked_service, interpreter):
    block, stalled = blocked_service
    target, report = block(interpreter, "block_in_requests")
    stack, own = check_waiting_requests(report, "block_in_requests")
    assert own[0]["line"] == line_of("load_report().text")
    assert (own[1]["function"], own[1]["line"]) == ("load_report", line_of("return requests.get("))
    # Before 3.11 a code object does not know the class that its function was defined in.
    send = "HTTPAdapter.send" if interpreter.version >= (3, 11) else "send"
    assert any(frame["function"] == send and frame["file"].endswith("requests/adapters.py") for frame in stack)
    assert stack[-1]["file"].endswith("socket.py") and stack[-1]["name"] == "readinto"
    (loop,) = [loop for loop in report["loops"] if loop["state"] == "blocked"]
    call = report["threads"][loop["thread"]]["system_call"]
    assert call["descriptor"]["peer"] == "127.0.0.1:{}".format(stalled.port)
    assert call["descriptor"]["tcp_state"] == "ESTABLISHED"
    assert loop["late"]["seconds"] > 0


@pytest.mark.parametrize("interpreter", interpreters.supported(), ids=lambda each: each.label)
def test_time_sleep_in_a_handler_is_named_with_its_line(blocked_service, interpreter):
    block, _ = blocked_service
    target, report = block(interpreter, "block_in_sleep")
    stack, own = check_waiting_requests(report, "block_in_sleep")
    assert own[-1]["line"] == line_of("    time.sleep(")
    assert stack[-1] == own[-1]
    (loop,) = [loop for loop in report["loops"] if loop["state"] == "blocked"]
    call = report["threads"][loop["thread"]]["system_call"]
    assert call["name"] == ("clock_nanosleep" if interpreter.version >= (3, 11) else "pselect6")  # what time.sleep makes of it
    assert 0 < call["remaining_seconds"] <= 100000


def test_the_text_names_handler_line_and_peer(asyncspy, blocked_service, any_interpreter):
    block, stalled = blocked_service
    target, _ = block(any_interpreter, "block_in_requests")
    done = asyncspy.run("dump", target.pid)
    assert done.returncode in (0, 1) and done.stderr == b""
    text = done.stdout.decode()
    assert "{}:{}".format(SERVICE, line_of("load_report().text")) in text
    assert "block_in_requests" in text and "BLOCKED" in text
    assert "127.0.0.1:{}".format(stalled.port) in text
    assert "\x1b" not in text
