"""asyncspy top, driven as a person drives it: in a terminal, by keys, at several sizes; and without a terminal."""
import glob
import json
import os
import re
import signal
import subprocess

import pytest

import interpreters
from target import HERE, held_threads
from terminal_window import Window

WATCHED = os.path.join(HERE, "services", "watched.py")
SIZES = [(80, 24), (132, 43), (60, 12)]
FAST = ("--interval", "0.2")


@pytest.fixture
def serve(start, any_interpreter):
    def start_service(name):
        target = start(any_interpreter, WATCHED, name)
        target.next_report()
        return target

    return start_service


@pytest.fixture
def top(asyncspy, tmp_path):
    windows = []

    def open_window(*arguments, **options):
        folder = tmp_path / "window-{}".format(len(windows))
        folder.mkdir()
        windows.append(Window(folder, [os.path.abspath(asyncspy.binary), "top", *FAST, *arguments], **options))
        return windows[-1]

    yield open_window
    for window in windows:
        window.close()


def quit_top(window):
    window.press("q")
    assert window.ended() == 0


@pytest.mark.parametrize("width,height", SIZES)
def test_a_blocked_service_is_called_blocked_at_every_size(serve, top, width, height):
    target = serve("blocked")
    window = top(target.pid, width=width, height=height)
    screen = window.wait_for(lambda screen: "LOOP BLOCKED for at least" in screen and "finding: P01" in screen and "100.0%" in screen)
    assert max(map(len, screen.splitlines())) <= width and len(screen.splitlines()) <= height
    assert "busy 100 %" in screen and "fetch" in screen
    window.press("Enter")
    screen = window.wait_for("TASK  ")
    if height > 20:
        assert "fetch_rate" in screen and "handler" in screen and "WAITED FOR BY" in screen
    quit_top(window)
    assert not held_threads(target.pid)


@pytest.mark.parametrize("width,height", SIZES)
def test_a_busy_service_shows_what_runs(serve, top, width, height):
    window = top(serve("busy").pid, width=width, height=height)
    window.wait_for(lambda screen: re.search(r"busy (100|9\d) %", screen))
    window.press("h")
    screen = window.wait_for(lambda screen: "WHAT RAN ON THE LOOP" in screen and "count_up" in screen)
    assert re.search(r"\d+\.\d %\s+spin", screen)
    quit_top(window)


@pytest.mark.parametrize("width,height", SIZES)
def test_a_leak_shows_as_a_group_that_grows(serve, top, width, height):
    window = top(serve("leaking").pid, width=width, height=height)
    window.wait_for(lambda screen: any(re.search(r"^\s*\d+ +\+\d+ .*forg", line) for line in screen.splitlines()))
    window.wait_for(lambda screen: re.search(r"\+[1-9]\d*\.\d/s", screen))
    quit_top(window)


@pytest.mark.parametrize("width,height", SIZES)
def test_nothing_is_wrong_with_an_idle_service(serve, top, width, height):
    window = top(serve("idle").pid, width=width, height=height)
    screen = window.wait_for(lambda screen: "LOOP idle" in screen and re.search(r"busy \d %", screen))
    assert "nothing found wrong" in screen and "BLOCKED" not in screen
    assert re.search(r"^\s*60 .*sle", screen, re.M)
    quit_top(window)


def test_every_pane_opens_and_closes(serve, top):
    window = top(serve("blocked").pid, width=100, height=40)
    window.wait_for("WAITS FOR")
    for key, text in (("f", "FINDINGS  1"), ("t", "THREADS"), ("h", "WHAT RAN ON THE LOOP"), ("w", "PROCESS"), ("?", "F10  q"), ("F1", "F10  q"),
                      ("F5", "FINDINGS  1"), ("Enter", "TASK")):
        window.press(key)
        window.wait_for(text)
        window.press("Escape")
        window.wait_for("WAITS FOR")
    quit_top(window)


def test_the_table_is_filtered_sorted_and_taken_apart(serve, top):
    window = top(serve("idle").pid, width=132, height=40)
    window.wait_for("sleeper")
    window.press("/")
    window.type("EVENT.wa")
    window.wait_for(lambda screen: "filter: EVENT.wa" in screen and "sleeper" not in screen and "Event.wait()" in screen)
    window.press("Enter")
    window.wait_for("[EVENT.wa]")
    window.press("Escape")
    window.wait_for("sleeper")
    window.press(">")
    window.wait_for("TRENDv")
    window.press("i")
    window.wait_for("TREND^")
    window.press("g")
    window.wait_for(lambda screen: screen.count("sleeper") > 20)
    window.press("End")
    window.press("Home")
    window.press("PageDown")
    quit_top(window)


def test_a_frozen_view_stays_and_is_saved_as_it_is(serve, top, asyncspy):
    target = serve("leaking")
    window = top(target.pid)
    window.wait_for(r"LOOP")
    window.press("Space")
    tasks = re.search(r"tasks (\d+)", window.wait_for("FROZEN")).group(1)
    window.press("s")
    window.wait_for("saved: asyncspy-{}-".format(target.pid))
    assert "tasks {}:".format(tasks) in window.screen()
    files = glob.glob(os.path.join(window.folder, "asyncspy-*.json"))
    assert len(files) == 1
    assert os.stat(files[0]).st_mode & 0o077 == 0
    with open(files[0]) as file:
        report = json.load(file)
    asyncspy.check_schema(report)
    assert len(report["tasks"]) == int(tasks)
    window.press("Space")
    window.wait_for(lambda screen: "FROZEN" not in screen and "tasks {}:".format(tasks) not in screen)
    quit_top(window)


def test_a_window_that_changes_its_size_is_filled_anew(serve, top):
    window = top(serve("idle").pid)
    window.wait_for("WAITS FOR")
    for width, height in ((120, 40), (60, 15), (20, 5), (80, 24)):
        window.resize(width, height)

        def fits(screen, width=width, height=height):
            lines = screen.rstrip("\n").split("\n")
            return len(lines) == height and lines[0].startswith("asyncspy top") and lines[-1].startswith("?Help") and max(map(len, lines)) <= width

        window.wait_for(fits)
    window.wait_for("WAITS FOR")
    quit_top(window)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGSEGV, signal.SIGABRT])
def test_whatever_signal_ends_it_leaves_the_terminal_as_it_was(serve, top, number):
    target = serve("idle")
    window = top(target.pid)
    window.wait_for("WAITS FOR")
    assert window.ask("alternate_on") == "1"
    os.kill(window.program(), number)
    assert window.ended() == 128 + number
    assert not held_threads(target.pid)


def test_control_c_ends_it(serve, top):
    window = top(serve("idle").pid)
    window.wait_for("WAITS FOR")
    window.press("C-c")
    assert window.ended() == 128 + signal.SIGINT


def test_the_target_may_end_and_the_view_stays_usable(serve, top):
    target = serve("idle")
    window = top(target.pid, width=132)
    window.wait_for("sleeper")
    target.process.stdin.close()
    target.process.wait(60)
    window.wait_for("this is the last look")
    assert "sleeper" in window.screen()
    window.press("Enter")
    window.wait_for("GROUP  60 tasks")
    quit_top(window)


def test_the_target_may_become_another_program(serve, top, any_interpreter):
    target = serve("idle")
    window = top(target.pid, width=132)
    window.wait_for("sleeper")
    target.process.stdin.write("{} {} {} leaking\n".format(any_interpreter.executable, WATCHED, target_descriptor(target)).encode())
    target.process.stdin.flush()
    target.next_report()
    window.wait_for(lambda screen: "forgotten" in screen and "sleeper" not in screen)
    target.process.stdin.write(b"sleep 1000\n")
    target.process.stdin.flush()
    window.wait_for("this is the last look that succeeded")
    quit_top(window)


def target_descriptor(target):
    """The number that the program knows its pipe by."""
    with open("/proc/{}/cmdline".format(target.pid), "rb") as file:
        return file.read().split(b"\0")[2].decode()


def test_the_next_process_of_a_name_is_picked_up(top, start, any_interpreter, tmp_path):
    name = "service-{}.py".format(os.getpid())
    program = tmp_path / name
    with open(WATCHED) as file:
        program.write_text(file.read())
    window = top("--wait", name, width=132)
    # The command line of this very asyncspy holds the name, too: it is no Python process.
    window.wait_for("waiting for a Python process called " + name)
    first = start(any_interpreter, str(program), "idle")
    window.wait_for("sleeper")
    first.process.stdin.close()
    first.process.wait(60)
    window.wait_for("this is the last look")
    start(any_interpreter, str(program), "leaking")
    window.wait_for("forgotten")
    quit_top(window)


def test_several_processes_are_rows(serve, top):
    blocked = serve("blocked")
    idle = serve("idle")
    window = top(blocked.pid, idle.pid, width=132)
    window.wait_for(lambda screen: re.search(r"{} live .*BLOCKED".format(blocked.pid), screen) and re.search(r"{} live .*idle".format(idle.pid), screen))
    window.press("Down")
    window.press("Enter")
    window.wait_for("asyncspy top {} (2/2)".format(idle.pid))
    window.press("p")
    window.wait_for("asyncspy top {} (1/2)".format(blocked.pid))
    quit_top(window)


def test_workers_are_found(serve, top):
    target = serve("parent")
    for _ in range(2):
        target.next_report()
    window = top("--subprocesses", target.pid, width=132)
    window.wait_for(lambda screen: len(re.findall(r"^\s*\d+ live ", screen, re.M)) == 3)
    quit_top(window)


def test_loops_are_gone_through(start_situation, any_interpreter, top):
    target = start_situation(any_interpreter, "loops_in_threads")
    window = top(target.pid)
    first = re.search(r"LOOP 1/(\d+)", window.wait_for("LOOP 1/"))
    for number in range(2, int(first.group(1)) + 1):
        window.press("n")
        window.wait_for("LOOP {}/{}".format(number, first.group(1)))
    window.press("n")
    window.wait_for("LOOP 1/")
    quit_top(window)


COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-7]")


@pytest.mark.parametrize("environment,coloured", [({"TERM": "screen-256color"}, True), ({"TERM": "screen"}, True), ({"TERM": "vt100"}, False),
                                                  ({"NO_COLOR": "1"}, False)])
def test_colours_are_those_of_the_terminal_or_none(serve, top, environment, coloured):
    window = top(serve("blocked").pid, environment=environment)
    window.wait_for("LOOP BLOCKED")
    screen = window.wait_for("WAITS FOR", colours=True)
    assert bool(COLOUR.search(screen)) == coloured
    quit_top(window)


def test_ascii_locales_get_ascii(serve, top):
    window = top(serve("blocked").pid, environment={"LC_ALL": "C"})
    screen = window.wait_for(lambda screen: re.search(r"lag .*\|.*[-=+*#]\| ", screen))
    assert screen.isascii()
    quit_top(window)


def test_a_terminal_of_no_known_kind_is_refused(serve, top):
    window = top(serve("idle").pid, environment={"TERM": "no-such-terminal"})
    screen = window.wait_for("ended with 2")
    assert "TERM=no-such-terminal" in screen and "hint: " in screen


def test_without_a_terminal_it_says_what_to_do(serve, asyncspy):
    target = serve("idle")
    done = asyncspy.run("top", target.pid)
    assert done.returncode == 2 and done.stdout == b""
    assert b"standard output: is no terminal" in done.stderr and b"--batch" in done.stderr


def test_a_batch_is_plain_text(serve, asyncspy):
    target = serve("blocked")
    done = asyncspy.run("top", "--batch", "-n", 3, *FAST, target.pid)
    assert done.returncode == 0 and done.stderr == b""
    text = done.stdout.decode("ascii")
    assert text.count("asyncspy top {} ".format(target.pid)) == 3
    assert text.count("LOOP BLOCKED") == 3
    assert "\x1b" not in text
    assert not held_threads(target.pid)


def test_a_batch_ends_with_its_reader(serve, asyncspy):
    target = serve("idle")
    pipeline = "{} top --batch --interval 0.2 {} | head -n 3".format(asyncspy.binary, target.pid)
    done = subprocess.run(["/bin/sh", "-c", pipeline], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, check=False)
    assert done.returncode == 0 and done.stderr == b""
    assert len(done.stdout.splitlines()) == 3


def test_what_can_not_be_watched_is_refused(asyncspy):
    done = asyncspy.run("top", "--batch", "-n", 1, 1 << 22)
    assert done.returncode == 4 and b"asyncspy: " in done.stderr
    assert asyncspy.run("top").returncode == 2
    assert asyncspy.run("top", "abc").returncode == 2
    assert asyncspy.run("top", "-n", 1, os.getpid()).returncode == 2  # without --batch


@pytest.mark.parametrize("interpreter", interpreters.matrix(), ids=lambda each: each.label)
def test_samples_tell_what_runs_on_every_interpreter(start, asyncspy, interpreter):
    """Between two full looks there are samples, and they agree with the looks: something runs all the time."""
    target = start(interpreter, WATCHED, "busy")
    target.next_report()
    done = asyncspy.run("top", "--batch", "-n", 3, *FAST, target.pid)
    assert done.returncode == 0, done.stderr.decode()
    last = done.stdout.decode("ascii").split("asyncspy top ")[-1]
    assert float(re.search(r"(\d+) samples/s", last).group(1)) > 0, last
    assert int(re.search(r"busy (\d+) %", last).group(1)) >= 50, last
    assert re.search(r" (spin|count_up)  watched.py", last), last
