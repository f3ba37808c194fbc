"""The manual page says what `leat help` says."""

import re
import subprocess

import pytest

from fixtures.packages import ROOT


def shown(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True,
                          env={"MANWIDTH": "1000", "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}).stdout


@pytest.fixture(scope="module")
def usage(made):
    """`leat help` without what depends on the connectors that are in the binary."""
    text = shown(ROOT / "build" / "static" / "leat", "help")
    begin, end = text.index("\nSources:"), text.index("\nExit codes:")
    return text[:begin] + text[end:]


@pytest.fixture(scope="module")
def manual():
    page = subprocess.run(["groff", "-man", "-Tutf8", "-P-cbou", "-rLL=1000n", "-Wall",
                           ROOT / "board" / "package" / "leat.1"], capture_output=True, text=True, check=True)
    assert page.stderr == ""
    return page.stdout.replace("\u2010", "-").replace("\u2212", "-")


def section(text, title):
    return re.search(rf"^{title}\n(.*?)(?=^\S|\Z)", text, re.M | re.S)[1]


def test_the_manual_has_the_commands_that_help_has(usage, manual):
    """That their text is the same is checked where no groff is needed: scripts/generate-docs --check."""
    commands = set(re.findall(r"^  leat ([a-z][a-z-]*(?: [a-z][a-z-]*)?)", usage, re.M))
    assert len(commands) >= 6
    found = set(re.findall(r"^ {7}leat ([a-z][a-z-]*(?: [a-z][a-z-]*)?)", section(manual, "COMMANDS"), re.M))
    assert found == commands


def test_the_manual_has_the_exit_codes_and_signals_that_help_has(usage, manual):
    codes = set(re.findall(r"\b(\d) ", re.search(r"^Exit codes: (.*?)^Signals", usage, re.M | re.S)[1].replace("\n", " ")))
    assert set(re.findall(r"^ {7}(\d)\b", section(manual, "EXIT STATUS"), re.M)) == codes
    signals = set(re.findall(r"SIG[A-Z]+", usage))
    assert set(re.findall(r"SIG[A-Z]+", section(manual, "SIGNALS"))) == signals
