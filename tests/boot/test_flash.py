"""scripts/flash, onto a card that is a file: a loop device, which only root can make."""

import os
import re
import subprocess

import pytest

from machine import ROOT, Machine, image

MIB = 1024 * 1024

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not os.path.exists("/dev/loop-control"),
    reason="needs loop devices, which only root can make")


class Card:
    """An empty card of so many MiB, and the device that it is."""

    def __init__(self, path, mib):
        self.path = path
        with open(path, "wb") as file:
            file.truncate(mib * MIB)
        self.device = subprocess.run(["losetup", "--show", "--find", path], check=True, text=True,
                                     capture_output=True).stdout.strip()

    def remove(self):
        subprocess.run(["losetup", "--detach", self.device], check=True)


@pytest.fixture
def make_card(tmp_path):
    cards = []

    def make(mib=100):
        cards.append(Card(tmp_path / f"card-{len(cards)}", mib))
        return cards[-1]

    yield make
    for card in cards:
        card.remove()


def flash(*arguments, path=None):
    """Exit code, and all that it printed."""
    done = subprocess.run([ROOT / "scripts" / "flash", *arguments], stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          env={**os.environ, "PATH": f"{path}:{os.environ['PATH']}" if path else os.environ["PATH"]})
    return done.returncode, done.stdout


def test_a_flashed_card_boots_with_its_configuration_and_all_of_the_card_for_data(make_card, tmp_path):
    card = make_card(200)
    (tmp_path / "gw.json").write_text('{ "agent": { "dataDir": "/var/lib/leat" }, "pipelines": [] }')
    code, said = flash(image(), card.device, "--yes", "--config", tmp_path / "gw.json", "--hostname", "gw-9")
    assert code == 0, said
    machine = Machine(tmp_path / "machine", card.path)
    try:
        machine.start()
        machine.wait_console("/boot/leat.json is taken over")
        machine.wait_console("no pipelines")
        size = int(machine.run("df -m /data | tail -n 1").split()[1])
        assert size > 150, f"{size} MiB"
        assert machine.run("hostname") == "gw-9\n"
    finally:
        machine.close()


def test_what_must_not_be_overwritten_is_refused(make_card, tmp_path):
    card = make_card()
    root = subprocess.run(["findmnt", "-no", "SOURCE", "/"], capture_output=True, text=True).stdout.strip()
    if os.path.exists(root):  # not in a container. Without --yes: should the check fail, nothing is lost
        disk = subprocess.run(["lsblk", "-npo", "PKNAME", root], capture_output=True, text=True,
                              check=True).stdout.strip() or root
        assert_refused(flash(image(), disk), "is the disk that this system runs from")
    assert_refused(flash(image(), tmp_path), "is not a block device")
    assert_refused(flash(tmp_path / "none.img", card.device, "--yes"), "no image")
    (tmp_path / "zeros").write_bytes(bytes(MIB))
    assert_refused(flash(tmp_path / "zeros", card.device, "--yes"), "not an image made by scripts/image")
    assert_refused(flash(image(), card.device), "not on a terminal")
    assert_refused(flash(image(), make_card(20).device, "--yes"), "too small")
    with open(card.path, "rb") as file:
        assert not any(file.read()), "something was written"


def test_a_device_in_use_is_refused(make_card, tmp_path):
    card = make_card()
    subprocess.run(["mkfs.ext4", "-q", card.device], check=True)
    (tmp_path / "mnt").mkdir()
    subprocess.run(["mount", card.device, tmp_path / "mnt"], check=True)
    try:
        assert_refused(flash(image(), card.device, "--yes"), "is in use: unmount")
    finally:
        subprocess.run(["umount", tmp_path / "mnt"], check=True)
    descriptor = os.open(card.device, os.O_RDONLY | os.O_EXCL)  # as RAID, LVM and others hold theirs
    try:
        assert_refused(flash(image(), card.device, "--yes"), "is in use")
    finally:
        os.close(descriptor)


def test_a_card_that_does_not_keep_what_is_written_is_found(make_card, tmp_path):
    """dd is put before the real one, and spoils a byte of what was written."""
    card = make_card()
    (tmp_path / "bin").mkdir()
    shim = tmp_path / "bin" / "dd"
    shim.write_text('#!/bin/sh\n/bin/dd "$@" || exit\n'
                    f'case "$*" in *of={card.device}*) printf X |'
                    f' /bin/dd of={card.device} bs=1 seek=30000000 conv=notrunc status=none ;; esac\n')
    shim.chmod(0o755)
    code, said = flash(image(), card.device, "--yes", path=tmp_path / "bin")
    assert code != 0
    assert "does not hold what was written to it" in said
    assert "done" not in said


def assert_refused(result, words):
    code, said = result
    assert code != 0, said
    assert re.search(re.escape(words), said), said
    assert "writing" not in said
