"""Power cuts in the middle of a configuration that comes from afar: the old one runs, or the new one.

Used by scripts/power-cut-test --applies.
"""

import json
import random
import time

from harness.collector import HttpCollector
from harness.desk import Desk
from harness.mqtt_peer import NumberedPublisher
from harness.waiting import wait_for
from machine import BOOT_DEADLINE, HOST

KEY = "f" * 32
ENDS = {"succeeded", "rolledBack", "interrupted"}


class ApplyCuts:
    """`machine` delivers what `broker` has to a path that says which configuration runs."""

    def __init__(self, machine, broker, seed):
        self.machine, self.broker = machine, broker
        self.random = random.Random(seed)
        self.collector = HttpCollector()
        self.publisher = NumberedPublisher(broker.port, "plant/1", qos=1, rate=20)
        self.desk = Desk(broker, {"fleet": KEY}, agent="gw-1")
        self.cuts = 0
        self.took = 0.0  # from the command until it is said to run
        self.good = 0    # the number of the configuration that runs
        self.became = {}

    def configuration(self, number):
        return {
            "agent": {"id": "gw-1", "dataDir": "/var/lib/leat", "probation": "3s",
                      "control": {"url": f"mqtt://{HOST}:{self.broker.port}",
                                  "keys": [{"id": "fleet", "secret": KEY, "role": "configure"}]}},
            "pipelines": [
                {"name": "line",
                 "source": {"type": "mqtt", "url": f"mqtt://{HOST}:{self.broker.port}",
                            "topics": ["plant/#"], "qos": 1, "clientId": "line", "format": "json"},
                 "sink": {"type": "http", "url": f"http://{HOST}:{self.collector.port}/{number}",
                          "format": "ndjson", "batch": {"linger": "50ms"}}}]}

    def start(self):
        self.machine.place("leat.json", json.dumps(self.configuration(0)))
        self.machine.start()
        self._wait(lambda: "Sending SUBACK to line" in self.broker.log, "the pipeline is there")
        self.publisher.start()
        self._wait_end(self._command(1))
        self.good = 1

    def cut(self):
        number = self.good + 1
        id = self._command(number, in_full=False)
        time.sleep(self.random.random() * self.took * 1.5)  # the moment of the cut, not a wait
        odds = self.random.choice((0, 0.5, 0.9))
        seen = len(self.collector.accepted)
        self.machine.cut(survives=lambda: self.random.random() < odds)
        self.cuts += 1
        self.machine.start()
        self._wait(lambda: len(self.collector.accepted) > seen + 2, "records")
        paths = {int(request.path[1:]) for request in self.collector.accepted[seen:]}
        assert paths <= {self.good, number}, f"{paths}, neither {self.good} nor {number}"
        for sign in (".damaged-", "CANNOT BE MOUNTED", "records are kept in memory only"):
            assert sign not in self.machine.console, self.machine.console[-3000:]
        state = self._wait_end(id)
        runs = number if state == "succeeded" else self.good
        self.became[state] = self.became.get(state, 0) + 1
        self._wait(lambda: self.collector.accepted[-1].path == f"/{runs}", f"records at /{runs}")
        self.good = runs

    def finish(self):
        """All that the broker has taken is delivered."""
        self.publisher.stop()
        delivered = lambda: {record["seq"] for record in self.collector.records()}  # noqa: E731
        self._wait(lambda: delivered() >= set(self.publisher.accepted), "all messages")

    def report(self):
        return (f"{self.cuts} power cuts in the middle of config.set ({self.took:.1f} s until it runs), with which "
                f"{self.machine.lost_writes} of {self.machine.unflushed_writes} unflushed writes were lost: "
                f"{self.became}; {len(self.publisher.accepted):,} messages acknowledged, none lost")

    def close(self):
        self.desk.__exit__()
        self.publisher.stop()
        self.machine.close()
        self.collector.down()

    def _command(self, number, in_full=True):
        begun = time.monotonic()
        id = self.desk.send("config.set", {"config": self.configuration(number)})
        if in_full:
            self._wait(lambda: "running" in self.desk.states(id), "it is taken over")
            self.took = time.monotonic() - begun
        return id

    def _wait_end(self, id):
        self._wait(lambda: ENDS & set(self.desk.states(id)), f"the end of {id}")
        return self.desk.states(id)[-1]

    def _wait(self, condition, what):
        return wait_for(condition, BOOT_DEADLINE, lambda: f"{what}; {self.machine.console[-2000:]}")
