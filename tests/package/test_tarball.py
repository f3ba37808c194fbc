"""The tarball's install.sh: into a running system, and into a folder."""

import subprocess

import pytest

from fixtures.machine import wait_for
from fixtures.service import CONFIG, Service


@pytest.fixture
def unpacked(made, tmp_path):
    subprocess.run(["tar", "-xzf", made["static"].tarball, "-C", tmp_path], check=True)
    return tmp_path / made["static"].tarball.name.removesuffix(".tar.gz")


def test_install_sh_installs_into_another_root(unpacked, tmp_path):
    root = tmp_path / "root"
    (root / "usr/lib/systemd/system").mkdir(parents=True)
    for _ in range(2):  # the second time is an upgrade
        subprocess.run([unpacked / "install.sh"], env={"DESTDIR": str(root), "PATH": "/usr/bin:/bin"},
                       check=True, capture_output=True)
        config = root / CONFIG.lstrip("/")
        assert config.exists()
        for name in ("usr/bin/leat", "usr/lib/systemd/system/leat.service", "usr/lib/leat/take-config"):
            assert (root / name).read_bytes() == (unpacked / name).read_bytes()
            assert (root / name).stat().st_mode == (unpacked / name).stat().st_mode
        assert not (root / "etc/init.d").exists()
    config.write_text("mine\n")
    subprocess.run([unpacked / "install.sh"], env={"DESTDIR": str(root), "PATH": "/usr/bin:/bin"},
                   check=True, capture_output=True)
    assert config.read_text() == "mine\n"
    subprocess.run([unpacked / "install.sh", "--remove"], check=True, capture_output=True,
                   env={"DESTDIR": str(root), "PATH": "/usr/bin:/bin"})
    left = [path for path in root.rglob("*") if path.is_file()]
    assert left == [config]


def test_install_sh_makes_a_service_that_runs(machine, made):
    agent = Service(machine)
    machine.run("sh", "-c", "cd /root && tar -xzf /packages/static/*.tar.gz && ./leat-*/install.sh")
    assert agent.is_active()
    agent.configure()
    agent.feed(1)
    machine.run("systemctl", "reload", "leat")
    agent.wait_delivered(1)
    before = agent.main_pid()
    machine.run("sh", "-c", "/root/leat-*/install.sh")  # an upgrade
    wait_for(lambda: agent.is_active() and agent.main_pid() != before, "the new one")
    agent.feed(2)
    agent.wait_delivered(1, 2)
    machine.run("sh", "-c", "/root/leat-*/install.sh --remove")
    assert agent.pids() == [] and not machine.exists("/usr/bin/leat")
    assert machine.exists(CONFIG) and machine.exists("/var/lib/leat/journal.db")
