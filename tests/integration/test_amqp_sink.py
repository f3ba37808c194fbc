"""The amqp sink against a real RabbitMQ."""

import json

import pytest

from harness.pipelines import file_source, pipeline, quick_retry
from harness.plug import Plug
from harness.waiting import wait_for


def amqp_sink(broker, key, records=100, **options):
    urls = options.pop("urls", [broker.url])
    return {"type": "amqp", "urls": urls, "routingKey": key, "batch": {"records": records, "linger": "20ms"}, **options}


def write_records(path, count, *more):
    path.write_text("".join(json.dumps(one) + "\n" for one in
                            [*({"seq": n, "site": "ab"[n % 2], "temp": n / 2} for n in range(count)), *more]))
    return path


def seqs(queue):
    return [one["seq"] for one in queue.bodies()]


def test_each_record_becomes_a_persistent_message_with_its_key(agent, rabbitmq_broker, tmp_path):
    queue = rabbitmq_broker.queue("to-each", kind="quorum", exchange="plant", key="plant.*.reading")
    path = write_records(tmp_path / "in.jsonl", 1000)
    agent.configure(pipeline(file_source(path), amqp_sink(rabbitmq_broker, "plant.{site}.reading", exchange="plant")))
    assert agent.run() == 0
    assert seqs(queue) == list(range(1000))
    method, properties, body = queue.messages[7]
    assert (method.routing_key, properties.delivery_mode, properties.content_type) == \
        ("plant.b.reading", 2, "application/json")
    assert json.loads(body) == {"seq": 7, "site": "b", "temp": 3.5}


def test_properties_and_headers_are_made_of_fields(agent, rabbitmq_broker, tmp_path):
    queue = rabbitmq_broker.queue("to-props")
    path = write_records(tmp_path / "in.jsonl", 1, {"seq": 1})
    sink = amqp_sink(rabbitmq_broker, "to-props", payload="{seq}", persistent=False,
                     headers={"seq": "{seq}", "site": "{site}", "where": "at {site}", "always": "x"},
                     properties={"messageId": "m-{seq}", "correlationId": "{site}", "type": "reading", "appId": "leat",
                                 "replyTo": "r", "priority": 4, "expiration": "10m", "contentType": "text/plain",
                                 "timestamp": True})
    agent.configure(pipeline(file_source(path), sink))
    assert agent.run() == 0
    (_, first, body), (_, second, _) = wait_for(lambda: len(queue.take()) == 2 and queue.take())
    assert body == b"0"
    assert first.headers == {"seq": 0, "site": "a", "where": "at a", "always": "x"}
    assert (first.message_id, first.correlation_id, first.type, first.app_id, first.reply_to, first.priority,
            first.expiration, first.content_type) == ("m-0", "a", "reading", "leat", "r", 4, "600000", "text/plain")
    assert first.timestamp > 1_700_000_000 and first.delivery_mode is None
    # What the record lacks, its message lacks.
    assert second.headers == {"seq": 1, "always": "x"} and second.correlation_id is None


def test_a_message_that_no_queue_takes_becomes_a_dead_letter_and_the_others_get_through(agent, rabbitmq_broker, tmp_path):
    queue = rabbitmq_broker.queue("to-some", exchange="some", key="to.a")
    path = write_records(tmp_path / "in.jsonl", 200)
    agent.configure(pipeline(file_source(path), amqp_sink(rabbitmq_broker, "to.{site}", records=50, exchange="some")))
    assert agent.run() == 0
    assert seqs(queue) == list(range(0, 200, 2))
    letters = agent.dead_letters()
    assert sorted(json.loads(letter["record"])["seq"] if isinstance(letter["record"], str) else letter["record"]["seq"]
                  for letter in letters) == list(range(1, 200, 2))
    assert "312 NO_ROUTE" in letters[0]["reason"] and 'routing key "to.b"' in letters[0]["reason"], letters[0]


def test_a_queue_that_is_not_there_yet_is_waited_for(agent, rabbitmq_broker, tmp_path):
    """When nothing gets through it is no record's fault."""
    rabbitmq_broker.queue("to-later").channel.queue_delete("to-later")
    path = write_records(tmp_path / "in.jsonl", 50)
    agent.configure(pipeline(file_source(path), amqp_sink(rabbitmq_broker, "to-later"), delivery=quick_retry()))
    agent.start()
    agent.wait_log("312 NO_ROUTE")
    queue = rabbitmq_broker.queue("to-later")
    assert agent.wait() == 0
    assert seqs(queue) == list(range(50)) and agent.dead_letters() == []


def test_without_mandatory_what_no_queue_takes_is_delivered(agent, rabbitmq_broker, tmp_path):
    path = write_records(tmp_path / "in.jsonl", 50)
    agent.configure(pipeline(file_source(path), amqp_sink(rabbitmq_broker, "no-such-queue", mandatory=False)))
    assert agent.run() == 0
    assert agent.dead_letters() == []


def test_an_exchange_that_is_missing_is_named_and_waited_for(agent, rabbitmq_broker, tmp_path):
    rabbitmq_broker.channel().exchange_delete("comes-later")
    path = write_records(tmp_path / "in.jsonl", 50)
    agent.configure(pipeline(file_source(path), amqp_sink(rabbitmq_broker, "x", exchange="comes-later"),
                             delivery=quick_retry()))
    agent.start()
    agent.wait_log("404 NOT_FOUND - no exchange 'comes-later'")
    queue = rabbitmq_broker.queue("later-queue", exchange="comes-later")
    assert agent.wait() == 0
    assert seqs(queue) == list(range(50)) and agent.dead_letters() == []


def test_a_message_at_which_the_broker_closes_the_channel_is_found_and_the_others_get_through(
        agent, rabbitmq_broker, tmp_path):
    queue = rabbitmq_broker.queue("to-closing")
    path = write_records(tmp_path / "in.jsonl", 40, {"seq": 40, "cc": "no list"}, {"seq": 41})
    # RabbitMQ takes "CC" for more routing keys, and closes the channel when it is no list of them.
    agent.configure(pipeline(file_source(path), amqp_sink(rabbitmq_broker, "to-closing", headers={"CC": "{cc}"}),
                             delivery=quick_retry()))
    assert agent.run() == 0
    assert sorted(set(seqs(queue))) == [*range(40), 41]
    letters = agent.dead_letters()
    assert len(letters) == 1 and "406 PRECONDITION_FAILED" in letters[0]["reason"], letters


def test_a_lost_connection_sends_again_only_what_was_not_confirmed(agent, rabbitmq_broker, tmp_path):
    queue = rabbitmq_broker.queue("to-lost", kind="quorum")
    plug = Plug(rabbitmq_broker.port)
    path = write_records(tmp_path / "in.jsonl", 30_000)
    agent.configure(pipeline(file_source(path), amqp_sink(rabbitmq_broker, "to-lost", window=100,
                                                          urls=[f"amqp://127.0.0.1:{plug.port}"]),
                             delivery=quick_retry()))
    agent.start()
    for least in (500, 5000):
        wait_for(lambda: len(queue.take()) > least, 60)
        plug.cut()
    assert agent.wait() == 0
    got = seqs(queue)
    assert set(got) == set(range(30_000))
    assert len(got) - 30_000 <= 2 * 100  # the window of each connection that was cut
    plug.close()


def test_a_full_queue_is_waited_for(agent, rabbitmq_broker, tmp_path):
    """It answers with basic.nack."""
    queue = rabbitmq_broker.queue("to-full", **{"x-max-length": 50, "x-overflow": "reject-publish"})
    path = write_records(tmp_path / "in.jsonl", 300)
    agent.configure(pipeline(file_source(path), amqp_sink(rabbitmq_broker, "to-full"), delivery=quick_retry()))
    agent.start()
    agent.wait_log("basic.nack")
    wait_for(lambda: len(queue.take()) >= 300, 60)
    assert agent.wait() == 0
    assert set(seqs(queue)) == set(range(300)) and agent.dead_letters() == []


def test_a_broker_that_takes_nothing_for_now_is_waited_for_and_gets_nothing_twice(agent, make_rabbitmq, tmp_path):
    broker = make_rabbitmq()
    queue = broker.queue("to-blocked")
    broker.ctl("set_vm_memory_high_watermark", "0")
    path = write_records(tmp_path / "in.jsonl", 500)
    agent.configure(pipeline(file_source(path), amqp_sink(broker, "to-blocked", timeout="1s"), delivery=quick_retry()))
    agent.start()
    agent.wait_log(r"the broker takes no messages for now \(low on memory\); waiting")
    broker.ctl("set_vm_memory_high_watermark", "0.6")
    assert agent.wait() == 0
    assert seqs(queue) == list(range(500))


def test_a_broker_that_restarts_in_mid_stream_gets_every_record(agent, make_rabbitmq, tmp_path):
    broker = make_rabbitmq()
    queue = broker.queue("to-restart")
    path = write_records(tmp_path / "in.jsonl", 60_000)
    agent.configure(pipeline(file_source(path), amqp_sink(broker, "to-restart"), delivery=quick_retry()))
    agent.start()
    wait_for(lambda: queue.ready()[0] > 1000, 60)
    broker.kill()
    broker.start()
    assert agent.wait(120) == 0
    assert set(seqs(queue)) == set(range(60_000))


# --- TLS ------------------------------------------------------------------------------------------

def test_a_certificate_says_who_connects(agent, make_rabbitmq, certs, tmp_path):
    broker = make_rabbitmq(ssl=(certs.server, certs.server_key), client_ca=certs.ca)
    queue = broker.queue("to-tls")
    broker.ctl("add_user", "client", "unknown")
    broker.ctl("set_permissions", "client", ".*", ".*", ".*")
    path = write_records(tmp_path / "in.jsonl", 100)
    tls = {"ca": str(certs.ca), "cert": str(certs.client), "key": str(certs.client_key)}
    agent.configure(pipeline(file_source(path), amqp_sink(broker, "to-tls", urls=[broker.tls_url], auth="external", tls=tls)))
    assert agent.run() == 0
    assert seqs(queue) == list(range(100))
    done = agent.command("check", "-c", agent.config_path, "--connect")
    assert done.returncode == 0 and "RabbitMQ" in done.stdout, done.stdout + done.stderr
    # A broker whose certificate nobody vouches for is refused.
    agent.configure(pipeline(file_source(path), amqp_sink(broker, "to-tls", urls=[broker.tls_url],
                                                          tls={"ca": str(certs.other_ca)})))
    done = agent.command("check", "-c", agent.config_path, "--connect")
    assert done.returncode == 1 and "certificate" in done.stdout + done.stderr


@pytest.mark.parametrize("wrong, says", [
    ({"urls": []}, "urls"),
    ({"urls": ["amqp://a", "amqps://b"]}, "urls[1]: must be with TLS, or without, as the first is"),
    ({"urls": ["amqp://u:p@a"]}, 'urls[0]: it must not hold a user or a password'),
    ({"urls": ["amqp://a/vhost"]}, 'use "vhost"'),
    ({"auth": "external"}, 'auth: "external" needs amqps://'),
    ({"tls": {}}, "tls: does nothing without amqps://"),
    ({"routingKey": "{"}, "routingKey"),
    ({"headers": {"a": "{"}}, "headers.a"),
    ({"heartbeat": "1500ms"}, "heartbeat: must be whole seconds"),
])
def test_what_is_wrong_with_the_options_is_said(agent, wrong, says):
    sink = {"type": "amqp", "urls": ["amqp://localhost"], "routingKey": "x", **wrong}
    agent.configure(pipeline(file_source("x"), sink))
    done = agent.command("check", "-c", agent.config_path)
    assert done.returncode == 2 and says in done.stderr, done.stderr
