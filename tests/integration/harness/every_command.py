"""Each command of the table once, and what it does: one script for all ways in to an agent.

A way (over the control topic, over HTTP) has
    ask(command, arguments)   what it gives: the result, or the text where there is none; fails otherwise
    change(command, arguments)   the same of one that changes the configuration, when its probation is over
    tap(arguments, feed)      one record as it passes; feed() brings one to the pipeline
"""

import json
import re
from pathlib import Path

from .collector import HttpCollector
from .pipelines import file_source, http_sink, pipeline
from .unix_http import UnixHttp
from .waiting import wait_for

ROOT = Path(__file__).resolve().parents[3]


def table():
    """The role of each command, as the table of the agent's source has them."""
    text = (ROOT / "agent/control/commands/table.cpp").read_text()
    rows = re.findall(r'^    \{\.name = "([a-zA-Z.]+)",\n(?:     \.role = Role::k([A-Z][a-z]+),\n)?',
                      text[text.index("kCommands[] = {"):], re.M)
    assert len(rows) > 30
    return {name: (role or "Read").lower() for name, role in rows}


class EveryCommand:
    """drive() asks all of them; a command that it does not know makes check() fail.

        every = EveryCommand(agent, collector)
        agent.configure(*every.pipelines, …); agent.start()
        every.drive(way)
    """

    def __init__(self, agent, collector):
        self.agent = agent
        self.collector = collector
        self.other = HttpCollector()  # down at first
        self.other.down()
        self.followed = agent.folder / "grows.jsonl"
        self.spooled = agent.folder / "spooled.jsonl"
        self.followed.write_text('{"seq": 0}\n')
        self.spooled.write_text('{"seq": 1000}\n')
        # The first attempt fails, and the next one is an hour away.
        delivery = {"spool": "always", "retry": {"initial": "1h", "max": "1h"}}
        self.pipelines = [
            {"name": "p", **pipeline(file_source(self.followed, follow=True), http_sink(collector))},
            {"name": "s", **pipeline(file_source(self.spooled, follow=True), http_sink(self.other),
                                     delivery=delivery)}]
        self.asked = set()
        self.way = None

    def close(self):
        self.other.down()

    def ask(self, command, arguments=None):
        self.asked.add(command)
        return self.way.ask(command, arguments or {})

    def change(self, command, arguments=None):
        self.asked.add(command)
        version = self.way.change(command, arguments or {})
        assert version["state"] == "good", version

    def append(self, path, *lines):
        with open(path, "a", encoding="utf8") as file:
            file.writelines((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)

    def now(self, path):
        """What is to be waited for is looked at over leat.sock, whichever the way is."""
        connection = UnixHttp(self.agent.data_dir / "leat.sock")
        try:
            connection.request("GET", f"/api/v1/{path}")
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def status(self, name):
        return self.now(f"status?pipeline={name}")["pipelines"][0]

    def wait_state(self, name, *states):
        wait_for(lambda: self.status(name)["state"] in states,
                 what=lambda: f"{name} to be {states}, not {self.status(name)}")

    def limit(self):
        return self.now("config")["pipelines"][0].get("limits", {}).get("recordsPerSecond")

    def delivered(self, collector, seq):
        wait_for(lambda: seq in [record["seq"] for record in collector.records()],
                 what=f"record {seq} to be delivered")

    # --- the script -------------------------------------------------------------------------------

    def drive(self, way):
        self.way = way
        self.delivered(self.collector, 0)
        self.look()
        self.life_of_a_pipeline()
        self.spool()
        self.dead_letters()
        self.journal_and_positions()
        self.log()
        self.tap()
        self.configuration()
        self.process()

    def check(self):
        assert self.asked == set(table())

    def look(self):
        assert self.ask("ping")["id"] == "test"
        assert self.ask("status", {"pipeline": "p"})["pipelines"][0]["records"]["delivered"] == 1
        assert self.ask("stats")["pipelines"][0]["records"]["delivered"] == 1
        assert [one["source"] for one in self.ask("pipeline.list")["pipelines"]] == ["file", "file"]

    def life_of_a_pipeline(self):
        for command, state in (("pause", "paused"), ("resume", "running"), ("stop", "stopped"),
                               ("start", "running"), ("unmount", "unmounted"), ("mount", "running")):
            self.ask(f"pipeline.{command}", {"pipeline": "p"})
            self.wait_state("p", state)
        self.append(self.followed, {"seq": 10})
        wait_for(lambda: self.status("p")["records"]["delivered"] == 1, what="record 10, in this run")
        self.ask("pipeline.restart", {"pipeline": "p"})
        wait_for(lambda: self.status("p")["records"]["delivered"] == 0, what="another run")
        self.wait_state("p", "running")

    def spool(self):
        s = {"pipeline": "s"}
        wait_for(lambda: self.now("spool")["spools"], what="a record in the spool")
        assert self.ask("spool.list") == self.now("spool")
        assert "1000" in self.ask("spool.records", s)[0]["raw"]
        assert self.ask("spool.drop", {**s, "all": True})["records"] == 1
        wait_for(lambda: self.status("s")["spoolBytes"] == 0, what="nothing in the spool")
        assert self.ask("spool.records", s) == []
        self.append(self.spooled, {"seq": 1001})
        self.wait_state("s", "retrying", "circuit open")
        self.other.up()
        self.ask("pipeline.kick", s)
        self.delivered(self.other, 1001)
        assert 1000 not in [record["seq"] for record in self.other.records()]

    def dead_letters(self):
        def open_letters():
            return self.ask("deadLetters.show", {"pipeline": "p"})[:-1]

        def wait_letters(count):
            wait_for(lambda: len(self.agent.dead_letters()) == count, what=f"dead letter {count}")
        self.append(self.followed, "no record")
        wait_letters(1)
        [letter] = open_letters()
        assert self.ask("deadLetters.list", {"pipeline": "p"})["deadLetters"]
        mended = {"pipeline": "p", "ids": letter["id"], "edited": {**letter, "raw": '{"seq": 1}'}}
        assert self.ask("deadLetters.retry", mended)["retried"] == 1
        self.delivered(self.collector, 1)
        self.append(self.followed, "nor this")
        wait_letters(2)
        assert self.ask("deadLetters.drop", {"pipeline": "p", "all": True})["dropped"] == 1
        assert open_letters() == []

    def journal_and_positions(self):
        wait_for(lambda: self.now("positions?pipeline=p")["positions"], what="a position")
        assert self.ask("positions.list", {"pipeline": "p"})["positions"]
        assert self.ask("journal.verify")["ok"]
        assert self.ask("journal.compact")["after"] > 0
        before = self.collector.records().count({"seq": 0})
        self.ask("positions.reset", {"pipeline": "p", "to": "start"})
        wait_for(lambda: self.collector.records().count({"seq": 0}) > before, what="it again from the start")
        self.wait_state("p", "running")

    def log(self):
        assert self.ask("log.level", {"level": "debug"}) == {"level": "debug"}
        assert self.ask("log.level") == {"level": "debug"}
        assert self.ask("log.level", {"level": "info"}) == {"level": "info"}
        assert any("told to positions/reset" in line for line in self.ask("log.tail")["lines"])

    def tap(self):
        self.asked.add("tap")
        numbers = iter(range(2000, 100_000))
        tapped = self.way.tap({"pipeline": "p"}, lambda: self.append(self.followed, {"seq": next(numbers)}))
        assert tapped["record"]["seq"] >= 2000 if "record" in tapped else "seq" in tapped["text"]

    def configuration(self):
        written = json.loads(self.agent.config_path.read_text())
        one = written["pipelines"][0]
        assert self.ask("config.check", {"config": written})["ok"]
        patched = {**one, "limits": {"recordsPerSecond": 5000}}
        self.change("config.patch", {"pipeline": "p", "config": patched})
        assert self.limit() == 5000
        newest = self.ask("config.history")["versions"][0]
        assert newest["runs"] and newest["state"] == "good"
        assert self.ask("config.get")["agent"]["id"] == "test"
        assert self.ask("config.get", {"version": newest["version"] - 1})["pipelines"][0]["name"] == "p"
        self.change("config.rollback")
        assert self.limit() != 5000

        day = {"type": "file", "path": f"{self.agent.folder}/${{param:day}}.jsonl"}
        new = {**written, "pipelines": [*written["pipelines"],
                                        {"name": "z", **pipeline(day, http_sink(self.collector))}]}
        self.change("config.set", {"config": new})
        (self.agent.folder / "monday.jsonl").write_text('{"seq": 3000}\n')
        provisioned = {"pipeline": "z", "parameters": {"day": "monday"}}
        assert self.ask("pipeline.provision", provisioned) == {"pipeline": "z", "run": 1}
        self.delivered(self.collector, 3000)
        wait_for(lambda: self.now("runs?pipeline=z")["runs"][0]["state"] == "succeeded", what="its end")
        assert self.ask("tasks") == {"pipelines": []}, "none of them is a job"
        assert self.ask("runs", {"pipeline": "z"})["runs"][0]["parameters"] == {"day": "monday"}

        written["pipelines"][0] = {**one, "limits": {"recordsPerSecond": 4000}}
        self.agent.config_path.write_text(json.dumps(written))
        self.ask("config.reload")
        wait_for(lambda: self.limit() == 4000, what="what is in the file")
        wait_for(lambda: self.now("config/versions")["versions"][0]["state"] == "good", what="it is good")

    def process(self):
        agent = self.agent
        pid = agent.process.pid
        self.ask("restart")
        wait_for(lambda: agent.log.count(" starts: configuration") == 2, what="a second beginning")
        self.append(self.followed, {"seq": 4000})
        self.delivered(self.collector, 4000)
        assert agent.running() and agent.process.pid == pid
        self.ask("shutdown")
        assert agent.wait() == 0
