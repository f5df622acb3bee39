"""A program in a terminal that nobody sees: a tmux server of its own, keys in, screens out, every wait with a bound."""
import os
import shlex
import shutil
import subprocess
import tempfile
import time

from target import PATIENCE

TURN = 0.05  # seconds between two looks at the screen


class Window:
    """Runs one command in a window. What is left of the terminal afterwards is told by ended()."""

    def __init__(self, folder, command, width=80, height=24, environment=None):
        self.folder = str(folder)
        self._short = tempfile.mkdtemp(prefix="top-")  # the path of a socket may have a hundred characters
        self.socket = os.path.join(self._short, "tmux")
        variables = {**os.environ, "LC_ALL": "C.UTF-8", "SHELL": "/bin/sh"}
        for name in ("NO_COLOR", "TMUX", "COLUMNS", "LINES"):
            variables.pop(name, None)
        self.variables = variables
        settings = " ".join("{}={}".format(name, shlex.quote(value)) for name, value in (environment or {}).items())
        # The trap is for Control-C, which goes to the shell, too.
        script = "trap : INT; stty -g > before; env {} {}; echo \"ended with $?\"; stty -g > after; exec cat".format(
            settings, " ".join(shlex.quote(str(word)) for word in command))
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", str(width), "-y", str(height), script)

    def _tmux(self, *arguments):
        return subprocess.run(["tmux", "-S", self.socket, *arguments], cwd=self.folder, env=self.variables, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE, check=True).stdout.decode()

    def close(self):
        subprocess.run(["tmux", "-S", self.socket, "kill-server"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=PATIENCE, check=False)
        shutil.rmtree(self._short, ignore_errors=True)

    def press(self, *keys):
        self._tmux("send-keys", *keys)

    def type(self, text):
        self._tmux("send-keys", "-l", text)

    def resize(self, width, height):
        self._tmux("resize-window", "-x", str(width), "-y", str(height))

    def ask(self, variable):
        return self._tmux("display-message", "-p", "#{" + variable + "}").strip()

    def screen(self, colours=False):
        return self._tmux("capture-pane", "-p", *(["-e"] if colours else []))

    def wait_for(self, condition, colours=False):
        """The first screen that meets the condition: a text that it holds, or a function of it."""
        meets = condition if callable(condition) else lambda screen: condition in screen
        until = time.monotonic() + PATIENCE
        while True:
            screen = self.screen(colours)
            if meets(screen):
                return screen
            if time.monotonic() > until:
                raise AssertionError("the screen never met the condition {!r}; its last state:\n{}".format(condition, screen))
            time.sleep(TURN)

    def program(self):
        """The process id of the command."""
        shell = self.ask("pane_pid")
        with open("/proc/{0}/task/{0}/children".format(shell)) as file:
            return int(file.read().split()[0])

    def ended(self):
        """The exit code of the command, once it has ended; the terminal must be as it was before."""
        screen = self.wait_for("ended with ")
        assert self.ask("alternate_on") == "0", "the alternate screen was left on"
        assert self.ask("cursor_flag") == "1", "the cursor was left hidden"
        assert self.ask("keypad_flag") == "0", "the keypad was left in application mode"
        self.wait_for(lambda _: os.path.exists(os.path.join(self.folder, "after")) and os.path.getsize(os.path.join(self.folder, "after")) > 0)
        modes = []
        for name in ("before", "after"):
            with open(os.path.join(self.folder, name)) as file:
                modes.append(file.read())
        assert modes[0] == modes[1], "the modes of the terminal have changed"
        return int(screen.split("ended with ")[1].split()[0])
