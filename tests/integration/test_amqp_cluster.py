"""The amqp stages against a RabbitMQ of three nodes."""

import json
import re

from harness.pipelines import file_source, http_sink, pipeline, quick_retry
from harness.waiting import wait_for


def node_of(agent, cluster, said):
    """The node that a line of the log says is connected to, the last."""
    port = int(re.findall(said + r"amqp://127.0.0.1:(\d+)", agent.log_of_run)[-1])
    return next(node for node in cluster.nodes if node.port == port)


def test_each_node_is_stopped_in_turn_and_nothing_is_lost(make_agent, rabbitmq_cluster, collector, tmp_path):
    """One agent publishes to a quorum queue, another reads it, while one node after the other is away: that to
    which the first is connected."""
    cluster = rabbitmq_cluster
    cluster.nodes[0].queue("quorum", kind="quorum", **{"x-quorum-initial-group-size": 3})
    path = tmp_path / "in.jsonl"
    path.touch()
    given = 0

    def all_arrive(count=1000):
        nonlocal given
        with open(path, "a", encoding="utf8") as file:
            file.write("".join(json.dumps({"seq": n}) + "\n" for n in range(given, given + count)))
        given += count
        wait_for(lambda: {one["seq"] for one in collector.records()} == set(range(given)), 90,
                 lambda: f"{given} records, got {len(collector.records())}:\n{writer.log[-1500:]}\n{reader.log[-1500:]}")

    writer, reader = make_agent("writer"), make_agent("reader")
    writer.configure(pipeline(file_source(path, follow=True),
                              {"type": "amqp", "urls": cluster.urls, "routingKey": "quorum", "window": 200},
                              delivery=quick_retry()))
    reader.configure(pipeline({"type": "amqp", "urls": cluster.urls, "queue": "quorum", "format": "json"},
                              http_sink(collector), delivery=quick_retry()))
    reader.start()
    writer.start("--log-level", "debug")
    all_arrive()
    for _ in cluster.nodes:
        node = node_of(writer, cluster, "publishing to ")
        node.stop()
        all_arrive()
        node.start()
        all_arrive()
    for one in (writer, reader):
        one.terminate()
        assert one.wait() == 0, one.log
