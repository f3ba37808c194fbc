"""Fixtures of the tests of the page, which use what tests/integration/harness has.

Run by scripts/page-test, which installs the browser."""

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "integration"))
pytest.register_assert_rewrite("harness", "browser")

from harness.agent import Agent  # noqa: E402
from harness.certs import Certs  # noqa: E402
from harness.collector import HttpCollector  # noqa: E402
from browser import Browser  # noqa: E402


@pytest.fixture
def agent(tmp_path):
    one = Agent(os.environ.get("LEAT_BIN", ROOT / "build" / "host" / "leat"), tmp_path / "agent")
    yield one
    one.kill()


@pytest.fixture
def collector():
    one = HttpCollector()
    yield one
    one.down()


@pytest.fixture(scope="session")
def certs(tmp_path_factory):
    return Certs(tmp_path_factory.mktemp("certs"))


@pytest.fixture(scope="session")
def _chromium():
    one = Browser()
    yield one
    one.close()


@pytest.fixture
def browser(_chromium):
    """One for the session, since it takes long to start; each test opens the page of its own agent, and
    at the end nothing was loaded from elsewhere or against the page's policy."""
    _chromium.complaints()  # of an earlier test
    _chromium.look_like()
    yield _chromium
    assert _chromium.run("return window.violations") == []
    assert _chromium.complaints() == []
    there = _chromium.run("return location.origin")
    loaded = _chromium.run("return performance.getEntriesByType('resource').map((one) => one.name)")
    assert all(name.startswith((there, "data:")) for name in loaded), loaded
