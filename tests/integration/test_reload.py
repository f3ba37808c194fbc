"""A new configuration while the agent runs: it touches what it changes, and nothing else."""

import json
import re
import signal

from harness.pipelines import file_source, http_sink, pipeline
from harness.telemetry import expect_each_once

MANY = 49


def numbers_in(folder, name):
    """The records that the file sink of a pipeline has written so far, by number."""
    for path in (folder / f"{name}.jsonl", folder / f"{name}.jsonl.part"):
        try:
            lines = path.read_bytes().split(b"\n")[:-1]  # behind the last there may be half a line
        except FileNotFoundError:
            continue
        return [json.loads(line)["seq"] for line in lines if line]
    return []


def test_adding_and_removing_a_pipeline_disturbs_none_of_many_others_under_load(agent):
    names = ["p", *(f"p{i}" for i in range(1, MANY + 1))]

    def configure(count):
        agent.configure(*[pipeline({"type": "generator", "rate": 200, "seed": i + 1},
                                   {"type": "file", "path": str(agent.folder / f"{name}.jsonl"),
                                    "batch": {"linger": "50ms"}})
                          for i, name in enumerate(names[:count])], memory="50MiB")

    def all_have(count, of):
        agent.wait_for(lambda: all(len(numbers_in(agent.folder, name)) >= count for name in of),
                       what=f"{count} records of each")

    configure(MANY)
    agent.start()
    all_have(50, names[:MANY])
    configure(MANY + 1)
    agent.send(signal.SIGHUP)
    agent.wait_log(rf"configuration taken over: 1 pipeline .re.started, {MANY} untouched")
    all_have(50, names[MANY:])
    so_far = max(len(numbers_in(agent.folder, name)) for name in names)
    all_have(so_far + 50, names[:MANY])
    configure(MANY)
    agent.send(signal.SIGHUP)
    agent.wait_log(rf"configuration taken over: 0 pipelines .re.started, {MANY} untouched")
    agent.wait_log(f" {names[MANY]}: done: ")
    all_have(so_far + 100, names[:MANY])
    agent.terminate()
    assert agent.wait() == 0
    for name in names:
        numbers = numbers_in(agent.folder, name)
        expect_each_once(numbers, len(numbers))
        # Whoever was restarted says so more than once, and counts anew.
        assert re.findall(rf" {name}: done: ([0-9,]+) records read", agent.log) == [
            f"{len(numbers):,}"]


def test_white_space_key_order_and_defaults_that_are_spelled_out_restart_nothing(
        agent, collector, telemetry):
    source = file_source(telemetry(10), follow=True)
    sink = http_sink(collector)
    agent.configure(pipeline(source, sink))
    agent.start()
    collector.wait_records(10)
    spelled = {"delivery": {"guarantee": "atLeastOnce", "maxSpool": "65536KiB"},
               "sink": dict(reversed({**sink, "method": "POST", "inFlight": 2}.items())),
               "source": dict(reversed(source.items())), "transforms": [], "name": "p"}
    agent.write_config(json.dumps({"pipelines": [spelled], "agent": {
        "dataDir": str(agent.data_dir), "id": "test"}}, indent=7))
    agent.send(signal.SIGHUP)
    agent.wait_log("configuration taken over: 0 pipelines .re.started, 1 untouched")
    agent.terminate()
    assert agent.wait() == 0


def test_a_pipeline_goes_on_in_its_old_form_when_the_new_one_cannot_be_opened(
        agent, collector, telemetry):
    path = agent.folder / "growing.jsonl"
    path.write_text('{"seq":100}\n')
    source = file_source(path, follow=True)
    agent.configure(pipeline(source, http_sink(collector)))
    agent.start()
    collector.wait_records(1)
    ca = agent.folder / "missing.pem"
    agent.configure(pipeline(source, {**http_sink(collector), "url": "https://127.0.0.1:1/",
                                      "tls": {"ca": str(ca)}}),
                    pipeline(file_source(telemetry(10), follow=True), http_sink(collector)))
    agent.send(signal.SIGHUP)
    agent.wait_log("error p: the new configuration is not used, the old one goes on: "
                   f".*{ca}: no such file")
    # All of it, so that what runs is what somebody has written.
    agent.wait_log("configuration version 2 is taken back, version 1 runs again: p cannot be opened")
    agent.wait_log(" p1: done: ")
    with open(path, "a", encoding="utf8") as file:
        file.write('{"seq":101}\n')
    agent.wait_for(lambda: 101 in [one["seq"] for one in collector.records()], what="record 101")
    assert len(agent.log_lines(" error p: ")) == 1
    agent.terminate()
    assert agent.wait() == 0
    expect_each_once([one["seq"] - 100 for one in collector.records() if one["seq"] >= 100], 2)


def test_a_source_whose_new_certificate_is_missing_keeps_its_connection(
        agent, mosquitto, collector):
    source = {"type": "mqtt", "url": mosquitto.url, "topics": ["t"], "format": "json"}
    agent.configure(pipeline(source, http_sink(collector)))
    agent.start()
    mosquitto.wait_log("Sending SUBACK")
    agent.configure(pipeline({**source, "url": mosquitto.url.replace("mqtt:", "mqtts:"),
                              "tls": {"ca": str(agent.folder / "missing.pem")}},
                             http_sink(collector)))
    agent.send(signal.SIGHUP)
    agent.wait_log("error p: the new configuration is not used, the old one goes on: "
                   ".*missing.pem: no such file")
    mosquitto.publish("t", '{"seq":1}', qos=1)
    collector.wait_records(1)
    ours = [line for line in mosquitto.log.splitlines() if "leat-" in line and "connected" in line]
    assert len(ours) == 1, ours


def test_a_folder_of_files_is_read_anew(agent):
    folder = agent.folder / "conf.d"
    folder.mkdir()

    def write(name, number):
        chain = pipeline({"type": "generator", "rate": 200},
                         {"type": "file", "path": str(agent.folder / f"{name}.jsonl"),
                          "batch": {"linger": "50ms"}})
        chain["name"] = name
        (folder / f"{number}-{name}.json").write_text(json.dumps({"pipelines": [chain]}))

    (folder / "00-agent.json").write_text(json.dumps(
        {"agent": {"dataDir": str(agent.data_dir), "memory": "8MiB"}}))
    write("one", 10)
    agent.config_path = folder
    agent.start()
    agent.wait_for(lambda: numbers_in(agent.folder, "one"), what="the first pipeline")
    write("two", 20)
    agent.send(signal.SIGHUP)
    agent.wait_log("configuration taken over: 1 pipeline .re.started, 1 untouched")
    agent.wait_for(lambda: numbers_in(agent.folder, "two"), what="the second pipeline")
    write("two", 30)
    agent.send(signal.SIGHUP)
    agent.wait_log(r'"two" is the name of pipelines\[0\] of .*/20-two\.json already '
                   r"\(.*/30-two\.json:1:\d+\)")
    agent.terminate()
    assert agent.wait() == 0
