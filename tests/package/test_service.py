"""The .deb in a Debian that boots: installed, run by systemd, upgraded, removed, purged."""

import os

import pytest

from fixtures.machine import wait_for
from fixtures.service import CONFIG, Service

@pytest.fixture
def service(machine, made):
    """The service, installed a moment ago."""
    service = Service(machine)
    service.install(made["static"])
    return service


def owner_and_mode(machine, path):
    return machine.run("stat", "-c", "%U:%G %a", path).strip()


def test_installing_starts_the_service_under_its_own_user(service, machine):
    assert service.is_active() and service.property("SubState") == "running"
    assert machine.run("systemctl", "is-enabled", "leat").strip() == "enabled"
    assert (service.property("Type"), service.property("WatchdogUSec")) == ("notify", "1min")
    status = machine.path(f"/proc/{service.main_pid()}/status").read_text()
    fields = dict(line.split(":\t", 1) for line in status.splitlines())
    uid, dialout = machine.run("id", "-u", "leat").strip(), machine.run(
        "sh", "-c", "getent group dialout | cut -d: -f3").strip()
    assert set(fields["Uid"].split()) == {uid} and dialout in fields["Groups"].split()
    assert (fields["NoNewPrivs"], fields["CapBnd"], fields["Seccomp"]) == ("1", "0" * 16, "2")
    assert owner_and_mode(machine, CONFIG) == "root:leat 640"
    assert owner_and_mode(machine, "/var/lib/leat") == "leat:leat 750"


def test_a_new_configuration_takes_effect_with_a_reload(service, machine):
    before = service.main_pid()
    service.configure()
    service.feed(1, 2)
    machine.run("systemctl", "reload", "leat")
    service.wait_delivered(1, 2)
    assert service.is_active() and service.main_pid() == before


def test_a_bad_configuration_fails_the_reload_and_changes_nothing(service, machine):
    service.configure()
    machine.run("systemctl", "reload", "leat")
    before = service.main_pid()
    service.configure(sink={"type": "file", "pathh": "/var/lib/leat/out"})
    assert machine.try_run("systemctl", "reload", "leat").returncode != 0
    assert "pipelines[0].sink.pathh" in service.journal()
    service.feed(1)
    service.wait_delivered(1)
    assert service.is_active() and service.main_pid() == before


def test_an_upgrade_keeps_configuration_and_data_and_runs_the_new_version(service, machine, newer):
    service.configure()
    service.feed(1, 2)
    machine.run("systemctl", "reload", "leat")
    service.wait_delivered(1, 2)
    before, config = service.main_pid(), machine.path(CONFIG).read_text()
    service.install(newer)
    assert machine.run("dpkg-query", "-W", "-f", "${Version}", "leat") == newer.version
    assert service.is_active() and service.main_pid() != before
    assert machine.path(CONFIG).read_text() == config
    assert owner_and_mode(machine, CONFIG) == "root:leat 640"
    service.feed(3)
    service.wait_delivered(1, 2, 3)  # the position was kept: nothing was read again


def test_removing_stops_and_keeps_what_purging_takes_away(service, machine, made):
    service.configure()
    service.feed(1)
    machine.run("systemctl", "reload", "leat")
    service.wait_delivered(1)
    machine.write("/etc/leat/key.pem", "not the package's\n")

    machine.run("apt-get", "remove", "-y", "-q", "leat")
    assert not machine.exists("/usr/bin/leat")
    assert machine.try_run("systemctl", "is-active", "leat").stdout.strip() == "inactive"
    assert service.pids() == []
    assert machine.exists(CONFIG) and machine.exists("/var/lib/leat/journal.db")

    service.install(made["static"])
    assert service.is_active()
    service.feed(2)
    service.wait_delivered(1, 2)

    machine.path("/etc/leat/key.pem").unlink()
    machine.run("apt-get", "purge", "-y", "-q", "leat")
    for path in (CONFIG, "/etc/leat", "/var/lib/leat", "/etc/init.d/leat", "/run/leat",
                 "/etc/systemd/system/multi-user.target.wants/leat.service"):
        assert not machine.exists(path), path
    assert machine.run("find", "/", "-xdev", "-path", "/packages", "-prune", "-o", "-path", "/proc",
                       "-prune", "-o", "-path", "/sys", "-prune", "-o", "-user", "leat", "-print") == ""
    machine.run("id", "leat")  # stays, so that nobody gets its number
    assert machine.run("dpkg", "--audit") == ""


def test_purging_leaves_what_others_have_put_beside_the_configuration(service, machine):
    machine.write("/etc/leat/key.pem", "not the package's\n")
    machine.run("dpkg", "--purge", "leat")
    assert os.listdir(machine.path("/etc/leat")) == ["key.pem"]


def test_a_hanging_agent_is_restarted_by_the_watchdog(service, machine):
    service.drop_in("WatchdogSec=1s", "TimeoutAbortSec=1s", "RestartSec=100ms")
    service.configure()
    machine.run("systemctl", "restart", "leat")
    before = service.main_pid()
    machine.run("sh", "-c", f"kill -STOP {before}")
    wait_for(lambda: service.main_pid() not in (0, before), "another process")
    wait_for(service.is_active, "it to be ready")
    assert "Watchdog timeout" in service.journal()
    service.feed(1)
    service.wait_delivered(1)


def test_an_agent_that_dies_again_and_again_is_restarted_each_time(service, machine):
    service.drop_in("RestartSec=10ms")
    machine.run("systemctl", "restart", "leat")
    for _ in range(8):  # systemd's own limit would be 5 in 10 s
        before = wait_for(lambda: service.is_active() and service.main_pid(), "it to run")
        machine.run("sh", "-c", f"kill -KILL {before}")
        wait_for(lambda: service.main_pid() not in (0, before), "another process")
    wait_for(service.is_active, "it to be ready")


def test_stopping_drains(service, machine):
    service.configure()
    service.feed(*range(1000))
    machine.run("systemctl", "restart", "leat")
    wait_for(service.delivered, "the first records")
    machine.run("systemctl", "stop", "leat")
    assert (service.property("Result"), service.property("ExecMainStatus")) == ("success", "0")
    machine.run("systemctl", "start", "leat")
    service.wait_delivered(*range(1000))  # each once


def test_only_its_data_folder_is_writable_until_the_unit_says_more(service, machine):
    archive = machine.path("/srv/archive")
    archive.mkdir(parents=True)
    archive.chmod(0o777)  # so nothing but the sandbox is in the way
    service.configure(sink={"type": "file", "path": "/srv/archive/out.jsonl", "format": "ndjson"})
    service.feed(1)
    machine.run("systemctl", "restart", "leat")
    wait_for(lambda: "Read-only file system" in service.journal()
             or "read-only file system" in service.journal(), "the complaint")
    assert os.listdir(archive) == []
    # As board/service/README.md says.
    service.drop_in("ReadWritePaths=/srv/archive")
    machine.run("systemctl", "restart", "leat")
    service.wait_delivered(1, path="/srv/archive/out.jsonl")


def test_a_process_of_the_service_cannot_write_elsewhere(service, machine):
    folders = ["/etc", "/etc/leat", "/usr", "/srv", "/home", "/boot", "/opt", "/var", "/run", "/var/lib/leat"]
    for folder in folders:
        machine.path(folder).chmod(0o777)
    service.drop_in(f"ExecStartPost=-/bin/sh -c 'touch {' '.join(f'{one}/written' for one in folders)}; "
                    "touch /var/lib/leat/tried'")
    machine.run("systemctl", "restart", "leat")
    assert machine.exists("/var/lib/leat/tried")
    assert [folder for folder in folders if machine.exists(f"{folder}/written")] == ["/var/lib/leat"]


def test_of_all_devices_a_process_of_the_service_can_open_serial_ports(service, machine):
    # None of these drivers is loaded here, nor were they when the service started: an adapter is
    # plugged in later. "No such device" comes from the driver's absence, past the sandbox.
    serial = {"ttyUSB7": (188, 7), "ttyACM0": (166, 0), "ttyAMA0": (204, 64), "rfcomm0": (216, 0)}
    others = {"loop-control": (10, 237), "disk": (254, 0)}
    for name, (major, minor) in {**serial, **others}.items():
        kind = "b" if name == "disk" else "c"
        machine.run("mknod", "-m", "666", f"/dev/{name}", kind, str(major), str(minor))
    service.drop_in("ExecStartPost=-/bin/sh -c 'for name in " + " ".join({**serial, **others}) +
                    "; do echo \"$$name: $$(head -c1 /dev/$$name 2>&1 >/dev/null)\"; done"
                    " >/var/lib/leat/tried'")
    machine.run("systemctl", "restart", "leat")
    tried = machine.path("/var/lib/leat/tried").read_text().splitlines()
    assert len(tried) == len(serial) + len(others)
    for line in tried:
        expected = "No such device" if line.partition(":")[0] in serial else "Operation not permitted"
        assert expected in line


def test_it_reads_a_serial_line(service, machine):
    machine.run("sh", "-c", "socat -d pty,raw,echo=0,link=/run/scale,group=dialout,mode=660"
                " unix-listen:/run/device >/dev/null 2>&1 </dev/null &")
    wait_for(lambda: machine.exists("/run/device"), "the line")
    service.configure(source={"type": "serial", "port": "/run/scale", "format": "json"})
    machine.run("systemctl", "reload", "leat")
    machine.run("sh", "-c", """for n in 1 2 3; do echo "{\\"n\\":$n}"; done | socat -u - unix:/run/device""")
    service.wait_delivered(1, 2, 3)


def test_it_delivers_over_the_network_to_a_name(service, machine):
    machine.write("/etc/hosts", "127.0.0.1 collector.example\n")
    machine.write("/root/answer", """read -r line
        echo "$line" >>/run/requests
        printf 'HTTP/1.1 204 No Content\\r\\nConnection: close\\r\\n\\r\\n'
        cat >>/run/requests""")
    machine.run("sh", "-c", "socat tcp-listen:8080,fork,reuseaddr system:'sh /root/answer'"
                " >/dev/null 2>&1 </dev/null &")
    service.configure(sink={"type": "http", "url": "http://collector.example:8080/ingest"})
    service.feed(42)
    machine.run("systemctl", "reload", "leat")
    requests = machine.path("/run/requests")
    wait_for(lambda: requests.exists() and '{"n":42}' in requests.read_text(), "the request")
    assert requests.read_text().startswith("POST /ingest HTTP/1.1")


def test_a_configuration_on_the_boot_partition_is_taken_over_when_it_is_right(service, machine):
    service.configure()
    machine.path(CONFIG).rename(machine.path("/boot/leat.json"))
    service.feed(1)
    machine.run("systemctl", "restart", "leat")
    service.wait_delivered(1)
    assert owner_and_mode(machine, CONFIG) == "root:leat 640"

    before = machine.path(CONFIG).read_text()
    machine.write("/boot/leat.json", '{ "pipelines": [ { "nmae": "x" } ] }')
    machine.run("systemctl", "restart", "leat")
    assert service.is_active() and machine.path(CONFIG).read_text() == before
    assert "pipelines[0].nmae" in service.journal()
    service.feed(2)
    service.wait_delivered(1, 2)


def test_systemd_and_udev_find_nothing_wrong(service, machine):
    assert machine.run("systemd-analyze", "verify", "--man=no", "leat.service") == ""
    # In tenths: 1.8 as of systemd 252. What it cannot be without is the network, serial ports, and
    # the sight of all files.
    machine.run("systemd-analyze", "security", "--offline=yes", "--threshold=20", "leat.service")
    rules = machine.run("udevadm", "test", "/sys/class/net/lo")
    assert "/usr/lib/udev/rules.d/60-leat-serial.rules" in rules or "Reading rules" in rules
    assert [line for line in rules.splitlines() if "60-leat" in line and "Reading" not in line] == []
