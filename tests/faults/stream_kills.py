"""Transforms that remember, killed at random moments: is what they come to what the same records come
to in stream_reference.py?

Used by tests/integration/test_streams.py (a few kills) and scripts/kill-test --only state (many).
"""

import functools
import json
import random
import re
import time
from collections import Counter

from faults.kill_loop import KillLoop
from faults.other_clock import OtherClock
from faults.stream_reference import (
    BEGIN, MINUTE, SET, TIME, by_deadband, by_lines, expect_results, expected_sessions, expected_windows,
    gained_by_every_tenth, last_of_each, readings, session_key, session_values, window_key, window_values)
from harness.mqtt_peer import NumberedPublisher
from harness.pipelines import file_source, http_sink, pipeline, quick_retry
from harness.waiting import wait_for


def write(path, records):
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def window(**options):
    return {"type": "window", "every": "1m", "key": "device", "set": SET, **options}


def with_counter(records):
    return [{**record, "count": record["seq"] * 3 % 50_000} for record in records]


def slowly(records):
    """The same, with values that move little."""
    return [{**record, "temp": round(record["temp"] / 200 + 10 * (record["seq"] % 1256 - 628) / 628, 2)}
            for record in records]


class Seen:
    """What has arrived, by key. What comes more than once must be the same each time."""

    def __init__(self, collector, key, values):
        self.collector, self.key, self.values = collector, key, values
        self.results, self.again, self._read = {}, 0, 0

    def look(self):
        requests = self.collector.accepted
        for request in requests[self._read:]:
            for result in request.records:
                key, values = self.key(result), self.values(result)
                self.again += key in self.results
                before = self.results.setdefault(key, values)
                assert before == values, f"{key} was {before}, and came again as {values}"
        self._read = len(requests)
        return len(self.results)


class Case:
    """`expected`: what must come out of `transforms` when `records` go in, by key. More sources than one
    are `files`, lists of records, which are followed."""

    def __init__(self, records, expected, *transforms, key=window_key, values=window_values, files=None,
                 steps_clock=False):
        self.records, self.expected, self.transforms = records, expected, transforms
        self.key, self.values, self.files, self.steps_clock = key, values, files, steps_clock

    def run(self, agent, collector, kills, seed=1):
        """Returns the KillLoop, and how many results came again."""
        seen = Seen(collector, self.key, self.values)
        files = self.files or [self.records]
        paths = [write(agent.folder / f"in{i}.jsonl", records) for i, records in enumerate(files)]
        if len(files) > 1:
            kills = 1 + kills // 5  # each of them costs `idle`, and more
        seconds = 0.5 + 0.12 * kills  # that a run without kills takes
        agent.configure(pipeline(
            file_source(*paths, time=TIME, follow=len(files) > 1), http_sink(collector, linger="5ms"),
            *self.transforms, delivery=quick_retry(checkpoint="100ms"),
            limits={"recordsPerSecond": int(sum(map(len, files)) / seconds)}))
        clock = Stepping(agent, seed) if self.steps_clock else None
        loop = KillLoop(agent, seen.look, len(self.expected), seed, settle=collector.wait_quiet,
                        after_kill=lambda before, after: clock and clock.step())
        if len(files) > 1:
            loop.kill_all(kills)
            agent.start()
            wait_for(lambda: seen.look() >= len(self.expected) or not agent.running(), 60,
                     lambda: f"{len(self.expected)} results, got {seen.look()}; {agent.log_of_run[-2000:]}")
            agent.status()  # before that it would not know SIGTERM
            agent.terminate()
            assert agent.wait() == 0, agent.log[-3000:]
            collector.wait_quiet()
        else:
            assert loop.run(kills, deadline=120) == 0, agent.log[-3000:]
        seen.look()
        expect_results(seen.results, self.expected)
        return loop, seen.again


class Stepping:
    """The wall clock of an agent, which is put forward and back at each of its ends."""

    def __init__(self, agent, seed):
        self.random = random.Random(seed)
        self.clock = OtherClock(agent.folder)
        agent.start = functools.partial(agent.start, env=self.clock.env)

    def step(self):
        hours = self.random.choice([-20, -3, -0.01, 0, 0.02, 5, 24 * 40, 24 * 365 * 30])
        self.clock.shift(3600 * hours, right=self.random.random() < 0.5)


def windows(count, late_by, lateness, slide=MINUTE, **how):
    records = readings(count, late_by)
    expected, late = expected_windows(records, lateness, slide)
    assert slide < MINUTE or (late > 0) == (late_by > lateness)
    return Case(records, expected, window(lateness=f"{lateness}s", slide=f"{slide}s"), **how)


def each_once(count):
    """A tenth comes twice, and is counted once."""
    records = readings(count, late_by=40)
    again = [record for i, record in enumerate(records) for _ in range(1 + (i % 10 == 0))]
    return Case(again, expected_windows(records, 20)[0],
                {"type": "dedupe", "key": ["seq"], "within": "10m"}, window(lateness="20s"))


def idle_partitions(count):
    """Three files, which are followed; one of them stops long before the others. What is open is closed by a
    record of another day at the end of these."""
    records = readings(count)
    files = [records[0::3], records[1::3][:count // 20], records[2::3]]
    kept = sorted((record for file in files for record in file), key=lambda record: record["seq"])
    last = {**records[-1], "device": "none", "ts": BEGIN + 100 * count + 86_400_000}
    files = [files[0] + [last], files[1], files[2] + [last]]
    lateness = 1800  # of files that are read in turns
    return Case(kept, expected_windows(kept, lateness)[0],
                window(lateness=f"{lateness}s", idle="1s"), {"type": "filter", "where": "device <> 'none'"},
                files=files)


def sessions(count):
    records = readings(count, late_by=8)
    return Case(records, expected_sessions(records, 3000),
                {"type": "window", "session": {"gap": "3s"}, "key": "device", "lateness": "8s",
                 "set": {"n": "count(*)", "sum": "sum(seq)"}}, key=session_key, values=session_values)


def whole(records, expected, *transforms):
    """Records that pass, as they are."""
    return Case(records, {record["seq"]: record for record in expected}, *transforms,
                key=lambda result: result["seq"], values=lambda result: result)


def deadband_and_dedupe(count):
    records = readings(count)
    return whole(records + records[-count // 6:], by_deadband(records, 25),
                 {"type": "dedupe", "key": ["device", "seq"]},
                 {"type": "deadband", "field": "temp", "key": "device", "absolute": "25"})


def rate_and_sample(count):
    records = with_counter(readings(count))
    return whole(records, gained_by_every_tenth(records),
                 {"type": "rate", "field": "count", "key": "device", "rateField": ""},
                 {"type": "sample", "nth": 10, "key": "device"})


def swinging_door(count):
    records = slowly(readings(count))
    return whole(records, by_lines(records, 0.5),
                 {"type": "deadband", "field": "temp", "tolerance": "0.5", "key": "device"})


def last_of_a_span(count):
    records = readings(count)
    return whole(records, last_of_each(records, 5000),
                 {"type": "sample", "span": "5s", "pick": "last", "key": "device"})


# By name: of so many records, that which is run.
CASES = {
    "windows in order": lambda count: windows(count, 0, 0),
    "windows out of order": lambda count: windows(count, 30, 30),
    "windows and late records": lambda count: windows(count, 100, 5),
    "windows that overlap": lambda count: windows(count // 2, 30, 20, slide=15),
    "windows over clock steps": lambda count: windows(count, 30, 30, steps_clock=True),
    "windows with idle partitions": idle_partitions,
    "dedupe, windows": each_once,
    "sessions": sessions,
    "dedupe, deadband": deadband_and_dedupe,
    "rate, sample": rate_and_sample,
    "deadband by lines": swinging_door,
    "the last of each span": last_of_a_span,
}
THINNING = {"deadband by lines", "the last of each span"}  # not in each build


class MqttWindows:
    """Numbered messages over QoS 1 into windows with the number as key, so that each loss and each repetition
    shows. The broker is not restarted: what it repeats its log says.
    """

    CLIENT = "kill-test"

    def __init__(self, agent, broker, collector, seed=1):
        self.agent, self.broker, self.collector = agent, broker, collector
        self.random = random.Random(seed)
        self.killed = 0
        agent.configure(pipeline(
            {"type": "mqtt", "url": broker.url, "topics": ["plant/#"], "qos": 1, "clientId": self.CLIENT, "time": TIME},
            http_sink(collector, linger="5ms"),
            {"type": "window", "every": "1s", "key": "seq", "lateness": "1s", "set": {"n": "count(*)"}},
            delivery=quick_retry()))
        self.publisher = NumberedPublisher(broker.port, "plant/1", make=self.message, rate=2000)

    @staticmethod
    def message(seq):
        return json.dumps({"seq": seq, "ts": BEGIN + 10 * seq}).encode()

    def disturb(self, kills):
        self.agent.start()
        self.broker.wait_log(f"Sending SUBACK to {self.CLIENT}")
        self.publisher.start()
        while self.killed < kills:
            if not self.agent.running():
                self.agent.start()
            if self.random.random() > 0.2:  # else into its start
                self.publisher.wait_accepted(len(self.publisher.accepted) + 50)
            time.sleep(self.random.uniform(0, 0.03))  # the moment of the kill, not a wait
            self.agent.kill()
            self.killed += 1

    def finish(self):
        self.publisher.stop()
        self.agent.start()
        self.broker.publish("plant/1", json.dumps({"seq": 0, "ts": BEGIN + 10 * len(self.publisher.accepted) + 60_000}))
        wait_for(lambda: not self.lost(), 120, lambda: f"the windows of all accepted messages; missing "
                 f"{self.lost()[:10]}; leat's log ends:\n{self.agent.log[-2000:]}")
        self.agent.terminate()
        assert self.agent.wait() == 0, self.agent.log[-3000:]

    def counted(self):
        """The most that a result has counted of each number."""
        most = Counter()
        for result in self.collector.records():
            most[result["seq"]] = max(most[result["seq"]], result["n"])
        return most

    def lost(self):
        return sorted(set(self.publisher.accepted) - self.counted().keys())

    def sent(self):
        """How often the broker has sent each number. Its log has packet identifiers, which it gives in the order
        in which messages come to the session; there is one publisher."""
        times, newest = Counter(), 0
        for identifier in re.findall(rf"Sending PUBLISH to {self.CLIENT} \(d\d, q1, r0, m(\d+),", self.broker.log):
            number = int(identifier)
            number += 65535 * round((newest - number) / 65535)
            newest = max(newest, number)
            times[number] += 1
        return times

    def repeated(self):
        """Numbers that were counted more often than the broker has sent them."""
        sent = self.sent()
        return sorted(seq for seq, n in self.counted().items() if seq != 0 and n > sent[seq])
