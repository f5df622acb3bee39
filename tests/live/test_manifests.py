"""The manifests ask for no more rights than their README says, and agree with the program that they start."""
import glob
import os
import re
import shutil
import subprocess

import pytest
import yaml

import interpreters
from conftest import ROOT
from target import PATIENCE

FOLDER = os.path.join(ROOT, "scripts", "kubernetes")
LEAST = {"runAsUser": 0, "runAsGroup": 0, "runAsNonRoot": False, "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
         "capabilities": {"drop": ["ALL"], "add": ["SYS_PTRACE"]}}
NOTHING = {"runAsNonRoot": True, "runAsUser": 10001, "runAsGroup": 10001, "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
           "capabilities": {"drop": ["ALL"]}}
POD_FIELDS = {"containers", "volumes", "securityContext", "automountServiceAccountToken"}


def load(name):
    with open(os.path.join(FOLDER, name)) as file:
        return list(yaml.safe_load_all(file))


def pod_of(name):
    """The pod of a manifest, its own or of its template."""
    (found,) = [each for each in load(name) if each["kind"] in ("Pod", "DaemonSet")]
    return found["spec"] if found["kind"] == "Pod" else found["spec"]["template"]["spec"]


def containers_of(name):
    return {each["name"]: each for each in pod_of(name)["containers"]}


@pytest.mark.parametrize("name, more", [("sidecar.yaml", {"shareProcessNamespace"}), ("node.yaml", {"hostPID"}), ("liveness-probe.yaml", set())])
def test_a_pod_has_the_least_rights(name, more):
    pod = pod_of(name)
    assert set(pod) - {"volumes"} == (POD_FIELDS | more) - {"volumes"} and all(pod[field] is True for field in more)
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"] == {"seccompProfile": {"type": "RuntimeDefault"}}
    for container, spec in containers_of(name).items():
        assert spec["securityContext"] == (LEAST if container == "asyncspy" else NOTHING)
        assert all(set(port) == {"name", "containerPort"} for port in spec.get("ports", ()))  # none of the node's
    for volume in pod.get("volumes", ()):
        assert set(volume) == {"name", "emptyDir"} and volume["emptyDir"]["sizeLimit"]


def test_the_ephemeral_container_has_the_rights_of_the_sidecar():
    (recipe,) = load("ephemeral-container.yaml")
    assert recipe == {"securityContext": {**LEAST, "seccompProfile": {"type": "RuntimeDefault"}}}


def bytes_of(text):
    number, unit = re.fullmatch(r"(\d+)([A-Za-z]*)", text).groups()
    return int(number) * {"M": 10**6, "G": 10**9, "Mi": 1 << 20, "Gi": 1 << 30}[unit]


@pytest.mark.parametrize("name", ["sidecar.yaml", "node.yaml"])
def test_the_watcher_is_started_with_options_that_it_has(asyncspy, name):
    watcher = containers_of(name)["asyncspy"]
    arguments = watcher["args"]
    help_text = asyncspy.run(arguments[0], "--help").stdout.decode()
    assert arguments[0] == "watch" and "--all" in arguments
    for option in filter(lambda each: each.startswith("--"), arguments):
        assert re.search(r"^  (\S+,)?{}\b".format(re.escape(option)), help_text, flags=re.MULTILINE), option
    value = dict(zip(arguments, arguments[1:]))
    port = int(value["--listen"].rsplit(":", 1)[1])
    assert [each["containerPort"] for each in watcher["ports"]] == [port] == [watcher["livenessProbe"]["httpGet"]["port"]]
    (volume,) = pod_of(name)["volumes"]
    assert watcher["volumeMounts"] == [{"name": volume["name"], "mountPath": value["--directory"]}]
    assert bytes_of(value["--keep-bytes"]) < bytes_of(volume["emptyDir"]["sizeLimit"])
    (policy,) = load("network-policy.yaml")
    assert policy["spec"]["ingress"][0]["ports"] == [{"port": port}]


def test_the_probe_has_more_time_than_it_takes(asyncspy):
    probe = containers_of("liveness-probe.yaml")["service"]["livenessProbe"]
    program, command, pid, option, seconds = probe["exec"]["command"]
    assert (program, command, pid) == ("asyncspy", "check", "1")
    assert option in asyncspy.run("check", "--help").stdout.decode()
    assert int(seconds.rstrip("s")) < probe["timeoutSeconds"] < probe["periodSeconds"]


def test_all_names_of_the_image_are_of_this_version(asyncspy):
    version = asyncspy.run("--version").stdout.decode().split()[1]
    found = set()
    for path in glob.glob(os.path.join(FOLDER, "*")):
        with open(path) as file:
            found |= {(os.path.basename(path), tag) for tag in re.findall(r"localhost/asyncspy:([\w.]+\w)", file.read())}
    assert {tag for _, tag in found} == {version}
    assert {"sidecar.yaml", "node.yaml", "liveness-probe.yaml", "kubectl-asyncspy", "README.md"} <= {name for name, _ in found}


def test_the_readme_lists_every_file():
    with open(os.path.join(FOLDER, "README.md")) as file:
        listed = set(re.findall(r"^\| `([^`]+)`", file.read(), flags=re.MULTILINE))
    assert listed == set(os.listdir(FOLDER)) - {"README.md"}


def test_the_scrape_configuration_is_valid(tmp_path):
    """But for the discovery of pods, which Debian's promtool is built without: a fixed address is in its place."""
    (configuration,) = load("prometheus.yml")
    (job,) = configuration["scrape_configs"]
    ports = {port["name"] for name in ("sidecar.yaml", "node.yaml") for port in containers_of(name)["asyncspy"]["ports"]}
    assert ports == {rule["regex"] for rule in job["relabel_configs"] if rule.get("action") == "keep"}
    assert job.pop("kubernetes_sd_configs") == [{"role": "pod"}]
    job["static_configs"] = [{"targets": ["127.0.0.1:9464"]}]
    path = tmp_path / "prometheus.yml"
    path.write_text(yaml.safe_dump(configuration))
    if shutil.which("promtool") is None and not interpreters.required():
        pytest.skip("no promtool here")
    done = subprocess.run(["promtool", "check", "config", str(path)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stdout.decode()
