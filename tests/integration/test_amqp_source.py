"""The amqp source against a real RabbitMQ."""

import json

import pytest

from harness.pipelines import http_sink, pipeline, quick_retry, where
from harness.plug import Plug
from harness.waiting import wait_for


def amqp_source(broker, queue, **options):
    urls = options.pop("urls", [broker.url])
    return {"type": "amqp", "urls": urls, "queue": queue, "format": "json", **options}


def start(agent, source, collector, *transforms, **rest):
    agent.configure(pipeline(source, http_sink(collector), *transforms, delivery=quick_retry(), **rest))
    agent.start()


def seqs(collector):
    return [one["seq"] for one in collector.records()]


def end(agent):
    agent.terminate()
    assert agent.wait() == 0, agent.log


def some(first, last):
    return [{"seq": n} for n in range(first, last)]


@pytest.mark.parametrize("kind", ["classic", "quorum"])
def test_a_queue_is_made_and_bound_and_its_messages_are_acknowledged(agent, rabbitmq_broker, collector, kind):
    channel = rabbitmq_broker.channel()
    channel.exchange_declare("plants", "topic", durable=True)
    channel.queue_delete("made")
    start(agent, amqp_source(rabbitmq_broker, "made", declare={"type": kind},
                             bindings=[{"exchange": "plants", "routingKey": "plant.*.press"}]), collector)
    agent.wait_log("connected to .*RabbitMQ.*queue \"made\"")
    for n in range(500):
        channel.basic_publish("plants", "plant.a.press", json.dumps({"seq": n}), mandatory=True)
    channel.basic_publish("plants", "plant.a.oven", '{"seq": -1}')
    collector.wait_records(500)
    wait_for(lambda: channel.queue_declare("made", passive=True).method.message_count == 0)
    end(agent)
    assert seqs(collector) == list(range(500))
    # Nothing comes back when the consumer has gone: all was acknowledged.
    assert channel.queue_declare("made", passive=True).method.message_count == 0


def test_properties_and_headers_become_fields(agent, rabbitmq_broker, collector):
    queue = rabbitmq_broker.queue("fields")
    queue.publish({"seq": 0}, message_id="m-1", correlation_id="c", reply_to="r", type="reading", app_id="app",
                  priority=3, timestamp=1_767_322_984, content_type="application/json", expiration="600000",
                  headers={"site": "ä", "n": 2**40, "deep": {"list": [1, True, None, "x"]}, "x": b"\xff\x00"})
    queue.publish({"seq": 1})
    fields = ["exchange", "routingKey", "redelivered", "messageId", "correlationId", "replyTo", "type", "appId",
              "userId", "priority", "timestamp", "expiration", "contentType", "contentEncoding", "headers"]
    start(agent, amqp_source(rabbitmq_broker, "fields", fields=fields), collector)
    collector.wait_records(2)
    end(agent)
    first, second = collector.records()
    headers = first.pop("headers")
    assert first == {"seq": 0, "exchange": "", "routingKey": "fields", "redelivered": False, "messageId": "m-1",
                     "correlationId": "c", "replyTo": "r", "type": "reading", "appId": "app", "userId": None,
                     "priority": 3, "timestamp": "2026-01-02T03:03:04Z", "expiration": "600000",
                     "contentType": "application/json", "contentEncoding": None}
    assert headers["site"] == "ä" and headers["n"] == 2**40
    assert headers["deep"] == {"list": [1, True, None, "x"]}
    assert second["headers"] == {} and second["messageId"] is None


def test_what_is_delivered_again_over_a_new_connection_is_not_emitted_again(agent, rabbitmq_broker, collector):
    """The collector holds the deliveries back, so that all of them are under way when the line is cut."""
    plug = Plug(rabbitmq_broker.port)
    queue = rabbitmq_broker.queue("again", kind="quorum")
    collector.down()
    start(agent, amqp_source(rabbitmq_broker, "again", urls=[f"amqp://127.0.0.1:{plug.port}"]), collector)
    queue.publish(*some(0, 300))
    wait_for(lambda: queue.ready() == (0, 1), what="all to be under way")
    plug.cut()
    agent.wait_log("connection (is lost|was closed)")
    agent.wait_for(lambda: agent.log_of_run.count("connected to") == 2, what="another connection")
    wait_for(lambda: queue.ready() == (0, 1), what="all to be under way again")
    collector.up()
    wait_for(lambda: len(set(seqs(collector))) == 300, 60)
    end(agent)
    assert sorted(seqs(collector)) == list(range(300))
    wait_for(lambda: queue.ready() == (0, 0), what="all to be acknowledged")
    plug.close()


def test_what_was_acknowledged_on_a_line_that_was_cut_is_not_emitted_again(agent, rabbitmq_broker, collector):
    plug = Plug(rabbitmq_broker.port)
    queue = rabbitmq_broker.queue("cuts")
    start(agent, amqp_source(rabbitmq_broker, "cuts", urls=[f"amqp://127.0.0.1:{plug.port}"]), collector,
          limits={"recordsPerSecond": 500})
    agent.wait_log("connected to")
    for cuts in (1, 2, 3):
        had = len(seqs(collector))
        queue.publish(*some(500 * (cuts - 1), 500 * cuts))
        wait_for(lambda: len(seqs(collector)) > had + 200, 30, "more")
        plug.cut()
        agent.wait_for(lambda: agent.log_of_run.count("connected to") == cuts + 1, what="another connection")
    queue.publish(*some(1500, 2000))
    wait_for(lambda: len(set(seqs(collector))) == 2000, 60)
    end(agent)
    assert sorted(seqs(collector)) == list(range(2000))
    wait_for(lambda: queue.ready() == (0, 0), what="all to be acknowledged")
    plug.close()


def test_no_more_than_the_prefetch_count_is_under_way(agent, rabbitmq_broker, collector):
    queue = rabbitmq_broker.queue("few")
    queue.publish(*some(0, 100))
    collector.down()
    agent.configure(pipeline(amqp_source(rabbitmq_broker, "few", prefetch=7), http_sink(collector),
                             delivery=quick_retry(spool="never")))
    agent.start()
    wait_for(lambda: queue.ready() == (93, 1), what=lambda: f"93 to stay in the queue: {queue.ready()}")
    collector.up()
    wait_for(lambda: seqs(collector) == list(range(100)))
    end(agent)


def test_a_large_message_comes_whole_and_a_larger_one_is_a_dead_letter(agent, rabbitmq_broker, collector):
    queue = rabbitmq_broker.queue("large")
    text = "ab" * 200_000  # several frames of 128 KiB
    queue.publish({"seq": 0, "text": text}, {"seq": 1, "text": text * 3}, {"seq": 2}, "", "{bad")
    start(agent, amqp_source(rabbitmq_broker, "large"), collector, where("seq >= 0"))
    collector.wait_records(2)
    agent.wait_for(lambda: len(agent.dead_letters()) == 3)
    end(agent)
    records = collector.records()
    assert [one["seq"] for one in records] == [0, 2] and records[0]["text"] == text
    reasons = "\n".join(letter["reason"] for letter in agent.dead_letters())
    for reason in ("a message of 1.1 MiB, more than maxMessage", "the body is empty", "invalid JSON"):
        assert reason in reasons
    assert queue.ready()[0] == 0


def test_a_dead_letter_says_where_it_came_from(agent, rabbitmq_broker, collector):
    queue = rabbitmq_broker.queue("bad-one")
    queue.publish("{bad", message_id="m-7", headers={"site": "a"})
    start(agent, amqp_source(rabbitmq_broker, "bad-one"), collector, where("seq >= 0"))
    agent.wait_for(lambda: len(agent.dead_letters()) == 1)
    end(agent)
    letter = agent.dead_letters()[0]
    assert "bad-one" in json.dumps(letter["source"] if "source" in letter else letter), letter
    assert '"messageId": "m-7"' in json.dumps(letter) and '"site": "a"' in json.dumps(letter), letter


def test_a_queue_that_is_deleted_is_waited_for_and_found_again(agent, rabbitmq_broker, collector):
    queue = rabbitmq_broker.queue("comes-back")
    start(agent, amqp_source(rabbitmq_broker, "comes-back"), collector)
    agent.wait_log("connected to")
    queue.channel.queue_delete("comes-back")
    agent.wait_log("basic.cancel: the queue \"comes-back\" is gone")
    agent.wait_log("404 NOT_FOUND.*asking for the queue \"comes-back\"")
    rabbitmq_broker.queue("comes-back").publish({"seq": 1})
    wait_for(lambda: seqs(collector) == [1], 60)
    end(agent)


def test_a_queue_of_another_kind_is_named(agent, rabbitmq_broker, collector):
    rabbitmq_broker.queue("other-kind", kind="classic")
    start(agent, amqp_source(rabbitmq_broker, "other-kind", declare={"type": "quorum"}), collector)
    agent.wait_log("406 PRECONDITION_FAILED.*x-queue-type.*declaring the queue \"other-kind\"")
    end(agent)


def test_a_password_that_is_wrong_and_a_virtual_host_that_is_missing_are_named(agent, rabbitmq_broker, collector):
    for wrong, says in (({"password": "no"}, "403 ACCESS_REFUSED"), ({"vhost": "nowhere"}, "530 NOT_ALLOWED.*nowhere")):
        start(agent, amqp_source(rabbitmq_broker, "q", **wrong), collector)
        agent.wait_log(says)
        end(agent)


def test_another_node_is_tried_when_the_first_is_away(agent, rabbitmq_broker, collector):
    queue = rabbitmq_broker.queue("nodes")
    first, second = Plug(rabbitmq_broker.port), Plug(rabbitmq_broker.port)
    start(agent, amqp_source(rabbitmq_broker, "nodes", urls=[f"amqp://127.0.0.1:{plug.port}" for plug in (first, second)]),
          collector)
    agent.wait_log(f"connected to amqp://127.0.0.1:{first.port}")
    first.pull()
    agent.wait_log(f"connected to amqp://127.0.0.1:{second.port}")
    queue.publish({"seq": 1})
    wait_for(lambda: seqs(collector) == [1])
    end(agent)
    for plug in (first, second):
        plug.close()


def test_a_silent_broker_is_noticed_by_its_heartbeats(agent, rabbitmq_broker, collector):
    queue = rabbitmq_broker.queue("beats")
    plug = Plug(rabbitmq_broker.port)
    start(agent, amqp_source(rabbitmq_broker, "beats", urls=[f"amqp://127.0.0.1:{plug.port}"], heartbeat="1s"), collector)
    agent.wait_log("connected to")
    plug.hold()
    agent.wait_log("the broker is silent: nothing came for 2")
    plug.let_go()
    queue.publish({"seq": 1})
    wait_for(lambda: seqs(collector) == [1], 60)
    end(agent)
    plug.close()


def deep(levels):
    table = {}
    for _ in range(levels):
        table = {"x": table}
    return table


def test_headers_that_are_nested_too_deeply_make_one_dead_letter(agent, rabbitmq_broker, collector):
    queue = rabbitmq_broker.queue("deep")
    queue.publish({"seq": 0})
    queue.publish({"seq": 1}, headers=deep(40))
    queue.publish(*some(2, 12))
    start(agent, amqp_source(rabbitmq_broker, "deep"), collector)
    wait_for(lambda: seqs(collector) == [0, *range(2, 12)], 30)
    agent.wait_for(lambda: len(agent.dead_letters()) == 1)
    end(agent)
    letter = json.dumps(agent.dead_letters()[0])
    assert "headers nested too deeply" in letter and '"routingKey": "deep"' in letter, letter
    assert agent.log_of_run.count("connected to") == 1
    wait_for(lambda: queue.ready() == (0, 0), what="all to be acknowledged")


# --- streams --------------------------------------------------------------------------------------

def stream(broker, name, **options):
    return amqp_source(broker, name, declare={"type": "stream"}, **options)


def test_a_stream_is_read_on_from_where_it_was_left(agent, rabbitmq_broker, collector):
    queue = rabbitmq_broker.queue("stream", kind="stream")
    queue.publish(*some(0, 200))
    start(agent, stream(rabbitmq_broker, "stream", offset="first", fields=["offset"]), collector)
    wait_for(lambda: len(collector.records()) == 200)
    end(agent)
    assert sorted(one["offset"] for one in collector.records()) == list(range(200))
    queue.publish(*some(200, 300))
    agent.start()
    wait_for(lambda: len(collector.records()) >= 300)
    end(agent)
    assert seqs(collector) == list(range(300))


def test_a_stream_loses_nothing_in_a_kill_and_a_cut(agent, rabbitmq_broker, collector):
    queue = rabbitmq_broker.queue("stream-kill", kind="stream")
    plug = Plug(rabbitmq_broker.port)
    queue.publish(*some(0, 500))
    start(agent, stream(rabbitmq_broker, "stream-kill", urls=[f"amqp://127.0.0.1:{plug.port}"], offset="first"), collector)
    wait_for(lambda: len(collector.records()) > 0)
    agent.kill()
    agent.start()
    agent.wait_log("connected to")
    plug.cut()
    queue.publish(*some(500, 600))
    wait_for(lambda: set(seqs(collector)) == set(range(600)), 60)
    end(agent)
    plug.close()


@pytest.mark.parametrize("offset, first", [("150", 150), ("last", None), ("next", 200)])
def test_a_stream_begins_where_it_is_told(agent, rabbitmq_broker, collector, offset, first):
    queue = rabbitmq_broker.queue("stream-from", kind="stream")
    queue.publish(*some(0, 200))
    start(agent, stream(rabbitmq_broker, "stream-from", offset=offset), collector)
    agent.wait_log("connected to")
    queue.publish(*some(200, 210))
    wait_for(lambda: 209 in seqs(collector))
    end(agent)
    got = seqs(collector)
    assert got == list(range(got[0], 210))  # "last": the last chunk, however large the broker made it
    assert first is None or got[0] == first


def test_a_stream_that_was_begun_goes_on_from_there_although_nothing_has_come(agent, rabbitmq_broker, collector):
    queue = rabbitmq_broker.queue("stream-idle", kind="stream")
    plug = Plug(rabbitmq_broker.port)
    start(agent, stream(rabbitmq_broker, "stream-idle", urls=[f"amqp://127.0.0.1:{plug.port}"]), collector)
    agent.wait_log("connected to")
    plug.pull()
    agent.wait_log("connection (is lost|was closed)")
    queue.publish(*some(0, 50))
    plug.push_in()
    wait_for(lambda: sorted(seqs(collector)) == list(range(50)), 60)
    end(agent)
    plug.close()


def test_a_stream_that_was_begun_goes_on_from_there_after_a_restart(agent, rabbitmq_broker, collector):
    queue = rabbitmq_broker.queue("stream-idle-2", kind="stream")
    start(agent, stream(rabbitmq_broker, "stream-idle-2"), collector)
    agent.wait_log("connected to")
    end(agent)
    queue.publish(*some(0, 50))
    agent.start()
    wait_for(lambda: sorted(seqs(collector)) == list(range(50)), 60)
    end(agent)


def test_a_stream_that_was_made_anew_is_read_from_its_start(agent, rabbitmq_broker, collector):
    queue = rabbitmq_broker.queue("stream-anew", kind="stream")
    queue.publish(*some(0, 100))
    start(agent, stream(rabbitmq_broker, "stream-anew", offset="first", timeout="2s"), collector)
    wait_for(lambda: len(collector.records()) == 100)
    end(agent)
    queue = rabbitmq_broker.queue("stream-anew", kind="stream")
    queue.publish(*some(1000, 1060))
    agent.start()
    agent.wait_log("ends before offset 100, where it was left")
    wait_for(lambda: sorted(seqs(collector)[100:]) == list(range(1000, 1060)), 60)
    # And while it is read.
    rabbitmq_broker.queue("stream-anew", kind="stream").publish(*some(2000, 2010))
    agent.wait_log("ends before offset 60, where it was left")
    wait_for(lambda: sorted(seqs(collector)[160:]) == list(range(2000, 2010)), 60)
    end(agent)


def test_a_stream_that_is_taken_for_a_queue_is_warned_of(agent, rabbitmq_broker, collector):
    queue = rabbitmq_broker.queue("stream-as-queue", kind="stream")
    start(agent, amqp_source(rabbitmq_broker, "stream-as-queue"), collector)
    agent.wait_log("connected to")
    queue.publish({"seq": 1})
    agent.wait_log("has messages of a stream: .*\"declare\": {\"type\": \"stream\"}")
    wait_for(lambda: seqs(collector) == [1])
    end(agent)
