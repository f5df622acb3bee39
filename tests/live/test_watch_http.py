"""The HTTP of `asyncspy watch`: right numbers in Prometheus' format, nothing from outside of its directory, and no client who keeps others
from their answer."""
import json
import os
import random
import re
import shutil
import socket
import subprocess
import tempfile
import time

import pytest

import interpreters
from target import PATIENCE, SITUATIONS
from watcher import WATCHED, wait_until_let_go

LISTEN = ("--listen", "127.0.0.1:0", "--interval", "10ms")


@pytest.fixture
def server(serve, watch):
    """A watch with one incident, and what belongs to it."""
    target = serve("blocked")
    running = watch(*LISTEN, "--stall", "100ms", target.pid)
    running.incident = running.wait_for("incident", suppressed=None)
    running.target = target
    return running


def send(port, data, wait=True):
    """Raw bytes; what is answered until the end of the connection, or None when it was refused."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        try:
            connection.sendall(data)
            if not wait:
                return None
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            while len(answer) < 1 << 20:
                part = connection.recv(1 << 16)
                if not part:
                    break
                answer += part
            return answer
        except ConnectionError:
            return b""


def status_of(answer):
    found = re.match(rb"HTTP/1\.[01] (\d{3})", answer)
    return int(found.group(1)) if found else None


def check_alive(running):
    assert running.get("/healthz")[::2] == (200, b"ok\n")
    assert running.process.poll() is None
    wait_until_let_go(running.target.pid)


# Numbers --------------------------------------------------------------------------------------------------------------------


def find_promtool():
    program = shutil.which("promtool")
    if not program and not interpreters.required():
        pytest.skip("no promtool here: scripts/install-packages tests")
    assert program, "no promtool here: scripts/install-packages tests"
    return program


def check_format(text):
    done = subprocess.run([find_promtool(), "check", "metrics"], input=text.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b""), (done, text)


def test_the_metrics_are_as_prometheus_wants_them(serve, watch):
    first, second = serve("blocked"), serve("idle")
    running = watch(*LISTEN, "--stall", "100ms", first.pid, second.pid)
    check_format(running.metrics().text)
    running.wait_for("incident")
    check_format(running.metrics().text)
    first.process.kill()
    first.process.wait(PATIENCE)
    running.wait_for("target_ended")
    check_format(running.metrics().text)
    status, kind, _ = running.get("/metrics")
    assert status == 200 and kind.startswith("text/plain") and "version=0.0.4" in kind
    running.stop()


def test_promtool_finds_what_is_wrong():
    """What the test above relies on."""
    done = subprocess.run([find_promtool(), "check", "metrics"], input=b"# TYPE a counter\na 1\na 2\n", stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=PATIENCE, check=False)
    assert done.returncode != 0


def test_stalls_are_counted_and_their_time_is(stalling, watch):
    running = watch(*LISTEN, "--stall", "100ms", "--lag", 0, "--survey", 0, "--rate", 0, stalling.pid)
    labels = {"pid": str(stalling.pid)}
    running.wait_for("target")
    running.wait_for_samples(stalling.pid)
    before = running.metrics()
    assert before.value("asyncspy_loop_stalls_total", **labels) == 0 == before.value("asyncspy_loop_blocked_seconds_total", **labels)
    # Steps below the threshold are none.
    entries = [stalling.stall("sleep_soundly", "in_own_task", seconds)[0] for seconds in (0.02, 0.3, 0.05, 0.2, 0.4)]
    running.wait_for("stall_ended", 3)
    running.wait_for("incident", 3)
    after = running.metrics()
    check_format(after.text)
    assert after.value("asyncspy_loop_stalls_total", **labels) == 3
    long = [each for each in entries if each["end"] - each["begin"] > 0.1]
    assert len(long) == 3
    said = sum(each["seconds"] for each in running.of("stall_ended"))
    blocked = after.value("asyncspy_loop_blocked_seconds_total", **labels)
    assert 0.3 <= blocked <= sum(each["after"] - each["before"] for each in long) and abs(blocked - said) < 1e-3
    assert after.value("asyncspy_incidents_total", trigger="stall", **labels) == 3
    assert sum(value for _, value in after.all("asyncspy_incidents_total", **labels)) == 3
    check_histogram(after, labels, at_least=0.2)
    assert after.value("asyncspy_target_pause_seconds_total", **labels) == pytest.approx(
        sum(each["pause_ms"] or 0 for each in running.of("incident")) / 1e3, rel=0.01, abs=1e-5)
    running.stop()


def check_histogram(metrics, labels, at_least):
    """Its buckets grow, end with all, and the lag of a stall is in one of them."""
    buckets = [(float(found["le"]), value) for found, value in metrics.all("asyncspy_loop_lag_seconds_bucket", **labels)]
    assert buckets == sorted(buckets) and [value for _, value in buckets] == sorted(value for _, value in buckets)
    count = metrics.value("asyncspy_loop_lag_seconds_count", **labels)
    assert buckets[-1] == (float("inf"), count) and count > 0
    assert count - max(value for bound, value in buckets if bound <= at_least) > 0
    assert metrics.value("asyncspy_loop_lag_seconds_sum", **labels) >= at_least


def test_a_stall_that_lasts_is_in_the_blocked_time_already(server):
    labels = {"pid": str(server.target.pid)}
    first = server.metrics().value("asyncspy_loop_blocked_seconds_total", **labels)
    assert first > 0
    server.wait_for_metric(lambda now: now.value("asyncspy_loop_blocked_seconds_total", **labels) > first, "the blocked time does not grow")
    assert server.metrics().value("asyncspy_loop_stalls_total", **labels) == 1
    server.stop()


def test_tasks_findings_and_ready_handles_are_those_of_the_target(serve, start, any_interpreter, watch, asyncspy):
    idle = serve("idle")
    stuck = start(any_interpreter, os.path.join(SITUATIONS, "pitfalls.py"), "lock_order")
    stuck.next_report()
    busy = serve("busy")
    running = watch(*LISTEN, "--survey", "200ms", idle.pid, stuck.pid, busy.pid)
    metrics = running.wait_for_metric(lambda now: all(now.all("asyncspy_tasks", pid=str(each.pid)) for each in (idle, stuck, busy)), "no survey")
    check_format(metrics.text)
    assert metrics.value("asyncspy_tasks", pid=str(idle.pid), state="pending") == len(asyncspy.dump(idle.pid)["tasks"]) == 62
    assert metrics.value("asyncspy_findings", pid=str(stuck.pid), rule="P08", confidence="proven") == 1
    assert metrics.value("asyncspy_findings", default=0, pid=str(idle.pid), confidence="proven") == 0
    running.wait_for_metric(lambda now: now.value("asyncspy_loop_ready_handles", pid=str(busy.pid)) > 0, "nothing is ever ready")
    assert running.metrics().value("asyncspy_loop_ready_handles", pid=str(idle.pid)) == 0
    assert metrics.value("asyncspy_targets") == 3 == metrics.value("asyncspy_target_up")
    running.stop()


def test_its_own_cost_is_what_the_kernel_says(server):
    metrics = server.metrics()
    with open("/proc/{}/stat".format(server.pid)) as file:
        fields = file.read().rsplit(")", 1)[1].split()
    used = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    assert 0 < metrics.value("process_cpu_seconds_total") <= used + 0.05
    with open("/proc/{}/status".format(server.pid)) as file:
        resident = int(re.search(r"VmRSS:\s*(\d+)", file.read()).group(1)) * 1024
    assert metrics.value("process_resident_memory_bytes") == pytest.approx(resident, rel=0.2)
    (labels, value), = metrics.all("asyncspy_build_info")
    assert value == 1 and labels["version"] == server.of("started")[0]["version"]
    server.stop()


@pytest.fixture
def short_folder():
    """Whose name leaves room for others: labels are not long."""
    path = tempfile.mkdtemp(prefix="a")
    yield path
    shutil.rmtree(path)


def test_labels_are_escaped(start, any_interpreter, watch, short_folder):
    program = os.path.join(short_folder, 'a "b" \\c {d="e"}\n# f\x1b[31m.py')
    shutil.copy(WATCHED, program)
    # The last two are no UTF-8: a byte that begins nothing, and half of a surrogate pair.
    target = start(any_interpreter, program, "idle", *(os.fsdecode(each) for each in (b"\xe2\x98\x83", b"\xff", b"\xed\xa0\x80")))
    target.next_report()
    running = watch(*LISTEN, target.pid)
    running.wait_for("target")
    running.wait_for_samples(target.pid)
    metrics = running.metrics()
    check_format(metrics.text)
    command, = {found["command"] for found, _ in metrics.all("asyncspy_target_up")}
    for part in ('"b"', '{d="e"}', "# f", " idle"):
        assert part in command, command
    assert "\x1b" not in metrics.text and b"\x1b" not in json.dumps(running.events).encode()
    running.stop()


# Files -----------------------------------------------------------------------------------------------------------------------


def test_incidents_are_listed_and_given_as_they_are(server, tmp_path):
    status, kind, body = server.get("/incidents")
    assert status == 200 and kind.startswith("application/json")
    listed = json.loads(body.decode())
    path = os.path.join(server.directory, server.incident["file"])
    assert [each["name"] for each in listed] == [server.incident["file"]] == server.files()
    assert listed[0]["bytes"] == os.stat(path).st_size and listed[0]["time"]
    status, kind, body = server.get("/incidents/" + server.incident["file"])
    with open(path, "rb") as file:
        assert (status, body) == (200, file.read())
    assert kind.startswith("application/json")
    assert server.get("/incidents/asyncspy-20200101T000000.000Z-1-stall.json")[0] == 404
    server.stop()


SECRET = "a secret of this machine"
WAYS_OUT = ["/incidents/../secret", "/incidents/..%2fsecret", "/incidents/%2e%2e/secret", "/incidents/%2e%2e%2fsecret", "/incidents/..%5csecret",
            "/incidents/..%252fsecret", "/incidents/%c0%ae%c0%ae/secret", "/incidents/./../secret", "/incidents/x/../../secret", "/incidents//{secret}",
            "/incidents/{secret}", "/incidents/%2f{secret}", "//{secret}", "/../secret", "/{secret}", "{secret}", "/incidents/..", "/incidents/.", "/incidents/",
            "/incidents/asyncspy-20200101T000000.000Z-1-stall.json", "/incidents/asyncspy-20200101T000000.001Z-1-stall.json", "/incidents/secret.json",
            "/incidents/.asyncspy-1-1.partial", "/incidents/%00", "/incidents/secret%00.json", "/incidents/asyncspy-x.json/../../secret",
            "/incidents/asyncspy-20200101T000000.002Z-1-stall.json/secret", "/snapshot/../secret", "/metrics/../../secret", "/incidents?name=../secret",
            "/incidents/asyncspy-20200101T000000.003Z-1-stall.json", "http://127.0.0.1/incidents/../secret", "file:///{secret}", "/incidents/%2e%2e%2f" * 20]


def test_no_path_leads_out_of_the_directory(server, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    inside = tmp_path / "incidents"
    (inside / "secret.json").write_text(SECRET)  # not a name of an incident
    (inside / ".asyncspy-1-1.partial").write_text(SECRET)
    (inside / "asyncspy-20200101T000000.000Z-1-stall.json").symlink_to(secret)
    (inside / "asyncspy-20200101T000000.001Z-1-stall.json").symlink_to("../secret")
    (inside / "asyncspy-20200101T000000.002Z-1-stall.json").symlink_to(tmp_path)
    os.mkfifo(str(inside / "asyncspy-20200101T000000.003Z-1-stall.json"))
    for way in WAYS_OUT:
        request = "GET {} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n".format(way.format(secret=str(secret)))
        answer = send(server.port, request.encode())
        assert SECRET.encode() not in answer, way
        if way.split("?")[0] in ("/incidents", "/incidents/"):
            assert status_of(answer) in (200, 404) and b"secret" not in answer and b"20200101" not in answer, (way, answer)
        else:
            assert status_of(answer) in (400, 403, 404), (way, answer)
        check_alive(server)
    server.stop(partial=1)


# Clients that mean no good -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "NONSENSE"])
def test_nothing_but_reading_is_allowed(server, method):
    for path in ("/metrics", "/incidents/" + server.incident["file"], "/snapshot?pid={}".format(server.target.pid)):
        answer = send(server.port, "{} {} HTTP/1.1\r\nHost: here\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc".format(method, path).encode())
        assert status_of(answer) in (400, 404, 405, 501, None), answer
    assert server.files() == [server.incident["file"]]
    check_alive(server)
    server.stop()


def test_head_has_no_body(server):
    answer = send(server.port, b"HEAD /healthz HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
    assert status_of(answer) in (200, 405, 501) and not answer.split(b"\r\n\r\n", 1)[1].startswith(b"ok")
    check_alive(server)
    server.stop()


def test_garbage_is_refused_and_others_are_answered(server):
    noise = random.Random(3)
    requests = [b"", b"\r\n" * 100, b"GET", b"GET / HTTP/9.9\r\n\r\n", b"GET /\r\n\r\n", b"\0" * 1000, b"GET / HTTP/1.1\r\nbroken\r\n\r\n",
                b"GET /healthz HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"GET /healthz HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
                b"GET /healthz HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nZZZ\r\n", b"GET /healthz HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
                b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET /snapshot?pid=%00 HTTP/1.1\r\n\r\n", b"GET /%zz%1 HTTP/1.1\r\nHost: here\r\n\r\n"]
    requests += [bytes(noise.randrange(256) for _ in range(noise.randrange(1, 3000))) for _ in range(100)]
    requests += [b"GET " + bytes(noise.randrange(256) for _ in range(noise.randrange(1, 300))) + b" HTTP/1.1\r\n\r\n" for _ in range(100)]
    for request in requests:
        send(server.port, request)
    check_alive(server)
    server.stop()


@pytest.mark.parametrize("request_of", [lambda size: b"GET /" + b"a" * size + b" HTTP/1.1\r\n\r\n",
                                        lambda size: b"GET /healthz?" + b"a" * size + b" HTTP/1.1\r\n\r\n",
                                        lambda size: b"GET /healthz HTTP/1.1\r\nX: " + b"a" * size + b"\r\n\r\n",
                                        lambda size: b"GET /healthz HTTP/1.1\r\n" + b"X: a\r\n" * (size // 6) + b"\r\n",
                                        lambda size: b"POST /healthz HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % size + b"a" * size,
                                        lambda size: b"G" * size], ids=["uri", "query", "header", "headers", "body", "method"])
def test_what_is_too_large_is_refused_and_not_kept(server, request_of):
    before = resident_bytes(server.pid)
    for _ in range(3):
        answer = send(server.port, request_of(16 << 20))
        assert status_of(answer) != 200, answer[:100]
    check_alive(server)
    assert resident_bytes(server.pid) - before < 16 << 20
    server.stop()


def resident_bytes(pid):
    with open("/proc/{}/status".format(pid)) as file:
        return int(re.search(r"VmRSS:\s*(\d+)", file.read()).group(1)) * 1024


def wait_for_answer(port):
    """Bounded: somebody else's healthy request is answered, though perhaps not at the first try."""
    until = time.monotonic() + PATIENCE
    while True:
        answer = send(port, b"GET /healthz HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
        if answer.endswith(b"ok\n"):
            return
        assert time.monotonic() < until, answer
        time.sleep(0.1)


def test_clients_that_never_finish_do_not_keep_others_out(server):
    """More than it takes at a time: silent ones, and such that stop in the middle of a header or a body."""
    beginnings = (b"", b"GET /metrics HTTP/1.1\r\nHost: he", b"GET /healthz HTTP/1.1\r\nContent-Length: 100\r\n\r\nabc")
    connections = []
    try:
        for number in range(100):
            connections.append(socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE))
            connections[-1].sendall(beginnings[number % 3])
        wait_for_answer(server.port)
        assert len(os.listdir("/proc/{}/fd".format(server.pid))) < 200
        wait_until_let_go(server.target.pid)
    finally:
        for each in connections:
            each.close()
    check_alive(server)
    server.stop()


def test_a_client_that_does_not_read_its_answers_is_no_burden(server):
    connections = [socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) for _ in range(8)]
    for each in connections:
        each.settimeout(0.2)
        try:
            for _ in range(2000):
                each.sendall("GET /incidents/{} HTTP/1.1\r\nHost: here\r\n\r\n".format(server.incident["file"]).encode())
        except OSError:  # it takes no more
            pass
    wait_for_answer(server.port)
    assert resident_bytes(server.pid) < 256 << 20
    for each in connections:
        each.close()
    check_alive(server)
    server.stop()


def test_requests_at_once_are_all_answered(server):
    expected = {"/healthz": 200, "/metrics": 200, "/incidents": 200, "/snapshot?pid={}".format(server.target.pid): 200, "/nothing": 404}
    connections = []
    for path in list(expected) * 6:
        connections.append((path, socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)))
        connections[-1][1].sendall("GET {} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n".format(path).encode())
    for path, each in connections:
        answer = b""
        while True:
            part = each.recv(1 << 16)
            if not part:
                break
            answer += part
        each.close()
        allowed = {expected[path], 503, 429} if path.startswith("/snapshot") else {expected[path]}
        assert status_of(answer) in allowed, (path, answer[:200])
    check_alive(server)
    server.stop()


def test_it_listens_where_it_was_told_to_and_nowhere_by_default(serve, watch, asyncspy, tmp_path):
    target = serve("idle")
    running = watch("--listen", "127.0.0.1:0", target.pid)
    event = running.wait_for("listening")
    assert event["address"] == "127.0.0.1" and running.get("/healthz")[0] == 200
    refused = asyncspy.run("watch", "--directory", tmp_path / "other", "--listen", "127.0.0.1:{}".format(event["port"]), target.pid)
    assert refused.returncode == 2 and b"hint: " in refused.stderr, refused
    silent = watch(target.pid, directory=tmp_path / "silent")
    silent.wait_for("target")
    assert not silent.of("listening") and not listening_sockets(silent.pid) and listening_sockets(running.pid)
    silent.stop()
    running.stop()


def listening_sockets(pid):
    own = set()
    for each in os.listdir("/proc/{}/fd".format(pid)):
        try:
            own.add(os.readlink("/proc/{}/fd/{}".format(pid, each)))
        except OSError:
            continue
    found = []
    for table in ("tcp", "tcp6"):
        with open("/proc/net/" + table) as file:
            found += [line.split() for line in list(file)[1:]]
    return [each[1] for each in found if each[3] == "0A" and "socket:[{}]".format(each[9]) in own]
