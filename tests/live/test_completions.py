"""The man page and the completions know every command and option that the program knows, and nothing else."""
import os
import re
import shutil
import subprocess

import pytest

import interpreters
from conftest import ROOT
from target import PATIENCE

CLI = os.path.join(ROOT, "src", "cli")
COMPLETIONS = os.path.join(CLI, "completions")
NO_COMMAND = ""  # the options before any command


def said_by(program, *arguments):
    done = subprocess.run([program, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE,
                          check=False)
    assert done.returncode == 0 and done.stderr == b"", (arguments, done.returncode, done.stderr)
    return done.stdout.decode()


def needed(program):
    if shutil.which(program) is None and not interpreters.required():
        pytest.skip("no {} here".format(program))


def options_of_help(text):
    """The names in the first column: `  -o,--output FILE            File to write`."""
    found = set()
    for names in re.findall(r"^  (-\S+)", text, flags=re.MULTILINE):
        found.update(names.split(","))
    assert all(re.fullmatch(r"-[A-Za-z]|--[a-z][a-z-]+", name) for name in found), found
    return found


@pytest.fixture(scope="module")
def known(asyncspy):
    """The options of each command, by its own word."""
    text = said_by(asyncspy.binary, "--help")
    commands = re.findall(r"^  ([a-z]+) ", text.split("\nSubcommands:\n")[1].split("\n\n")[0], flags=re.MULTILINE)
    assert len(commands) >= 8 and len(set(commands)) == len(commands), commands
    found = {command: options_of_help(said_by(asyncspy.binary, command, "--help")) for command in commands}
    found[NO_COMMAND] = options_of_help(text)
    assert all("--help" in options for options in found.values())
    return found


def differences(known, described):
    """One line for each command and option that only one side has."""
    lines = []
    for command in sorted(set(known) | set(described)):
        for option in sorted(known.get(command, set()) ^ described.get(command, set())):
            missing = option in known.get(command, set())
            lines.append("asyncspy {} {}: {}".format(command, option, "not described" if missing else "not an option of it"))
        if (command in known) != (command in described):
            lines.append("asyncspy {}: {}".format(command, "not described" if command in known else "no such command"))
    return lines


def read_man_page():
    with open(os.path.join(CLI, "asyncspy.1")) as file:
        text = file.read().replace("\\-", "-")
    sections = {}
    for part in re.split(r"^\.S[HS] ", text, flags=re.MULTILINE)[1:]:
        name, _, body = part.partition("\n")
        heads = " ".join(re.findall(r"^\.TP\n(\\fB-.*)$", body, flags=re.MULTILINE))
        sections[name] = (set(re.findall(r"\\fB(-[^\\]+)\\fR", heads)), body)
    views, _ = sections["VIEWS"]
    found = {NO_COMMAND: sections["OPTIONS"][0]}
    for name, (options, body) in sections.items():
        if name.islower():
            found[name] = options | (views if re.search(r"^\.B VIEWS$", body, flags=re.MULTILINE) else set()) | {"-h", "--help"}  # said for all
    return found


def test_the_man_page_describes_every_command_and_option(known):
    assert differences(known, read_man_page()) == []


def test_the_man_page_is_one():
    needed("groff")
    done = subprocess.run(["groff", "-man", "-ww", "-b", "-Tutf8", os.path.join(CLI, "asyncspy.1")], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=PATIENCE, check=False)
    assert done.returncode == 0 and done.stderr == b"", done.stderr.decode()
    assert "EXIT STATUS" in re.sub(".\b|\x1b\\[[0-9]*m", "", done.stdout.decode())  # as text: without bold and underlined letters


BASH = r"""
source "$0"
words=("$@")
COMP_WORDS=(asyncspy "${words[@]}") COMP_CWORD=$#
_asyncspy asyncspy "${words[-1]}" "${COMP_WORDS[-2]}"
printf '%s\n' "${COMPREPLY[@]}"
"""


def complete_in_bash(*words):
    return set(said_by("bash", "--norc", "-c", BASH, os.path.join(COMPLETIONS, "asyncspy.bash"), *words).split("\n")) - {""}


def test_completions_for_bash_offer_every_command_and_option(known):
    first = complete_in_bash("")
    described = {word: complete_in_bash(word, "-") for word in first if not word.startswith("-")}
    described[NO_COMMAND] = {word for word in first if word.startswith("-")}
    assert differences(known, described) == []


def test_completions_for_bash_offer_what_an_option_takes(asyncspy):
    for command in ("dump", "diff"):
        said = said_by(asyncspy.binary, command, "--help")
        assert complete_in_bash(command, "--format", "") == set(re.search(r"--format ([a-z|]+)", said).group(1).split("|"))
    assert complete_in_bash("dump", "--state", "p") == {"pending"}
    assert complete_in_bash("watch", "--stall", "") == set()  # whatever it is, it is no process


# What the functions of zsh's own completion system would be given.
ZSH = r"""
_arguments() { print -rl -- "$@" }
_describe() { print -rl -- ${(P)argv[-1]} }
words=(asyncspy "$@")
CURRENT=$#words
PREFIX=$words[-1]
source "$0"
"""


def complete_in_zsh(*words):
    return said_by("zsh", "-f", "-c", ZSH, os.path.join(COMPLETIONS, "_asyncspy"), *words).splitlines()


def options_of_zsh(lines):
    return set(filter(None, (re.sub(r"^(\([^)]*\))?\*?(--?[A-Za-z][a-z-]*)\[.*|.*", r"\2", line) for line in lines)))


def test_completions_for_zsh_offer_every_command_and_option(known):
    needed("zsh")
    commands = [line.split(":")[0] for line in complete_in_zsh("")]
    described = {command: options_of_zsh(complete_in_zsh(command, "-")) for command in commands}
    described[NO_COMMAND] = options_of_zsh(complete_in_zsh("-"))
    assert differences(known, described) == []
