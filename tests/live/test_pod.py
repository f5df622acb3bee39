"""The committed manifests, played by podman: the sidecar from its scratch image beside a service of another distribution."""
import json
import os
import re
import shutil
import subprocess
import time
import urllib.parse

import pytest
import yaml

import interpreters
from conftest import ROOT
from pod_machine import PROGRAMS, PodMachine
from target import HERE, PATIENCE

KUBERNETES = os.path.join(ROOT, "scripts", "kubernetes")
SERVICE = os.path.join(HERE, "services", "hangs_on_order.py")
SERVICE_ROOT = "trixie"
CAPABILITIES = {"SYS_PTRACE": 1 << 19}
PORT = 9464
IMAGE = "localhost/asyncspy:0.1.0"


def manifest(name):
    with open(os.path.join(KUBERNETES, name)) as file:
        return list(yaml.safe_load_all(file))


@pytest.fixture(scope="module")
def machine(static_build):
    """Podman with the images of the manifests."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    missing += [] if SERVICE_ROOT not in interpreters.missing_roots() else ["the root {}: scripts/make-roots".format(SERVICE_ROOT)]
    missing += [] if os.geteuid() == 0 else ["root's rights"]
    problem = "missing: " + ", ".join(missing) if missing else ""
    podman = None
    if not problem:
        try:
            podman = PodMachine()
            podman.podman("info")
        except AssertionError as error:
            problem = str(error)
    if problem and podman:
        podman.close()
    if problem and not interpreters.required():
        pytest.skip("podman can not run here, " + problem)
    assert not problem, "podman can not run here, " + problem
    program = os.path.join(static_build, "asyncspy")
    try:
        image = podman.run(os.path.join(ROOT, "scripts", "container", "build"), "", program).strip()
        assert image == IMAGE
        changes = ('ENTRYPOINT ["python3", "/srv/service.py"]', "ENV PATH=/usr/bin")
        root = os.path.join(interpreters.ROOTS, SERVICE_ROOT)
        podman.import_root("localhost/service:latest", root, {"/srv/service.py": SERVICE}, *changes)
        podman.import_root("localhost/probed-service:latest", root, {"/srv/service.py": SERVICE, "/usr/bin/asyncspy": program}, *changes)
        yield podman
    finally:
        podman.close()


@pytest.fixture
def play(machine):
    """Plays a manifest and takes the pod down after the test."""
    played = []

    def play_file(path):
        machine.play(path)
        played.append(path)

    yield play_file
    for path in played:
        machine.podman("kube", "down", path)


def wait_for(what, question):
    """The first answer that is not empty. Bounded: without one the test fails."""
    until = time.monotonic() + PATIENCE
    while True:
        answer = question()
        if answer:
            return answer
        assert time.monotonic() < until, "no {} within {} s".format(what, PATIENCE)
        time.sleep(0.05)


def events(machine, container="service-asyncspy"):
    """What asyncspy watch has said so far, one object a line."""
    done = machine.call("podman", "logs", container)
    assert done.returncode == 0 and done.stderr == b"", (done.returncode, done.stderr)
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


def first_event(machine, name, container="service-asyncspy"):
    return wait_for(name, lambda: next((each for each in events(machine, container) if each["event"] == name), None))


def wait_until_up(machine, container):
    wait_for("sign of life of " + container, lambda: "up" in machine.podman("logs", container).split())


def get(machine, container, path):
    """Asks the container's server over HTTP, as a neighbour in its network namespace."""
    pid = machine.inspect(container)["State"]["Pid"]
    url = "http://127.0.0.1:{}{}".format(PORT, path)
    program = "import sys, urllib.request; sys.stdout.write(urllib.request.urlopen(sys.argv[1], timeout=30).read().decode())"
    return machine.run("nsenter", "--target", pid, "--net", "/usr/bin/python3", "-c", program, url)


def expected_capabilities(security):
    assert security["capabilities"]["drop"] == ["ALL"]
    return sum(CAPABILITIES[name] for name in security["capabilities"].get("add", ()))


def check_rights(machine, container, security):
    """That the container's process has the rights of its manifest, and no others."""
    status = machine.status_of(container)
    assert {int(status[name], 16) for name in ("CapPrm", "CapEff")} == {expected_capabilities(security)}
    assert int(status["CapBnd"], 16) == expected_capabilities(security)
    assert int(status["CapInh"], 16) | int(status["CapAmb"], 16) == 0
    assert status["NoNewPrivs"] == "1" and security["allowPrivilegeEscalation"] is False
    assert status["Uid"].split() == [str(security["runAsUser"])] * 4 and status["Gid"].split() == [str(security["runAsGroup"])] * 4
    assert status["Seccomp"] == "2"
    mounts = machine.run("cat", "/proc/{}/mountinfo".format(machine.inspect(container)["State"]["Pid"])).splitlines()
    (options,) = [line.split()[5].split(",") for line in mounts if line.split()[4] == "/"]
    assert ("ro" in options) == security["readOnlyRootFilesystem"] is True


def security_of(pod, container):
    (found,) = [each["securityContext"] for each in pod["spec"]["containers"] if each["name"] == container]
    return found


def metric_values(text, name):
    """The samples of a metric: value by labels."""
    found = {}
    for line in text.splitlines():
        if line.startswith(name + "{") or line.startswith(name + " "):
            labels, value = line[len(name):].rsplit(" ", 1)
            found[labels] = float(value)
    return found


def test_the_sidecar_keeps_the_incident_of_a_hung_service(asyncspy, machine, play, tmp_path):
    (pod,) = manifest("sidecar.yaml")
    play(os.path.join(KUBERNETES, "sidecar.yaml"))
    wait_until_up(machine, "service-service")
    target = first_event(machine, "target")
    assert target["python"].startswith("3.13.") and "service.py" in target["command"]
    assert (target["container"], target["pod"]) == (machine.inspect("service-service")["Id"], json.loads(machine.podman("pod", "inspect", "service"))["Id"])
    assert target["pid"] == target["namespace_pid"] > 1  # one namespace for both, with a process 1 of its own
    for container in ("service", "asyncspy"):
        check_rights(machine, "service-" + container, security_of(pod, container))
    done = machine.call("podman", "exec", "service-asyncspy", "asyncspy", "dump", target["pid"], "--output", "/report")
    assert done.returncode == 6 and b"Read-only file system" in done.stderr
    assert get(machine, "service-asyncspy", "/healthz") == "ok\n"

    machine.podman("kill", "--signal", "USR1", "service-service")
    incident = first_event(machine, "incident")
    assert (incident["trigger"], incident["pid"]) == ("stall", target["pid"])
    assert incident["culprit"]["function"] in ("read_answer", "fetch_rate") and incident["culprit"]["file"] == "/srv/service.py"
    volume = json.loads(machine.podman("volume", "inspect", "incidents"))[0]["Mountpoint"]
    assert machine.run("ls", "-A", volume).split() == [incident["file"]]
    report = json.loads(machine.run("cat", os.path.join(volume, incident["file"])))
    assert report["incident"]["id"] == incident["id"] and report["incident"]["samples"]
    assert [each["state"] for each in report["loops"]] == ["blocked"] and len(report["tasks"]) == 22
    assert get(machine, "service-asyncspy", "/incidents/" + urllib.parse.quote(incident["file"])) == machine.run("cat", os.path.join(volume, incident["file"]))
    copy = tmp_path / "incident.json"
    copy.write_text(json.dumps(report))
    assert b"read_answer" in asyncspy.run("show", copy).stdout

    metrics = get(machine, "service-asyncspy", "/metrics")
    counts = metric_values(metrics, "asyncspy_incidents_total")
    assert {labels: value for labels, value in counts.items() if value} == {next(each for each in counts if 'trigger="stall"' in each): 1.0}
    assert list(metric_values(metrics, "asyncspy_target_up").values()) == [1.0]
    assert sum(metric_values(metrics, "asyncspy_loop_blocked_seconds_total").values()) > 1


def test_a_liveness_probe_needs_no_right_at_all(machine, play):
    (pod,) = manifest("liveness-probe.yaml")
    play(os.path.join(KUBERNETES, "liveness-probe.yaml"))
    container = "probed-service-service"
    wait_until_up(machine, container)
    check_rights(machine, container, security_of(pod, "service"))
    assert int(machine.status_of(container)["CapEff"], 16) == 0

    # Podman 4.3 takes the arguments of a probe for those of its shell, so it is run as the kubelet does: in the container.
    command = pod["spec"]["containers"][0]["livenessProbe"]["exec"]["command"]

    def probe():
        return machine.call("podman", "exec", container, *command)

    status = machine.podman("exec", container, "python3", "-c", "print(open('/proc/self/status').read())")
    assert re.findall(r"^Cap(?:Prm|Eff):\t(\w+)$", status, flags=re.MULTILINE) == ["0" * 16] * 2 and "NoNewPrivs:\t1" in status
    assert probe().returncode == 0
    machine.podman("kill", "--signal", "USR1", container)
    wait_for("failing probe", lambda: probe().returncode == 1)


def flags_for(security):
    """A container's rights as options of podman run."""
    assert security["allowPrivilegeEscalation"] is False and security["readOnlyRootFilesystem"] is True
    capabilities = security["capabilities"]
    return ["--user={runAsUser}:{runAsGroup}".format(**security), "--security-opt=no-new-privileges", "--read-only", "--read-only-tmpfs=false",
            *("--cap-drop=" + each for each in capabilities["drop"]), *("--cap-add=" + each for each in capabilities["add"])]


def test_an_ephemeral_container_looks_into_a_running_pod(machine, play):
    """By the rights of the recipe, in the service's process namespace, where that is process 1."""
    (rights,) = manifest("ephemeral-container.yaml")
    play(os.path.join(KUBERNETES, "liveness-probe.yaml"))
    wait_until_up(machine, "probed-service-service")

    def look(*arguments):
        return machine.call("podman", "run", "--rm", "--pod=probed-service", "--pid=container:probed-service-service",
                            *flags_for(rights["securityContext"]), IMAGE, *arguments)

    rows = [line.split() for line in look("ps").stdout.decode().splitlines()]
    assert [row[0] for row in rows if row[2] == "yes"] == ["1"]  # as kubectl-asyncspy reads it
    machine.podman("kill", "--signal", "USR1", "probed-service-service")
    done = wait_for("blocked loop", lambda: next((each for each in [look("dump", "1")] if each.returncode == 1), None))
    assert b"LOOP  BLOCKED" in done.stdout and b"read_answer" in done.stdout and done.stderr == b""


def test_the_daemon_set_sees_the_pods_of_its_node(machine, play):
    """Podman knows no DaemonSet, and 4.3 no hostPID: its container is run with the rights and arguments of the manifest, among
    all processes of this machine."""
    (daemon_set,) = [each for each in manifest("node.yaml") if each["kind"] == "DaemonSet"]
    pod = daemon_set["spec"]["template"]
    assert pod["spec"]["hostPID"] is True
    (container,) = pod["spec"]["containers"]
    play(os.path.join(KUBERNETES, "liveness-probe.yaml"))
    wait_until_up(machine, "probed-service-service")
    machine.podman("run", "--detach", "--name=node-asyncspy", "--pid=host", "--network=none", *flags_for(container["securityContext"]),
                   "--mount=type=tmpfs,destination=" + container["volumeMounts"][0]["mountPath"], container["image"], *container["args"])
    try:
        check_rights(machine, "node-asyncspy", container["securityContext"])
        pid = machine.inspect("probed-service-service")["State"]["Pid"]
        target = wait_for("target", lambda: next((each for each in events(machine, "node-asyncspy") if each["event"] == "target" and each["pid"] == pid), None))
        assert target["namespace_pid"] == 1 and "service.py" in target["command"]
        machine.podman("kill", "--signal", "USR1", "probed-service-service")
        assert first_event(machine, "incident", "node-asyncspy")["pid"] == pid
    finally:
        machine.podman("rm", "--force", "--time=5", "node-asyncspy")


def test_nothing_of_the_pods_is_left(machine, tmp_path):
    """Ends a second machine with a pod in it, beside the one of the other tests."""
    before = traces_of_podman()
    path = tmp_path / "left-over.json"
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "left-over"}, "spec": {"containers": []}}))
    other = PodMachine()
    try:
        other.play(path)
        (pod,) = other.pods
        assert cgroups_of(pod)
        assert machine.podman("pod", "ps", "--quiet", "--no-trunc").split() == []
    finally:
        other.close()
    assert cgroups_of(pod) == []
    assert traces_of_podman() == before
    assert not os.path.exists(other.folder)


def traces_of_podman():
    """What it would keep outside of the folders that are its own for these tests."""
    return [path for path in ("/run/libpod", "/run/crun", "/run/containers", "/run/netns", "/dev/shm/libpod_lock", "/etc/cni/net.d/cni.lock",
                              "/var/lib/cni/networks", "/var/lib/containers/storage") if os.path.exists(path)]


def cgroups_of(pod):
    return subprocess.run(["find", "/sys/fs/cgroup", "-name", pod], stdout=subprocess.PIPE, timeout=PATIENCE, check=True).stdout.split()
