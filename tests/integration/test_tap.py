"""`leat tap`: records of a running pipeline as they pass."""

import json
import subprocess

from harness.pipelines import file_source, http_sink, pipeline, where
from harness.waiting import wait_for


def append(log, *records):
    with open(log, "a", encoding="utf8") as file:
        for record in records:
            file.write(json.dumps(record) + "\n")


class Tap:
    """A `leat tap` in the background; its lines are read as they come."""

    def __init__(self, agent, *arguments):
        self.process = subprocess.Popen(
            [agent.binary, "tap", "p", "--data-dir", str(agent.data_dir), *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def line(self):
        return json.loads(self.process.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()


def running(agent, collector, log):
    log.touch()
    agent.configure(pipeline(file_source(log, follow=True), http_sink(collector),
                             where("seq >= 0")))
    agent.start()
    append(log, {"seq": 0})
    collector.wait_records(1)


def test_a_tap_shows_records_as_they_pass_and_what_a_stage_drops(agent, collector):
    log = agent.folder / "in.jsonl"
    running(agent, collector, log)
    def shown(tap, *records):
        """A tap shows what comes after it has begun to look."""
        append(log, *records)
        while select_line(tap):
            line = tap.line()
            if "skipped" not in line:
                return line
        return None

    with Tap(agent, "-n", "2", "--where", "seq <> 7") as tap, Tap(agent, "--dropped") as dropped:
        assert wait_for(lambda: shown(dropped, {"seq": 7}, {"seq": -1}))["record"] == {"seq": -1}
        for _ in range(2):
            line = wait_for(lambda: shown(tap, {"seq": 7}, {"seq": -1}, {"seq": 1}))
            assert (line["stage"], line["record"]) == ("filter", {"seq": 1})
        assert tap.process.wait(20) == 0
    wait_for(lambda: {"seq": 1} in collector.records())
    assert all(record["seq"] >= 0 for record in collector.records())


def status(agent):
    done = agent.command("status", "--json", "--data-dir", str(agent.data_dir))
    return json.loads(done.stdout)["pipelines"] if done.stdout else []


def test_a_tap_ends_with_the_pipeline_and_says_what_it_cannot_show(agent, collector):
    log = agent.folder / "in.jsonl"
    running(agent, collector, log)

    def tap(*arguments):
        return agent.command("tap", "--data-dir", str(agent.data_dir), *arguments)

    unknown = tap("q")
    assert (unknown.returncode, unknown.stderr) == (2, 'leat: there is no pipeline "q"\n')
    stage = tap("p", "--at", "nowhere")
    assert stage.returncode == 2
    assert 'there is no stage "nowhere"; there are 1 "decode json"' in stage.stderr
    assert tap("p", "--where", "seq =").returncode == 2
    with Tap(agent) as open_one:
        def shown():
            append(log, {"seq": 5})
            return select_line(open_one)
        wait_for(shown)
        assert agent.command("pause", "p", "--data-dir", str(agent.data_dir)).returncode == 0
        assert open_one.process.wait(20) == 3  # nothing runs there any more, and stderr says so
    wait_for(lambda: status(agent)[0]["state"] == "paused")
    paused = tap("p")
    assert (paused.returncode, paused.stderr) == (2, "leat: p: does not run\n")
    agent.terminate()
    assert agent.wait() == 0
    gone = tap("p")
    assert gone.returncode == 3


def test_a_tap_goes_on_when_the_pipeline_starts_anew(agent, collector):
    log = agent.folder / "in.jsonl"
    running(agent, collector, log)
    with Tap(agent, "--rate", "1000") as tap:
        def shown(wanted):
            append(log, {"seq": 5})
            while select_line(tap):
                if wanted in tap.line():
                    return True
            return False
        wait_for(lambda: shown("record"))
        assert agent.command("restart", "p", "--data-dir", str(agent.data_dir)).returncode == 0
        wait_for(lambda: shown("restarted"))
        wait_for(lambda: shown("record"))


def select_line(tap):
    import select
    ready, _, _ = select.select([tap.process.stdout], [], [], 0.05)
    return bool(ready)


def test_a_reader_that_takes_nothing_holds_up_nothing(agent, collector, telemetry):
    log = agent.folder / "in.jsonl"
    running(agent, collector, log)
    with Tap(agent, "--rate", "1000") as tap:
        tap.process.send_signal(19)  # SIGSTOP
        log.write_bytes(log.read_bytes() + telemetry(20_000).read_bytes())
        collector.wait_records(20_001)
        tap.process.send_signal(18)


def test_a_tap_where_there_is_no_stage_says_what_makes_one(agent):
    source = {"type": "generator", "rate": 10}
    sink = {"type": "sqlite", "path": str(agent.folder / "out.db"), "table": "t", "createTable": True}
    agent.configure(pipeline(source, sink))
    agent.start()
    wait_for(lambda: status(agent))
    done = agent.command("tap", "p", "--data-dir", agent.data_dir)
    assert done.returncode == 2
    assert "no stage between source and sink" in done.stderr and 'a filter where "true"' in done.stderr
