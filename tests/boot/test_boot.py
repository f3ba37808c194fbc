"""The image as its user meets it: first boot, a configuration on the boot partition, power cuts."""

import json

from harness.collector import HttpCollector
from harness.desk import Desk
from harness.mqtt_peer import NumberedPublisher
from harness.ports import free_port
from harness.waiting import wait_for
from machine import BOOT_DEADLINE, HOST, NumberedLines
from power_cuts import PowerCuts

IMAGE_LIMIT = 64 * 1024 * 1024


def serial_to(collector):
    return json.dumps({
        "agent": {"id": "gw-1", "dataDir": "/var/lib/leat"},
        "pipelines": [
            {"name": "line",
             "source": {"type": "serial", "port": "/dev/ttyUSB0", "baudRate": 9600, "format": "json"},
             "sink": {"type": "http", "url": f"http://{HOST}:{collector.port}/", "format": "ndjson",
                      "batch": {"linger": "20ms"}}}]})


def test_a_configuration_on_the_boot_partition_is_taken_over_and_a_bad_one_is_not(machine):
    collector = HttpCollector()
    device = NumberedLines(machine, rate=10)
    assert machine.disk.stat().st_size <= IMAGE_LIMIT

    # The first start: nothing is configured, and the agent waits.
    machine.start()
    machine.wait_console("no pipelines")
    status = machine.run("leat-status")
    assert "agent: runs (leat " in status
    assert "configuration: none yet" in status

    # It runs as its own user, from a root that nobody can write to.
    assert machine.run("ps | grep '[l]eat run' | awk '{print $2}'").split() == ["leat"]
    assert "Read-only file system" in machine.run("touch /usr/bin/x 2>&1")
    assert "Read-only file system" in machine.run("touch /boot/x 2>&1")

    # In order: the agent drains, the file systems are closed, and the machine is off.
    machine.run("poweroff")
    machine.wait_off()
    assert "SIGTERM: draining" in machine.console

    # A good configuration.
    machine.place("leat.json", serial_to(collector))
    machine.place("hostname", "press-7\n")
    machine.start()
    machine.wait_console("take-config: /boot/leat.json is taken over")
    device.start()
    collector.wait_records(1, BOOT_DEADLINE)
    status = machine.run("hostname; leat-status")
    assert status.startswith("press-7\n")
    assert "configuration: /etc/leat/leat.json" in status
    assert "/boot/leat.json is taken over" in status
    machine.run("sync")  # what follows is about the configuration
    machine.cut()
    device.stop()

    # A bad one: what was there goes on, and the error is on the console and in the status.
    machine.place("leat.json", serial_to(collector).replace("baudRate", "baudrate"))
    machine.start()
    machine.wait_console(r'pipelines\[0\].source.baudrate: unknown key, did you mean "baudRate"')
    machine.wait_console("/boot/leat.json is not taken over: .*; the agent runs with what it had")
    before = collector.line_count()
    device.start()
    collector.wait_records(before + 1, BOOT_DEADLINE)
    status = machine.run("leat-status")
    assert "pipelines[0].source.baudrate: unknown key" in status
    assert "is not taken over" in status
    machine.cut()
    device.stop()
    collector.down()


def test_without_a_data_partition_it_delivers_all_the_same(machine):
    collector = HttpCollector()
    machine.place("leat.json", serial_to(collector))
    machine.wipe_data()
    machine.start()
    machine.wait_console("CANNOT BE MOUNTED: records are kept in memory only")
    device = NumberedLines(machine, rate=10)
    device.start()
    collector.wait_records(1, BOOT_DEADLINE)
    machine.cut()
    device.stop()
    collector.down()


def test_it_is_steered_from_afar_and_gives_back_what_delivers_to_nowhere(machine, broker):
    collector = HttpCollector()

    def configuration(port, path):
        return {
            "agent": {"id": "gw-1", "dataDir": "/var/lib/leat", "probation": "15s",
                      "control": {"url": f"mqtt://{HOST}:{broker.port}",
                                  "keys": [{"id": "fleet", "secret": "f" * 32, "role": "configure"}]}},
            "pipelines": [
                {"name": "line",
                 "source": {"type": "mqtt", "url": f"mqtt://{HOST}:{broker.port}", "topics": ["plant/#"],
                            "qos": 1, "clientId": "line", "format": "json"},
                 "sink": {"type": "http", "url": f"http://{HOST}:{port}/{path}", "format": "ndjson",
                          "batch": {"linger": "50ms"}}}]}

    def delivered(path=None):
        return {record["seq"] for request in collector.accepted for record in request.records
                if path is None or request.path == path}

    publisher = NumberedPublisher(broker.port, "plant/1", qos=1, rate=20)
    with Desk(broker, {"fleet": "f" * 32}, agent="gw-1") as desk:
        def set_config(config):
            id = desk.send("config.set", {"config": config})
            wait_for(lambda: "running" in desk.states(id), BOOT_DEADLINE, "it is taken over")
            return id

        def wait_answer(id):
            return wait_for(lambda: desk.answer(id), BOOT_DEADLINE, "the end of its probation")

        def wait_version(number, origin):
            def runs():
                status = desk.status()
                return status and status["online"] and (
                    status["config"]["version"], status["config"]["origin"]) == (number, origin)
            wait_for(runs, BOOT_DEADLINE, lambda: f"version {number}, not {desk.status()}")

        machine.place("leat.json", json.dumps(configuration(collector.port, "first")))
        machine.start()
        wait_for(lambda: "Sending SUBACK to line" in broker.log, BOOT_DEADLINE, "the pipeline is there")
        wait_for(desk.status, BOOT_DEADLINE, "its status")
        publisher.start()
        wait_for(lambda: delivered("/first"), BOOT_DEADLINE, "records")

        # A new configuration, which does.
        answer = wait_answer(set_config(configuration(collector.port, "second")))
        assert answer["state"] == "succeeded", answer
        number = answer["result"]["version"]
        wait_for(lambda: delivered("/second"), BOOT_DEADLINE, "records at the new address")

        # One that delivers to nowhere is given back, and what came meanwhile is delivered.
        nowhere = configuration(free_port(), "nowhere")
        answer = wait_answer(set_config(nowhere))
        assert answer["state"] == "rolledBack", answer
        assert "delivers nothing now" in answer["text"]
        wait_version(number, "remote")

        # The power is cut while such a one is on probation.
        id = set_config(nowhere)
        machine.cut()
        machine.start()
        wait_version(number, "remote")
        wait_for(lambda: "rolledBack" in desk.states(id), BOOT_DEADLINE, "its end is told")
        publisher.stop()
        wait_for(lambda: delivered() == set(publisher.accepted), BOOT_DEADLINE,
                 lambda: f"{sorted(set(publisher.accepted) - delivered())[:9]} of what the broker had")
    collector.down()


def test_no_acknowledged_record_is_lost_by_ten_power_cuts(machine, broker):
    trial = PowerCuts(machine, broker, seed=1)
    try:
        trial.start()
        while trial.cuts < 10:
            trial.cut()
        trial.finish()
        print(trial.report())
        assert trial.lost() == []
        assert trial.holes_elsewhere() == []
    finally:
        trial.close()
