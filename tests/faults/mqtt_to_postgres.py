"""MQTT into PostgreSQL while everything dies: is every message that the broker accepted in the table?

Used by tests/integration/test_mqtt_to_postgres.py (a few kills) and scripts/kill-test (many).
"""

import random
import re
import time
from collections import Counter

from harness.mqtt_peer import NumberedPublisher
from harness.waiting import wait_for


class MqttToPostgres:
    """A publisher that numbers its messages → `broker` → `agent` → table readings of `server`.

    disturb() kills the agent so many times; now and then the broker is restarted, or the server is
    restarted or away for a while. finish() lets all of it come to rest.
    """

    TOPIC = "plant/1"

    def __init__(self, agent, broker, server, qos, exactly_once=False, version="5", seed=1,
                 restart_broker=True):
        self.agent, self.broker, self.server = agent, broker, server
        self.restart_broker = restart_broker
        self.random = random.Random(seed)
        self.killed = 0
        self.database = server.database("kills")
        self.database.query("CREATE TABLE readings(seq bigint, temp int)")
        agent.configure({
            "name": "p",
            "source": {"type": "mqtt", "url": broker.url, "topics": ["plant/#"], "qos": qos,
                       "version": version, "format": "json", "clientId": "kill-test"},
            "sink": {"type": "postgres", "url": self.database.url, "table": "readings",
                     "batch": {"records": 100, "linger": "10ms"}},
            "delivery": {"guarantee": "exactlyOnce" if exactly_once else "atLeastOnce",
                         "retry": {"initial": "10ms", "max": "100ms"},
                         "breaker": {"threshold": 5, "cooldown": "100ms"}}})
        self.publisher = NumberedPublisher(broker.port, self.TOPIC, qos=qos, rate=2000)

    def disturb(self, kills):
        # Once with the subscription made, so that the broker keeps the session.
        self.agent.start()
        self.broker.wait_log("Sending SUBACK to kill-test")
        self.publisher.start()
        while self.killed < kills:
            if not self.agent.running():
                self.agent.start()
            if self.random.random() < 0.2:
                time.sleep(self.random.uniform(0, 0.03))  # into its start
            else:
                self.publisher.wait_accepted(len(self.publisher.accepted) + 50)
                time.sleep(self.random.uniform(0, 0.02))  # the moment of the kill, not a wait
            event = self.killed % 10
            if event == 3 and self.restart_broker:
                self.broker.restart()
            elif event == 5:
                self.server.stop()
            self.agent.kill()
            self.killed += 1
            if event == 6:  # it was away for one whole life of the agent
                self.server.start()
            elif event == 8:
                self.server.restart()

    def finish(self, deadline=120.0):
        """Stops the publisher and waits until what it got accepted is in the table."""
        self.publisher.stop()
        if not self.server_runs():
            self.server.start()
        self.agent.start()
        wait_for(lambda: not self.lost(), deadline,
                 lambda: f"accepted messages in the table; missing {self.lost()[:10]}; leat's log "
                         f"ends:\n{self.agent.log[-2000:]}")
        self.agent.terminate()
        code = self.agent.wait()
        assert code == 0, f"exit code {code}; log:\n{self.agent.log[-3000:]}"

    def server_runs(self):
        return self.server.process is not None and self.server.process.poll() is None

    def rows(self):
        return [int(row[0]) for row in self.database.query("SELECT seq FROM readings")]

    def lost(self):
        return sorted(set(self.publisher.accepted) - set(self.rows()))

    def twice(self):
        rows = self.rows()
        return len(rows) - len(set(rows))

    def repeated(self):
        """Numbers that are in the table more often than the broker gave them as new ones.

        For exactlyOnce: empty, whatever the broker does.
        """
        anew = self.released_and_sent_again()
        return sorted(number for number, times in Counter(self.rows()).items()
                      if times > 1 + anew[number])

    def released_and_sent_again(self):
        """Of each number, how often the broker sent its message again after PUBREL.

        It must not [MQTT-4.3.3-1], but mosquitto does it: when a client comes back, a message whose
        PUBREL is to be sent again goes back to PUBLISH if the client goes before that was sent and
        comes back once more; and over a restart of its own. What has had its PUBCOMP is a new
        message to leat, as it must be [MQTT5 §4.3.3]: it may come twice.

        The log has packet identifiers. mosquitto numbers the messages of a session in the order in
        which it got them, and there is one publisher, which begins with 1 when the session is there.
        """
        state, again, newest = {}, Counter(), 0
        event = re.compile(r"Sending (PUBLISH|PUBREL) to kill-test \(.*?m(\d+)|"
                           r"Received (PUBCOMP) from kill-test \(Mid: (\d+)")
        for sent, identifier, got, got_identifier in event.findall(self.broker.log):
            # 1 follows 65,535; what is under way is never far apart.
            number = int(identifier or got_identifier)
            number += 65535 * round((newest - number) / 65535)
            newest = max(newest, number)
            again[number] += sent == "PUBLISH" and state.get(number) == "PUBREL"
            state[number] = sent or got
        return again
