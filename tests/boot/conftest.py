"""Tests of the disk image in QEMU: a whole machine, with a kernel, file systems and a power switch.

They use the servers of tests/integration/harness. Run by `scripts/test --target qemu-virt`.
"""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "integration"))
pytest.register_assert_rewrite("harness", "machine", "power_cuts")

from harness.mosquitto import Mosquitto  # noqa: E402
from machine import Machine, image  # noqa: E402


@pytest.fixture
def machine(tmp_path):
    machine = Machine(tmp_path / "machine", image())
    yield machine
    machine.close()


@pytest.fixture
def broker(tmp_path):
    broker = Mosquitto(tmp_path / "broker")
    yield broker
    broker.stop()
