"""What is measured: asyncspy, the peers that this machine offers, and the Pythons that they look at."""
import glob
import os
import re
import shutil
import subprocess
from dataclasses import dataclass

from processes import BUILD, PROJECT, Place, environment, read_output

ASYNCSPY = os.environ.get("ASYNCSPY") or os.path.join(PROJECT, "build", "release", "asyncspy")
PEERS_FROM_PYPI = {"py-spy": "py-spy", "pystack": "pystack", "austin": "austin-dist"}  # command -> package
PEERS_DIRECTORY = os.path.join(PROJECT, "build", "bench-venv")


@dataclass(frozen=True)
class Python:
    name: str  # "3.15"
    executable: str
    place: Place


@dataclass(frozen=True)
class Tool:
    name: str
    command: tuple  # {pid} is replaced
    place: Place = Place()
    counts: str = ""  # how tasks are counted in the output: "text", "json", "lines" or "names"; "" when it knows no tasks

    def arguments(self, pid):
        return [part.format(pid=pid) for part in self.command]


def find_pythons():
    """Newest first. The roots of scripts/make-roots have the releases that this distribution has not."""
    found = {}
    for minor in (15, 14, 13):
        name = "3.{}".format(minor)
        roots = glob.glob(os.path.join(PROJECT, ".roots", "*", "usr", "bin", "python" + name)) if os.geteuid() == 0 else []
        homes = glob.glob(os.path.expanduser("~/.pyenv/versions/{}.*/bin/python".format(name)))
        if roots:
            root = roots[0][: -len("/usr/bin/python" + name)]
            found[name] = Python(name, "/usr/bin/python" + name, Place(root))
        elif shutil.which("python" + name) or homes:
            found[name] = Python(name, shutil.which("python" + name) or homes[0], Place())
    return found


def find_service_python():
    """The distribution's Python, when it has aiohttp."""
    has = subprocess.run(["/usr/bin/python3", "-c", "import aiohttp"], stderr=subprocess.DEVNULL).returncode == 0
    return Python("system", "/usr/bin/python3", Place()) if has else None


def install_peers():
    """Puts the peers of the package index into build/bench-venv; returns what is missing and why."""
    missing = []
    commands = os.path.join(PEERS_DIRECTORY, "bin")
    if not os.path.exists(commands):
        made = subprocess.run(["/usr/bin/python3", "-m", "venv", PEERS_DIRECTORY], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if made.returncode != 0:
            return ["py-spy, pystack and austin: no virtual environment can be made (Debian: python3-venv)"]
    for command, package in PEERS_FROM_PYPI.items():
        if os.path.exists(os.path.join(commands, command)):
            continue
        done = subprocess.run([os.path.join(commands, "pip"), "install", "-q", package], stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, timeout=300)
        if done.returncode != 0:
            missing.append("{}: not installable: {}".format(command, done.stderr.decode(errors="replace").strip()[-200:]))
    return missing


def _austin(pythons):
    """austin and where it runs: its program wants a newer C library than older distributions have."""
    program = os.path.join(PEERS_DIRECTORY, "bin", "austin")
    if not os.path.exists(program):
        return None
    shutil.copy(program, BUILD)
    for place in [Place(), *(python.place for python in pythons.values())]:
        done = subprocess.run([*place.launcher(), "-x", place.file("austin"), "--version"], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, env=environment(place))
        if done.returncode == 0:
            return Tool("austin -w", (place.file("austin"), "-w", "{pid}"), place)
    return None


def tools_for(python, pythons, count):
    """asyncspy first: the others are compared with it, on the same process."""
    # Two gigabytes can not be copied within the default on every machine.
    longer = ("--max-pause", "1000") if count >= 1_000_000 else ()
    tools = [Tool("asyncspy dump", (ASYNCSPY, "dump", *longer, "{pid}"), counts="text"),
             Tool("asyncspy dump -f json", (ASYNCSPY, "dump", *longer, "-f", "json", "{pid}"), counts="json")]
    if python.name in ("3.14", "3.15"):
        for command, counts in (("ps", "lines"), ("pstree", "names")):
            tools.append(Tool("{} asyncio {}".format(python.name, command),
                              (python.executable, "-m", "asyncio", command, "{pid}"), python.place, counts))
    if python.name == "3.15":
        dump = (python.executable, "-m", "profiling.sampling", "dump", "--async-aware")
        tools.append(Tool("3.15 sampling dump", (*dump, "{pid}"), python.place, "names"))
        tools.append(Tool("3.15 sampling dump --blocking", (*dump, "--blocking", "{pid}"), python.place, "names"))
    if python.name == "3.13":
        austin = _austin(pythons)
        tools += [austin] if austin else []
    for name, command in (("py-spy dump", ("py-spy", "dump", "--pid", "{pid}")), ("pystack remote", ("pystack", "remote", "{pid}"))):
        program = os.path.join(PEERS_DIRECTORY, "bin", command[0])
        if os.path.exists(program):
            tools.append(Tool(name, (program, *command[1:])))
    return tools


def shows_all(tool, count, output="output"):
    """Whether the output that a tool wrote shows the target's N tasks (and perhaps its main task)."""
    path = os.path.join(BUILD, output)
    if not tool.counts:
        return True
    if tool.counts == "text":
        found = re.search(r"([\d,]+) tasks?\b", read_output(output, 1 << 16))
        return found is not None and int(found.group(1).replace(",", "")) == count + 1
    with open(path, "rb") as file:
        if tool.counts == "json":
            return scan_json(path)["tasks"] == count + 1
        if tool.counts == "lines":
            return sum(1 for _ in file) >= count
        names = set()
        for line in file:
            names.update(re.findall(rb"Task-\d+", line))
        return len(names) >= count


def scan_json(path):
    """What the benchmark needs of a JSON report, without holding it: a million tasks are a gigabyte. One task is one line."""
    found = {"tasks": 0, "gaps": 0, "capture": {}}
    with open(path, "rb") as file:
        for line in file:
            if line.startswith(b'{"id":') and b'"must_cancel":' in line:
                found["tasks"] += 1
                found["gaps"] += b'"gaps":[]}' not in line[-16:]
            elif line.startswith(b'"capture":'):
                for key, value in re.findall(rb'"(\w+)":([0-9.e+-]+)', line):
                    found["capture"][key.decode()] = float(value)
            elif line.startswith(b'"gaps":') and not line.startswith(b'"gaps":[]'):
                found["gaps"] += 1
    return found
