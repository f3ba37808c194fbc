"""scripts/new-connector: what it makes builds, registers itself and passes its own tests."""

import os
import shutil
import subprocess

import pytest

from conftest import ROOT


def run(*command, cwd):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=600,
                          check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture
def tree(tmp_path):
    """A copy of what a build needs, so that the connector is not made in the repository."""
    for part in ("agent", "config", "connectors", "tests/bench", "tests/fuzz", "tests/unit", "toolchains"):
        shutil.copytree(ROOT / part, tmp_path / part)
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "sources").symlink_to(ROOT / "build" / "sources")
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "new-connector", tmp_path / "scripts")
    shutil.copy(ROOT / "CMakeLists.txt", tmp_path)
    return tmp_path


def test_a_new_connector_builds_and_passes_its_tests(tree):
    run("scripts/new-connector", "pump", cwd=tree)
    run("cmake", "-S", ".", "-B", "build", "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug", cwd=tree)
    run("ninja", "-C", "build", "-j", str(os.cpu_count()), "test_connector_pump", cwd=tree)
    output = run("build/tests/unit/connector_pump/test_connector_pump", cwd=tree)
    assert "[  PASSED  ] 6 tests" in output
    registry = (tree / "build" / "connectors" / "registry.cpp").read_text()
    assert "&kPumpSource" in registry and "&kPumpSink" in registry


@pytest.mark.parametrize("arguments,message", [
    (("file",), "exists already"),
    (("Pump",), "lower case"),
    ((), "one NAME is needed"),
    (("pump", "--sauce"), "unknown option --sauce"),
])
def test_new_connector_refuses_what_it_cannot_make(tree, arguments, message):
    done = subprocess.run(["scripts/new-connector", *arguments], cwd=tree, capture_output=True,
                          text=True, check=False)
    assert done.returncode != 0
    assert message in done.stderr
    assert not (tree / "connectors" / "pump").exists()
