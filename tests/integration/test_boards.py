"""What board/README.md says of a board's folder holds for each of them."""

import json
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROFILES = sorted(ROOT.glob("board/*/profile"))
WANTED = ("TITLE", "PRESET", "ARCH", "PACKAGE", "SERIAL_DEVICES", "BOOT_CONFIG", "DATA_PARTITION", "FLASH")


def variables(profile, names):
    script = f'set -eu; . "{profile}"; ' + "; ".join(f'printf "%s\\n" "${name}"' for name in names)
    return dict(zip(names, subprocess.run(["sh", "-c", script], capture_output=True, text=True,
                                          check=True).stdout.splitlines()))


def test_the_boards_that_are_promised_are_there():
    there = {profile.parent.name for profile in PROFILES}
    assert there >= {"raspberry-pi", "beaglebone-black", "generic-armhf", "generic-arm64", "qemu-virt"}


@pytest.mark.parametrize("profile", PROFILES, ids=lambda path: path.parent.name)
def test_a_profile_names_all_that_is_needed(profile):
    found = variables(profile, WANTED)
    assert all(found.values()), found
    assert (ROOT / "toolchains" / f"{found['PRESET']}.cmake").exists()
    presets = json.loads((ROOT / "CMakePresets.json").read_text())["configurePresets"]
    assert found["PRESET"] in [preset["name"] for preset in presets]


@pytest.mark.parametrize("profile", PROFILES, ids=lambda path: path.parent.name)
def test_its_configuration_names_a_device_of_the_board_and_bounds_the_spool(profile):
    config = json.loads((profile.parent / "leat.json").read_text())
    devices = variables(profile, WANTED)["SERIAL_DEVICES"].split()
    for pipeline in config["pipelines"]:
        if pipeline["source"]["type"] == "serial":
            assert pipeline["source"]["port"] in devices
        assert pipeline["delivery"]["durability"] == "power"
        assert "maxSpool" in pipeline["delivery"]
