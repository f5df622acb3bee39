"""Fixtures of the live tests: the binary, interpreters, and targets that never outlive their test."""
import json
import os
import subprocess

import fastjsonschema
import jsonschema
import pytest

import interpreters
import postgres
import redis_server
from target import PATIENCE, SITUATIONS, Target, held_threads
from watcher import STALLS, WATCHED, StallingService, Watch

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SCHEMA = os.path.join(ROOT, "src", "output", "schema", "report.schema.json")


def is_alarm(finding):
    """What the exit code counts, unless --fail-on says otherwise."""
    return finding["severity"] in ("warning", "error") and finding["confidence"] in ("proven", "observed")


class Asyncspy:
    """The program under test. Every JSON that it prints is checked against the published schema."""

    def __init__(self, binary, schema):
        self.binary = binary
        self.validator = jsonschema.Draft202012Validator(schema)  # says everything that is wrong, and takes many times as long
        # It knows JSON Schema up to draft 7, of which our schema uses no word that means something else in 2020-12.
        self.quick_validator = fastjsonschema.compile({**schema, "$schema": "http://json-schema.org/draft-07/schema#"})

    def run(self, *arguments, **options):
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        return subprocess.run([self.binary, *map(str, arguments)], timeout=PATIENCE, check=False, **options)

    def dump(self, pid, *arguments):
        """The dump of a target as a value. Exit codes 0 and 1 (findings) mean that it was read."""
        done = self.run("dump", pid, "--format", "json", *arguments)
        assert done.returncode in (0, 1), "exit code {}: {}".format(done.returncode, done.stderr.decode(errors="replace"))
        assert done.stderr == b"", done.stderr.decode(errors="replace")
        assert not held_threads(pid), "the target was left stopped or traced"
        report = json.loads(done.stdout.decode("utf-8"))
        self.check_schema(report)
        assert (done.returncode == 1) == any(map(is_alarm, report["findings"])), "exit code {}".format(done.returncode)
        return report

    def check_schema(self, report):
        try:
            self.quick_validator(report)
        except fastjsonschema.JsonSchemaException as fault:
            faults = ["{}: {}".format("/".join(map(str, each.absolute_path)), each.message[:200]) for each in self.validator.iter_errors(report)]
            raise AssertionError("the JSON does not follow its schema:\n" + "\n".join(faults[:10] or [str(fault)[:500]])) from None


def pytest_terminal_summary(terminalreporter, config):
    counts = getattr(config, "comparisons", None)
    if counts:
        terminalreporter.write_line("{comparisons} comparisons of {tasks} tasks in {dumps} dumps".format(**counts))
    for line in sorted(getattr(config, "stalls", ())):
        terminalreporter.write_line(line)
    table = getattr(config, "findings", None)
    if table:
        form = "{:<5} {:<27} {:<20} {:<11} {}"
        terminalreporter.write_line(form.format("rule", "situation", "version", "result", "other findings of this run"))
        for row in sorted(table):
            terminalreporter.write_line(form.format(*row))


@pytest.fixture
def record_finding(request):
    """Adds a row to the table at the end: rule, situation, version, whether it was found, and what else was."""
    def record(rule, situation, interpreter, found, others, exists):
        rows = request.config.__dict__.setdefault("findings", [])
        result = "found" if found else "MISSED" if exists else "no facts"
        rows.append((rule, situation, interpreter.label, result, " ".join("/".join(each) for each in others) or "-"))

    return record


@pytest.fixture
def record_stalls(request):
    """Adds what became of the stalls of one interpreter to what is said at the end."""
    def record(case, hour):
        lines = request.config.__dict__.setdefault("stalls", [])
        lines.append("watch {:<15} {:<8} {} stalls, {:.0f} samples: {}".format(case[0].label, case[1], len(hour.stalls), hour.samples, hour.judgement))

    return record


@pytest.fixture
def record_health(request):
    """Adds a row for a program in which nothing is wrong: which findings say otherwise."""
    def record(service, interpreter, alarms):
        rows = request.config.__dict__.setdefault("findings", [])
        words = sorted({"{rule}/{confidence}/{severity}".format(**each) for each in alarms})
        rows.append(("-", service, interpreter.label, "FALSE ALARM" if alarms else "no alarm", " ".join(words) or "-"))

    return record


@pytest.fixture(scope="session")
def schema():
    with open(SCHEMA) as file:
        return json.load(file)


@pytest.fixture(scope="session")
def asyncspy(schema):
    binary = os.environ.get("ASYNCSPY_BINARY") or os.path.join(ROOT, "build", "dev", "asyncspy")
    assert os.access(binary, os.X_OK), "{}: no such program; build it with scripts/build dev".format(binary)
    return Asyncspy(binary, schema)


@pytest.fixture(scope="session")
def static_build():
    """The build directory of the static program."""
    folder = os.path.join(ROOT, "build", "dev")
    assert os.access(os.path.join(folder, "asyncspy"), os.X_OK), "no static program here: scripts/build dev"
    return folder


@pytest.fixture
def start(tmp_path):
    """Starts programs under an interpreter, and ends them after the test whatever happened."""
    targets = []

    def start_program(interpreter, program, *arguments, **options):
        log = str(tmp_path / "target-{}.log".format(len(targets)))
        target = Target(interpreter.executable, program, arguments, log=log, **options)
        targets.append(target)
        return target

    yield start_program
    for target in targets:
        target.close()


@pytest.fixture
def watch(asyncspy, tmp_path):
    """Starts `asyncspy watch` with a directory for its incidents, and ends it after the test whatever happened."""
    started = []

    def start_watch(*arguments, directory=None, **options):
        started.append(Watch(asyncspy.binary, directory or tmp_path / "incidents", *arguments, **options))
        return started[-1]

    yield start_watch
    for each in started:
        if each.process.poll() is None:
            each.kill()


@pytest.fixture
def serve(start, any_interpreter):
    """Starts a service that `asyncspy watch` is to look at, in one of its moods."""
    def start_service(name, program=WATCHED):
        target = start(any_interpreter, str(program), name)
        target.next_report()
        return target

    return start_service


@pytest.fixture
def stalling(any_interpreter, tmp_path):
    """A service that stalls when it is told to."""
    service = StallingService(any_interpreter.executable, STALLS, ("asyncio",), log=str(tmp_path / "service.log"))
    service.next_report()
    yield service
    service.end()
    service.close()


@pytest.fixture
def start_situation(start):
    def start_named(interpreter, name):
        target = start(interpreter, os.path.join(SITUATIONS, name + ".py"))
        target.settled = target.next_report()
        return target

    return start_named


@pytest.fixture(scope="session")
def any_interpreter():
    """The newest supported interpreter, for tests that are not about versions."""
    found = interpreters.supported()
    if not found and not interpreters.required():
        pytest.skip("no supported Python here: {}".format(interpreters.SUPPORTED))
    assert found, "no supported Python here: {}".format(interpreters.SUPPORTED)
    return max(found, key=lambda each: each.version)


def need_root(found, what):
    if not (found and os.geteuid() == 0) and not interpreters.required():
        pytest.skip("no {} here, or not root".format(what))
    assert found and os.geteuid() == 0, "no {} here, or not root".format(what)
    return found


@pytest.fixture(scope="session")
def postgres_port():
    server = postgres.Server(need_root(postgres.find_programs(), "PostgreSQL"))
    yield server.port
    server.close()


@pytest.fixture(scope="session")
def redis_port():
    server = redis_server.Server(need_root(redis_server.find_program(), "Redis"))
    yield server.port
    server.close()
