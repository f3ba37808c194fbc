"""What a case of scripts/fault-test works with: one round, made from its seed.

The fault falls at a moment that the seed draws; moments are slept, conditions are waited for.
"""

import os
import random
import re
import shutil
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from faults.disk_cache import DiskCache
from harness.agent import Agent
from harness.collector import HttpCollector
from harness.mosquitto import Mosquitto
from harness.mqtt_peer import NumberedPublisher
from harness.pipelines import http_sink, quick_retry

LAST = 1_000_000_000  # the number of a record that is sent when all is well again


@dataclass
class Outcome:
    """Of one round. `lost` is what may be lost, and was said to be but for `unsaid`: all else fails
    the round."""

    accepted: int
    lost: int = 0
    unsaid: int = 0
    twice: int = 0
    note: str = ""


class CutAgent(Agent):
    """Where it is killed, or is dead already, the power goes: what it had not synced is torn."""

    def __init__(self, binary, folder, dice):
        super().__init__(binary, folder)
        self.disk, self.dice, self.cuts = DiskCache(folder, folder), dice, 0

    def start(self, *arguments, env=None, **how):
        return super().start(*arguments, env=self.disk.env(env), **how)

    def kill(self):
        super().kill()
        self.cuts += 1
        self.disk.cut(self.dice, self.data_dir / "journal.db")


class Bench:
    """One agent in `folder`, and what surrounds it; close() ends all of it."""

    def __init__(self, binary, folder, seed, power_cuts=False):
        self.binary, self.folder, self.seed = binary, Path(folder), seed
        self.power_cuts = power_cuts
        self.random = random.Random(seed)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.agent = (CutAgent(binary, self.folder, self.random) if power_cuts
                      else Agent(binary, self.folder))
        self._ends = [lambda: Agent.kill(self.agent)]

    def at_the_end(self, end):
        self._ends.append(end)

    def close(self):
        for end in reversed(self._ends):
            end()

    # --- what surrounds it -------------------------------------------------------------------------

    def collector(self):
        collector = HttpCollector()
        self.at_the_end(collector.down)
        return collector

    def broker(self):
        broker = Mosquitto(self.folder / "broker")
        self.at_the_end(broker.stop)
        return broker

    def publisher(self, broker, count, noise=0, rate=None):
        """Numbered messages with so many random bytes in each, as hexadecimal digits."""
        def make(seq):
            return f'{{"seq":{seq},"noise":"{self.random.randbytes(noise).hex()}"}}'.encode()

        publisher = NumberedPublisher(broker.port, "plant/1", count=count, make=make, rate=rate)
        self.at_the_end(lambda: publisher.__exit__())
        return publisher

    def mqtt_source(self, broker_or_proxy):
        return {"type": "mqtt", "url": broker_or_proxy.url, "topics": ["plant/#"], "qos": 1,
                "format": "json", "clientId": "leat"}

    def start(self, **how):
        """Until it takes signals: not even the dynamic linker is to be killed by one."""
        self.agent.start(**how)
        fds = Path(f"/proc/{self.agent.process.pid}/fd")

        def takes_signals():
            try:
                return any("signalfd" in os.readlink(fd) for fd in fds.iterdir())
            except FileNotFoundError:  # closed in the meantime
                return False

        self.agent.wait_for(takes_signals, what="the agent to take signals")

    def start_and_publish(self, publisher, broker, **how):
        """The subscription is there before the first message."""
        self.agent.start(**how)
        broker.wait_log("Sending SUBACK to leat")
        publisher.start()

    def sink(self, collector, **how):
        return http_sink(collector, records=50, linger="5ms", **how)

    @staticmethod
    def delivery(**how):
        return quick_retry(threshold=3, cooldown="20ms", **how)

    def lines(self, path, first, end, noise=0, mode="w"):
        """Records first to end - 1, a line each."""
        with open(path, mode, encoding="utf8") as file:
            file.writelines(f'{{"seq":{n},"noise":"{self.random.randbytes(noise).hex()}"}}\n'
                            for n in range(first, end))

    # --- the fault ---------------------------------------------------------------------------------

    def moment(self, longest):
        time.sleep(self.random.uniform(0, longest))

    def stop_somehow(self):
        """kill -9 or SIGTERM. The latter must end it in order; the power may go right behind it."""
        if self.random.random() < 0.5:
            self.agent.kill()
            return "kill"
        self.terminate()
        if self.power_cuts:
            self.agent.kill()
        return "term"

    def terminate(self):
        if not self.agent.running():
            return
        self.agent.terminate()
        code = self.agent.wait(20)
        assert code == 0, f"SIGTERM: exit code {code}"

    # --- what came of it ---------------------------------------------------------------------------

    @staticmethod
    def seqs(collector):
        return [record["seq"] for record in collector.records()]

    def wait_all(self, collector, wanted):
        """Until each of `wanted` has arrived; how many others came, or came again."""
        wanted = set(wanted)
        self.agent.wait_for(lambda: wanted <= set(self.seqs(collector)),
                            what=lambda: f"{len(wanted - set(self.seqs(collector)))} more of "
                            f"{len(wanted)} records, such as "
                            f"{sorted(wanted - set(self.seqs(collector)))[:5]}")
        return len(self.seqs(collector)) - len(wanted)

    def journal(self, query):
        """Rows of a query of a copy of the journal; [] when it came out torn."""
        copy = self.folder / "journal-copy.db"
        try:
            for suffix in ("", "-wal"):
                Path(f"{copy}{suffix}").unlink(missing_ok=True)
                source = self.agent.data_dir / f"journal.db{suffix}"
                if source.exists():
                    shutil.copyfile(source, f"{copy}{suffix}")
            with closing(sqlite3.connect(copy)) as db:
                return db.execute(query).fetchall()
        except (sqlite3.DatabaseError, OSError):
            return []

    def wait_empty_spool(self):
        self.agent.wait_for(lambda: self.journal("SELECT count(*) FROM spool") == [(0,)],
                            what="an empty spool")

    def said(self, pattern):
        """The sum of the numbers that lines of the log have in the place of the group."""
        return sum(int(number.replace(",", "")) for number in re.findall(pattern, self.agent.log))
