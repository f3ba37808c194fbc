"""agent.limits.budget: what goes over the network is counted, and what it holds is not lost."""

import json
import ssl
import threading

import pytest

from faults.other_clock import OtherClock
from harness.desk import Desk
from harness.output import conforming
from harness.pipelines import file_source, http_sink, pipeline
from harness.relay import Relay
from harness.unix_http import UnixHttp

KEY = "f" * 32


class CountingRelay(Relay):
    """Counts all that passes, both ways."""

    def __init__(self, port):
        self.bytes = 0
        self.lock = threading.Lock()
        super().__init__(port)

    def _receive(self, one):
        data = super()._receive(one)
        with self.lock:
            self.bytes += len(data)
        return data


def budget(size, **options):
    # Everything in these tests is on this machine.
    return {"budget": {"bytes": size, "interfaces": ["lo"], **options}}


def status(agent):
    """As soon as it can be asked."""
    def ask():
        return agent.command("status", "--json", "--data-dir", agent.data_dir).stdout
    return conforming(agent.wait_for(ask, what="it can be asked"), "status")


def state(agent, name="p"):
    """Before it is there, it is in no state."""
    return next((one for one in status(agent)["pipelines"] if one["name"] == name), {"state": ""})


@pytest.fixture
def followed(agent):
    path = agent.folder / "grows.jsonl"
    path.touch()
    return path


def append(path, first, end):
    """Records that cannot be made small."""
    with open(path, "a", encoding="utf8") as file:
        for seq in range(first, end):
            file.write(json.dumps({"seq": seq, "text": f"{seq * 7919 % 1000003:06} " * 12}) + "\n")


def seqs(collector):
    return sorted(record["seq"] for record in collector.records())


def held(agent, name="p"):
    agent.wait_for(lambda: state(agent, name)["state"] == "held", what=lambda: f"held: {status(agent)}")


@pytest.mark.parametrize("secure", [False, True], ids=["clear", "tls"])
def test_what_is_used_is_what_was_on_the_wire(agent, make_collector, certs, telemetry, secure):
    context = None
    if secure:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certs.server, certs.server_key)
    collector = make_collector(ssl_context=context)
    relay = CountingRelay(collector.port)
    sink = http_sink(collector, compression="gzip")
    sink["url"] = collector.url.replace(str(collector.port), str(relay.port))
    if secure:
        sink["tls"] = {"ca": str(certs.ca)}
    path = telemetry(3000)
    agent.configure(pipeline(file_source(path, follow=True), sink), limits=budget("100MB"))
    agent.start()
    collector.wait_records(3000)
    agent.wait_for(lambda: status(agent)["budget"]["usedBytes"] == relay.bytes,
                   what=lambda: f"{relay.bytes} bytes, not {status(agent)['budget']}")
    assert 0 < relay.bytes < path.stat().st_size / 2, "compressed"
    used = status(agent)["budget"]
    assert used["holds"] == "nothing" and used["per"] == "month" and used["bytes"] == 100_000_000
    metrics = agent.command("status", "--data-dir", agent.data_dir).stdout
    assert "budget: " in metrics and " of 95.4 MiB (0%) in the month until " in metrics
    relay.close()


def test_what_is_over_it_waits_in_the_spool_over_restarts_and_kills_until_there_is_more(
        agent, collector, followed):
    def configure(size):
        agent.configure(pipeline(file_source(followed, follow=True), http_sink(collector, 10),
                                 delivery={"spool": "always"}),
                        limits=budget(size), probation="0s")
    configure("20KB")
    agent.start()
    append(followed, 0, 1000)
    held(agent)
    agent.wait_log("100 % of agent.limits.budget is used")
    assert status(agent)["budget"]["holds"] == "all"
    assert "the budget of this month is used" in state(agent)["reason"]
    # All is read all the same.
    agent.wait_for(lambda: state(agent)["records"]["read"] == 1000)
    arrived = len(collector.records())
    used = status(agent)["budget"]["usedBytes"]
    assert arrived < 1000 and 20_000 <= used
    for kill in (True, False):
        agent.kill() if kill else agent.terminate()
        assert kill or agent.wait() == 0
        agent.start()
        held(agent)
        assert status(agent)["budget"]["usedBytes"] >= used
        append(followed, 1000, 1001) if kill else None
    agent.wait_for(lambda: state(agent)["records"]["waiting"] == 1001 - arrived)
    assert len(collector.records()) == arrived
    configure("2MB")
    agent.send(1)
    collector.wait_records(1001)
    assert seqs(collector) == list(range(1001))
    assert status(agent)["budget"]["holds"] == "nothing"


@pytest.mark.usefixtures("dynamic_binary")
def test_a_new_day_ends_what_was_held(agent, collector, followed, tmp_path):
    clock = OtherClock(tmp_path)
    agent.configure(pipeline(file_source(followed, follow=True), http_sink(collector, 10)),
                    limits=budget("20KB", per="day"))
    agent.start(env=clock.env)
    append(followed, 0, 150)
    held(agent)
    clock.shift(-86400)  # put back: nothing begins anew
    assert status(agent)["budget"]["usedBytes"] >= 20_000
    assert state(agent)["state"] == "held"
    clock.shift(86400)
    assert status(agent)["budget"]["usedBytes"] < 20_000
    collector.wait_records(150)
    assert seqs(collector) == list(range(150))


def test_a_source_that_can_be_read_again_waits_and_a_drain_does_not(agent, collector, followed):
    agent.configure(pipeline(file_source(followed, follow=True), http_sink(collector, 10)),
                    limits=budget("10KB"))
    append(followed, 0, 2000)
    agent.start()
    held(agent)
    agent.terminate()
    assert agent.wait() == 0
    agent.configure(pipeline(file_source(followed, follow=True), http_sink(collector, 10)))
    agent.start()
    collector.wait_records(2000)
    assert seqs(collector) == list(range(2000))


def test_high_priority_and_sinks_on_the_gateway_go_on(agent, make_collector, followed):
    urgent, other = make_collector(), make_collector()
    out = agent.folder / "out.jsonl"
    source = file_source(followed, follow=True)
    agent.configure(
        pipeline(source, http_sink(urgent, 10), name="urgent", priority="high"),
        pipeline(source, http_sink(other, 10), name="other"),
        pipeline(source, {"type": "file", "path": str(out), "format": "ndjson"}, name="local"),
        limits=budget("20KB", at80="onlyPriority", at100="onlyPriority"))
    agent.start()
    append(followed, 0, 500)
    held(agent, "other")
    append(followed, 500, 600)
    urgent.wait_records(600)
    agent.wait_for(lambda: state(agent, "local")["records"]["delivered"] == 600)
    assert status(agent)["budget"]["holds"] == "lowPriority"
    assert len(other.records()) < 600
    assert {one["state"] for one in status(agent)["pipelines"] if one["name"] != "other"} == {"running"}


def test_it_is_lifted_from_afar_while_all_is_held(agent, collector, followed, mosquitto):
    def config(size):
        agent.configure(pipeline(file_source(followed, follow=True), http_sink(collector, 10)),
                        limits=budget(size), probation="1s",
                        control={"url": mosquitto.url, "keys": [{"id": "fleet", "secret": KEY,
                                                                 "role": "configure"}]})
        return json.loads(agent.config_path.read_text())
    config("20KB")
    if "is not in this build" in agent.command("check", "-c", agent.config_path).stderr:
        pytest.skip("agent.control is not in this build")
    with Desk(mosquitto, {"fleet": KEY}) as desk:
        agent.start()
        append(followed, 0, 500)
        desk.wait_status(lambda status: status["pipelines"] and status["pipelines"][0]["state"] == "held")
        arrived = len(collector.records())
        assert arrived < 500
        assert desk.ask("config.set", {"config": config("2MB")})["state"] == "succeeded"
        collector.wait_records(500)
    assert seqs(collector) == list(range(500))


def test_who_is_told_hears_of_it_though_all_is_held_and_metrics_show_it(
        agent, make_collector, followed):
    told, sink = make_collector(), make_collector()
    agent.configure(pipeline(file_source(followed, follow=True), http_sink(sink, 10)),
                    limits=budget("20KB"),
                    notify=[{"to": http_sink(told), "group": "5ms", "minInterval": "1s"}])
    if "is not in this build" in agent.command("check", "-c", agent.config_path).stderr:
        pytest.skip("agent.notify is not in this build")
    agent.start()
    append(followed, 0, 500)
    agent.wait_for(lambda: any(one["event"] == "budget" and one["text"].startswith("100 %")
                               for one in told.records()), what=lambda: told.records())
    held(agent)
    connection = UnixHttp(agent.data_dir / "leat.sock")
    connection.request("GET", "/metrics")
    metrics = connection.getresponse().read().decode()
    connection.close()
    assert "leat_budget_bytes 20000\n" in metrics
    assert int(metrics.split("\nleat_budget_used_bytes ")[1].split()[0]) >= 20_000
