"""The operator's desk: signs commands for agents behind a broker, and reads what they say."""

import base64
import hashlib
import hmac
import json
import time

from .waiting import wait_for

_counter = [time.time_ns() // 1000]


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


class Desk:
    """One that has keys (id → secret) and sees all that is published.

        with Desk(broker, {"ops": "…"}) as desk:
            desk.ask("ping")["state"]
            desk.send("config.set", {"config": {…}}, id="c-1"); desk.wait_state("c-1", "rolledBack")
    """

    def __init__(self, broker, keys, agent="test", prefix="leat"):
        self.broker = broker
        self.keys = keys
        self.agent = agent
        self.prefix = prefix
        self.subscriber = broker.subscriber(f"{prefix}/#", form="%j")
        self.sent = 0
        self._read = 0  # bytes of what the subscriber has got
        self._by_topic = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.subscriber.stop()

    def signed(self, command, arguments=None, id=None, key=None, to=None, counter=None, **claims):
        """The message, as bytes."""
        key = key or list(self.keys)[-1]
        _counter[0] += 1
        header = base64url(json.dumps({"alg": "HS256", "kid": key}).encode())
        payload = base64url(json.dumps({
            "aud": to or self.agent, "jti": id or self.next_id(), "counter": counter or _counter[0],
            "exp": int(time.time()) + 3600, "command": command, "arguments": arguments or {},
            **claims}).encode())
        text = header + b"." + payload
        return text + b"." + base64url(
            hmac.new(self.keys[key].encode(), text, hashlib.sha256).digest())

    def next_id(self):
        self.sent += 1
        return f"c-{id(self)}-{self.sent}"

    def publish(self, message, to=None, **properties):
        self.broker.publish(f"{self.prefix}/{to or self.agent}/cmd", message, **properties)

    def send(self, command, arguments=None, id=None, key=None, to=None, **properties):
        id = id or self.next_id()
        self.publish(self.signed(command, arguments, id, key, to), to, **properties)
        return id

    def ask(self, command, arguments=None, final=True, **options):
        """Sends it, and waits for its answer; for the last, unless it is not to be `final`."""
        id = self.send(command, arguments, **options)
        return wait_for(lambda: self.answer(id, final), what=lambda: f"an answer to {command}: {self.answers(id)}")

    # --- what agents say -------------------------------------------------------------------------

    def messages(self, topic):
        with open(self.subscriber.path, "rb") as file:
            file.seek(self._read)
            new = file.read()
        new = new[:new.rfind(b"\n") + 1]
        self._read += len(new)
        for line in new.decode(errors="replace").splitlines():
            message = json.loads(line)
            self._by_topic.setdefault(message["topic"], []).append(message.get("payload", ""))
        return self._by_topic.get(f"{self.prefix}/{topic}", [])

    def answers(self, id, topic=None):
        whole, parts = [], {}
        for text in self.messages(topic or f"{self.agent}/reply"):
            answer = json.loads(text)
            if answer["correlation"] != id:
                continue
            if "part" not in answer:
                whole.append(answer)
                continue
            parts[answer["part"]] = answer["data"]
            if len(parts) == answer["parts"]:
                whole.append(json.loads("".join(parts[n] for n in sorted(parts))))
                parts = {}
        return whole

    def answer(self, id, final=True):
        found = [one for one in self.answers(id) if not final or one["state"] != "running"]
        return found[-1] if found else None

    def states(self, id):
        """All that were retained, the last one last."""
        return [json.loads(text)["state"] for text in self.messages(f"{self.agent}/cmd/{id}/state")
                if text]

    def wait_state(self, id, state):
        wait_for(lambda: state in self.states(id), what=lambda: f"{state}, not {self.states(id)}")

    def status(self):
        found = self.messages(f"{self.agent}/status")
        return json.loads(found[-1]) if found else None

    def wait_status(self, good):
        return wait_for(lambda: (self.status() if self.status() and good(self.status()) else None),
                        what=lambda: f"another status than {self.status()}")

    def events(self):
        return [json.loads(text) for text in self.messages(f"{self.agent}/events")]
