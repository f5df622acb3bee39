"""Podman on a machine of its own: what it stores, mounts, names and starts is gone with one process, however that ends.

That process is the first one of its PID namespace; mounts, network and everything below /run, /dev/shm and podman's folders are
private to it, so that neither the pods of the machine's owner nor another run of the tests are met. Images are made from local
files: no registry is asked.
"""
import glob
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile

from target import PATIENCE

PROGRAMS = ("podman", "crun", "conmon", "unshare", "nsenter", "ip")

# Control groups are mounted in both versions on some machines, which crun does not take: there the unified tree goes. What
# podman keeps is in memory.
SETUP = """
set -e
ip link set lo up
if [ -e /sys/fs/cgroup/unified/cgroup.procs ]; then umount /sys/fs/cgroup/unified; fi
for folder in /run /dev/shm "$@"; do mount -t tmpfs -o mode=755 tmpfs "$folder"; done
mkdir /run/lock /run/networks
echo ready
exec cat >/dev/null
"""

FOLDERS = ("/var/lib/containers", "/var/lib/cni")

SETTINGS = """
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]
[network]
network_config_dir = "/run/networks"
"""


class PodMachine:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="asyncspy-pods-")
        self.pods = set()
        with open(os.path.join(self.folder, "containers.conf"), "w") as file:
            file.write(SETTINGS)
        for folder in FOLDERS:  # something is mounted on them; they stay, as another run may just do the same
            os.makedirs(folder, exist_ok=True)
        self.process = subprocess.Popen(["unshare", "--mount", "--propagation", "private", "--net", "--pid", "--fork", "--kill-child", "--mount-proc",
                                         "sh", "-c", SETUP, "setup", *FOLDERS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if not select.select([self.process.stdout], [], [], PATIENCE)[0] or self.process.stdout.readline() != b"ready\n":
            self.process.kill()
            problem = self.process.communicate(timeout=PATIENCE)[1].decode(errors="replace")
            shutil.rmtree(self.folder)
            raise AssertionError("namespaces for pods: " + problem)
        with open("/proc/{0}/task/{0}/children".format(self.process.pid)) as file:
            (self.first,) = map(int, file.read().split())

    def call(self, *arguments, **options):
        """Runs a command on that machine."""
        environment = {**os.environ, "CONTAINERS_CONF": os.path.join(self.folder, "containers.conf"), "DISABLE_HC_SYSTEMD": "true"}
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "timeout": PATIENCE, **options}
        return subprocess.run(["nsenter", "--target", str(self.first), "--mount", "--net", "--pid", *map(str, arguments)],
                              env=environment, check=False, **options)

    def run(self, *arguments, **options):
        done = self.call(*arguments, **options)
        assert done.returncode == 0, (arguments, done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))
        return done.stdout.decode()

    def podman(self, *arguments, **options):
        return self.run("podman", *arguments, **options)

    def import_root(self, image, root, files, *changes):
        """An image of a directory of another distribution, and files put into it: local path by path there."""
        with tempfile.TemporaryDirectory(dir=self.folder) as added:
            for there, path in files.items():
                os.makedirs(os.path.dirname(added + there), exist_ok=True)
                shutil.copy(path, added + there)
            tar = subprocess.Popen(["tar", "--create", "--directory", root, "--exclude=./usr/lib/debug", "--exclude=./usr/share", "--exclude=./targets", ".",
                                    "--directory", added, *(there.lstrip("/") for there in files)], stdout=subprocess.PIPE)
            with tar:
                self.podman("import", "--quiet", *("--change=" + change for change in changes), "-", image, stdin=tar.stdout)
            assert tar.returncode == 0

    def play(self, manifest):
        try:
            self.podman("kube", "play", manifest)
        finally:
            self.pods.update(self.call("podman", "pod", "ps", "--quiet", "--no-trunc").stdout.decode().split())

    def inspect(self, container):
        (facts,) = json.loads(self.podman("inspect", container))
        return facts

    def status_of(self, container):
        """/proc/PID/status of a container's first process."""
        text = self.run("cat", "/proc/{}/status".format(self.inspect(container)["State"]["Pid"]))
        return dict(line.split(":\t", 1) for line in text.splitlines())

    def close(self):
        os.kill(self.first, signal.SIGKILL)  # and with it all that it is the first process of
        self.process.communicate(timeout=PATIENCE)
        for pod in self.pods:  # what outlives processes and mounts
            for top in glob.glob("/sys/fs/cgroup/*/libpod_parent/" + pod):
                for folder, _, _ in os.walk(top, topdown=False):
                    os.rmdir(folder)
        for folder in sorted(glob.glob("/sys/fs/cgroup/*/libpod_parent/conmon")) + glob.glob("/sys/fs/cgroup/*/libpod_parent"):
            try:
                os.rmdir(folder)
            except OSError:
                pass  # somebody else's
        shutil.rmtree(self.folder)
