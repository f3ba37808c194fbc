"""Power cuts in mid-stream: is every message that was acknowledged there in the end?

Used by test_boot.py (ten cuts) and scripts/power-cut-test (as many as you like).
"""

import json
import random
import time

from harness.collector import Answer, HttpCollector
from harness.mqtt_peer import NumberedPublisher
from harness.waiting import wait_for
from machine import BOOT_DEADLINE, HOST, NumberedLines

CLIENT = "power-cuts"


def configuration(broker, collector):
    """A broker on the host and the serial line, each into an HTTP server on the host."""
    def sink(path):
        return {"type": "http", "url": f"http://{HOST}:{collector.port}{path}", "format": "ndjson",
                "batch": {"records": 50, "linger": "50ms"}}
    patience = {"retry": {"initial": "50ms", "max": "500ms"}, "breaker": {"threshold": 5, "cooldown": "500ms"}}
    return json.dumps({
        "agent": {"id": "gw-1", "dataDir": "/var/lib/leat"},
        "pipelines": [
            {"name": "mqtt",
             "source": {"type": "mqtt", "url": f"mqtt://{HOST}:{broker.port}", "topics": ["plant/#"],
                        "qos": 1, "clientId": CLIENT, "format": "json"},
             "sink": sink("/mqtt"), "delivery": patience},
            {"name": "serial",
             "source": {"type": "serial", "port": "/dev/ttyUSB0", "baudRate": 115200, "format": "json",
                        "framing": {"type": "line", "skipFirst": True}},
             "sink": sink("/serial"), "delivery": patience}]})


class PowerCuts:
    """`machine` takes from `broker` and from its serial line, and delivers to `collector`.

    The serial line cannot be asked to send again: what is on it while the machine is off is lost.
    What may not happen is a hole in what came between two cuts.
    """

    def __init__(self, machine, broker, seed):
        self.machine, self.broker = machine, broker
        self.collector = HttpCollector()
        self.random = random.Random(seed)
        self.publisher = NumberedPublisher(broker.port, "plant/1", qos=1, rate=300)
        self.lines = NumberedLines(machine, rate=100)
        self.cuts = 0
        self.lines_at_cuts = []
        self.cuts_while_booting = 0
        self.spooled_rounds = 0

    def delivered(self, path):
        return [record["seq"] for request in self.collector.accepted if request.path == path
                for record in request.records]

    def arrived(self, path):
        return sum(r.lines for r in self.collector.accepted if r.path == path)

    def puback_count(self):
        return self.broker.log.count(f"Received PUBACK from {CLIENT}")

    def start(self):
        """The first life: the subscription is made, so that the broker keeps the session."""
        self.machine.place("leat.json", configuration(self.broker, self.collector))
        self.boot()
        self.broker.wait_log(f"Sending SUBACK to {CLIENT}")
        self.publisher.start()

    def boot(self):
        self.machine.start()
        self.machine.wait_agent()
        self.lines.start()

    def cut(self):
        """One life from where the agent runs to the cut, and on to where it runs again."""
        kind = self.cuts % 5
        if kind == 2:  # the sink is away: what was acknowledged is in the journal only
            self.collector.default = Answer(503)
            acknowledged = self.puback_count()
            wait_for(lambda: self.puback_count() >= acknowledged + 200, BOOT_DEADLINE,
                     lambda: f"200 messages to be spooled; {self.machine.console[-2000:]}")
            self.spooled_rounds += 1
        else:
            for path in ("/mqtt", "/serial"):
                before = self.arrived(path)
                wait_for(lambda: self.arrived(path) >= before + 100, BOOT_DEADLINE,
                         lambda: f"records at {path}; {self.machine.console[-2000:]}")
        time.sleep(self.random.uniform(0, 0.3))  # the moment of the cut, not a wait
        self._cut()
        if kind == 4:  # and once more, somewhere in the start
            self.machine.start()
            time.sleep(self.random.uniform(1, 8))  # the moment of the cut again
            self._cut()
            self.cuts_while_booting += 1
        if kind != 2:
            self.collector.default = Answer()
        self.boot()
        if kind == 2:
            self.collector.default = Answer()

    def _cut(self):
        # What the disk had not flushed: now all of it is lost, now some of it.
        odds = self.random.choice((0, 0.5, 0.9))
        self.machine.cut(survives=lambda: self.random.random() < odds)
        self.lines.stop()
        self.lines_at_cuts.append(self.lines.sent)
        self.cuts += 1
        for sign in (".damaged-", "CANNOT BE MOUNTED", "records are kept in memory only"):
            assert sign not in self.machine.console, self.machine.console[-3000:]

    def finish(self):
        """Stops both sources, and waits until all that is owed has arrived."""
        self.publisher.stop()
        wait_for(lambda: not self.lost(), BOOT_DEADLINE,
                 lambda: f"acknowledged messages; missing {len(self.lost())}: {self.lost()[:3]} to {self.lost()[-3:]}; {self.machine.console[-2000:]}")
        self.lines.stop()
        wait_for(lambda: self.lines.sent in self.delivered("/serial"), BOOT_DEADLINE,
                 lambda: f"line {self.lines.sent}; {self.machine.console[-2000:]}")

    def lost(self):
        return sorted(set(self.publisher.accepted) - set(self.delivered("/mqtt")))

    def twice(self, path="/mqtt"):
        all_of_them = self.delivered(path)
        return len(all_of_them) - len(set(all_of_them))

    def holes(self):
        """Runs of serial lines that are missing between two that came: (last before, first behind)."""
        seen = sorted(set(self.delivered("/serial")))
        return [(a, b) for a, b in zip(seen, seen[1:]) if b != a + 1]

    def holes_elsewhere(self):
        """Those at which the power was not cut."""
        return [(a, b) for a, b in self.holes() if not any(a <= cut < b for cut in self.lines_at_cuts)]

    def report(self):
        return (f"{self.cuts} power cuts ({self.cuts_while_booting} while starting, "
                f"{self.spooled_rounds} with the sink away), with which {self.machine.lost_writes} of "
                f"{self.machine.unflushed_writes} unflushed writes were lost; "
                f"{len(self.publisher.accepted):,} messages acknowledged, {len(self.lost())} lost, "
                f"{self.twice():,} came twice; {self.lines.sent:,} serial lines, {len(self.holes())} "
                f"holes, all where the power was cut but {len(self.holes_elsewhere())}")

    def close(self):
        self.publisher.stop()
        self.lines.stop()
        self.machine.close()
        self.collector.down()
