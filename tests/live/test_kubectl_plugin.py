"""The plugin of kubectl, against a stand-in that records what it is called with."""
import json
import os
import shutil
import subprocess

import pytest
import yaml

import interpreters
from conftest import ROOT
from target import HERE, PATIENCE

FOLDER = os.path.join(ROOT, "scripts", "kubernetes")
PLUGIN = os.path.join(FOLDER, "kubectl-asyncspy")

TABLE = "    PID  PYTHON     ASYNCIO  LOOPS             TASKS  FINDINGS  COMMAND\n"
SERVICE = "      7  3.13.5     yes      1 (BLOCKED)         12         1  python3 service.py\n"
WORKER = "     31  3.13.5     yes      1                    3         0  python3 worker.py\n"
OTHER = "     40  3.13.5     no       -                    -         0  python3 batch.py\n"
FIRST_CONTAINER = [["{.spec.containers[0].name}"], {"out": "shop"}]
NO_DEFAULT = [["default-container"], {"out": ""}]
CREATED = [["debug"], {}]
ENDED = [["ephemeralContainerStatuses"], {"out": "//0"}]


class Kubectl:
    def __init__(self, folder):
        self.folder = folder
        shutil.copy(os.path.join(HERE, "kubectl_stand_in.py"), folder / "kubectl")
        os.chmod(folder / "kubectl", 0o755)

    def run(self, answers, *arguments, **variables):
        """Runs the plugin as kubectl would. Its temporary files go into a folder that has to be empty afterwards."""
        temporary = self.folder / "tmp"
        temporary.mkdir()
        (self.folder / "answers").write_text(json.dumps(answers))
        environment = {"PATH": "{}:{}".format(self.folder, os.environ["PATH"]), "TMPDIR": str(temporary),
                       "KUBECTL_ANSWERS": str(self.folder / "answers"), "KUBECTL_CALLS": str(self.folder / "calls"), **variables}
        done = subprocess.run([PLUGIN, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment,
                              timeout=PATIENCE, check=False)
        assert not os.listdir(temporary)
        return done

    def calls(self):
        if not (self.folder / "calls").exists():
            return []
        return [json.loads(line) for line in (self.folder / "calls").read_text().splitlines()]

    def debugs(self):
        return [call for call in self.calls() if "debug" in call["arguments"]]


@pytest.fixture
def kubectl(tmp_path):
    return Kubectl(tmp_path)


def after_dashes(call):
    return call["arguments"][call["arguments"].index("--") + 1:]


def test_shell_scripts_are_clean():
    if shutil.which("shellcheck") is None and not interpreters.required():
        pytest.skip("no shellcheck here")
    scripts = [PLUGIN, os.path.join(ROOT, "scripts", "container", "build")]
    done = subprocess.run(["shellcheck", *scripts], stdout=subprocess.PIPE, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stdout.decode()
    done = subprocess.run(["shellcheck", "--shell=bash", os.path.join(ROOT, "src", "cli", "completions", "asyncspy.bash")], stdout=subprocess.PIPE,
                          timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stdout.decode()


def test_a_dump_finds_the_process_and_streams_the_output_back(kubectl):
    answers = [NO_DEFAULT, FIRST_CONTAINER, CREATED, ENDED, ENDED, [["logs"], {"out": TABLE + SERVICE + OTHER}], [["logs"], {"out": "the dump\n"}],
               [["ephemeralContainerStatuses"], {"out": "//1"}]]
    done = kubectl.run(answers, "dump", "shop-1", "-n", "store", "--", "--tree", "--name", "a b")
    assert (done.returncode, done.stdout, done.stderr) == (1, b"the dump\n", b"")
    look, dump = kubectl.debugs()
    assert after_dashes(look) == ["asyncspy", "ps"]
    assert after_dashes(dump) == ["asyncspy", "dump", "7", "--tree", "--name", "a b"]
    for call in kubectl.calls():
        assert call["arguments"][0] == "--namespace=store" and "shop-1" in call["arguments"]
    names = [argument for call in (look, dump) for argument in call["arguments"] if argument.startswith("--container=")]
    assert len(set(names)) == 2
    read = [call["arguments"] for call in kubectl.calls() if "logs" in call["arguments"]]
    assert [names[0] in read[0], names[1] in read[1]] == [True, True] and all("--follow" in each for each in read)


def test_the_container_has_the_rights_of_the_recipe_and_no_others(kubectl):
    answers = [CREATED, ENDED, [["logs"], {"out": TABLE}]]
    assert kubectl.run(answers, "ps", "pod/shop-1", "-c", "web").returncode == 0
    (call,) = kubectl.debugs()
    with open(os.path.join(FOLDER, "ephemeral-container.yaml")) as file:
        recipe = yaml.safe_load(file)
    assert json.loads(call["custom"]) == recipe
    assert "--target=web" in call["arguments"] and "--profile=general" in call["arguments"] and "shop-1" in call["arguments"]


@pytest.mark.parametrize("answers, expected", [([[["default-container"], {"out": "main"}]], "main"), ([NO_DEFAULT, FIRST_CONTAINER], "shop")])
def test_without_a_container_it_is_the_one_that_kubectl_would_take(kubectl, answers, expected):
    assert kubectl.run([*answers, CREATED, ENDED, [["logs"], {}]], "dump", "shop-1", "--pid", "1").returncode == 0
    (call,) = kubectl.debugs()
    assert "--target=" + expected in call["arguments"]


def test_the_image_and_the_context_can_be_chosen(kubectl):
    answers = [CREATED, ENDED, [["logs"], {}]]
    assert kubectl.run(answers, "doctor", "shop-1", "--container=web", "--pid=1", "--context=prod", ASYNCSPY_IMAGE="mirror/asyncspy:9").returncode == 0
    (call,) = kubectl.debugs()
    assert "--image=mirror/asyncspy:9" in call["arguments"] and all("--context=prod" in each["arguments"] for each in kubectl.calls())


def test_of_several_processes_one_has_to_be_chosen(kubectl):
    done = kubectl.run([CREATED, ENDED, [["logs"], {"out": TABLE + SERVICE + WORKER}]], "dump", "shop-1", "-c", "web")
    assert done.returncode == 2 and done.stdout == b""
    assert TABLE + SERVICE + WORKER in done.stderr.decode() and "hint: choose one of them: --pid 7" in done.stderr.decode()
    assert len(kubectl.debugs()) == 1


def test_a_container_without_asyncio_is_said_to_be(kubectl):
    done = kubectl.run([CREATED, ENDED, [["logs"], {"out": TABLE + OTHER}]], "dump", "shop-1", "-c", "web")
    assert done.returncode == 4 and b"no Python process with asyncio" in done.stderr


def test_a_container_that_starts_late_is_waited_for(kubectl):
    states = [[["ephemeralContainerStatuses"], {"out": out}] for out in ("", "ContainerCreating//", "/2026-11-20T19:00:00Z/", "//3")]
    done = kubectl.run([CREATED, *states, [["logs"], {"err": "asyncspy: refused\n"}]], "dump", "shop-1", "-c", "web", "--pid", "1")
    assert (done.returncode, done.stderr) == (3, b"asyncspy: refused\n")
    words = [call["arguments"][0] for call in kubectl.calls()]
    assert words == ["debug", "get", "get", "get", "logs", "get"]  # read as soon as it runs, over when it has ended


@pytest.mark.parametrize("state", ["ErrImagePull//", "ImagePullBackOff//", "ErrImageNeverPull//", "InvalidImageName//", "CreateContainerConfigError//"])
def test_a_container_that_can_not_start_ends_the_wait(kubectl, state):
    done = kubectl.run([CREATED, [["ephemeralContainerStatuses"], {"out": state}]], "dump", "shop-1", "-c", "web", "--pid", "1")
    assert done.returncode == 6 and state.strip("/") in done.stderr.decode() and b"hint: kubectl describe pod shop-1" in done.stderr


def test_the_wait_for_a_container_has_an_end(kubectl):
    done = kubectl.run([CREATED, [["ephemeralContainerStatuses"], {"out": "ContainerCreating//"}]], "dump", "shop-1", "-c", "web", "--pid", "1",
                       "--wait", "1")
    assert done.returncode == 6 and b"has not started for 1 s" in done.stderr


@pytest.mark.parametrize("answers", [
    [[["debug"], {"err": "Error from server (Forbidden)\n", "code": 1}]],
    [CREATED, [["ephemeralContainerStatuses"], {"err": "Error from server (Forbidden)\n", "code": 1}]],
    [CREATED, ENDED, [["logs"], {"err": "Error from server (Forbidden)\n", "code": 1}]],
])
@pytest.mark.parametrize("pid", [["--pid", "1"], []], ids=["process given", "process to be found"])
def test_a_cluster_that_refuses_is_an_error_of_its_own(kubectl, answers, pid):
    done = kubectl.run(answers, "dump", "shop-1", "-c", "web", *pid)
    assert done.returncode == 6 and done.stdout == b"" and b"Forbidden" in done.stderr
    assert len(kubectl.debugs()) == 1


@pytest.mark.parametrize("arguments", [[], ["dump"], ["exec", "shop-1"], ["dump", "shop-1", "shop-2"], ["dump", "shop-1", "--tree"], ["dump", "shop-1", "-c"],
                                       ["dump", "shop-1", "--wait", "soon"]])
def test_a_wrong_command_line_touches_no_cluster(kubectl, arguments):
    done = kubectl.run([], *arguments)
    assert done.returncode == 2 and done.stdout == b"" and done.stderr.startswith(b"kubectl asyncspy: ")
    assert b"\nhint: " in done.stderr and not kubectl.calls()


def test_help_names_every_option(kubectl):
    done = kubectl.run([], "--help")
    assert done.returncode == 0 and not kubectl.calls()
    for option in ("--container", "--namespace", "--context", "--pid", "--image", "--wait"):
        assert option in done.stdout.decode()
