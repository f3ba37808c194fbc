"""Fixtures of the package tests, which run as root: see fixtures/ for Machine (a Debian that boots in
a container), Packages (what scripts/package made) and what is in them."""

import os
import shutil

import pytest

pytest.register_assert_rewrite("fixtures")

from fixtures.debian import base_root  # noqa: E402
from fixtures.machine import Machine  # noqa: E402
from fixtures.packages import PRESETS, ROOT, Packages  # noqa: E402

WORK = ROOT / "build" / "package-tests"


def pytest_configure():
    if os.geteuid() != 0:
        pytest.exit("the package tests boot a container and must run as root", returncode=2)
    WORK.mkdir(parents=True, exist_ok=True)


@pytest.fixture(scope="session")
def made():
    """Packages of each preset, made once: preset → Packages."""
    folder = WORK / "packages"
    shutil.rmtree(folder, ignore_errors=True)
    return {preset: Packages(preset, folder / preset) for preset in PRESETS}


@pytest.fixture(params=PRESETS)
def packages(request, made):
    """Packages of each architecture in turn."""
    return made[request.param]


@pytest.fixture(scope="session")
def newer(made):
    """Packages (amd64) of a later version than those of `made`."""
    folder = WORK / "packages" / "newer"
    return Packages("static", folder, "--version", made["static"].version.rpartition("-")[0] + "+later")


@pytest.fixture(scope="session")
def debian():
    """The root file system that machines boot."""
    return base_root(WORK)


@pytest.fixture
def make_machine(debian, made, newer, tmp_path):
    """make_machine(boot=True): a new Machine, with the packages (amd64) in /packages."""
    machines = []

    def make(**how):
        folder = tmp_path / f"machine{len(machines)}"
        folder.mkdir()
        machines.append(Machine(debian, folder, WORK / "packages", **how))
        return machines[-1]

    yield make
    for machine in machines:
        print(machine.try_run("sh", "-c", "journalctl -u leat -n 40 -o cat").stdout)  # if it failed
        machine.close()


@pytest.fixture
def machine(make_machine):
    """A Debian that has just booted."""
    return make_machine()
