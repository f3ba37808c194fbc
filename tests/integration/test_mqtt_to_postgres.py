"""The whole way, under kills: MQTT → PostgreSQL."""

import pytest

from faults.mqtt_to_postgres import MqttToPostgres

KILLS = 10


@pytest.mark.parametrize("qos, version", [(1, "5"), (1, "3.1.1"), (2, "5"), (2, "3.1.1")])
def test_what_the_broker_accepted_is_in_the_table_whatever_dies(
        agent, make_mosquitto, make_postgres, qos, version):
    way = MqttToPostgres(agent, make_mosquitto(), make_postgres(), qos, version=version)
    way.disturb(KILLS)
    way.finish()
    assert way.killed == KILLS
    assert way.lost() == []


@pytest.mark.parametrize("restart_broker", [False, True])
@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_with_exactly_once_only_what_the_broker_gives_anew_comes_twice(
        agent, make_mosquitto, make_postgres, version, restart_broker):
    way = MqttToPostgres(agent, make_mosquitto(), make_postgres(), 2, exactly_once=True,
                         version=version, restart_broker=restart_broker)
    way.disturb(KILLS)
    way.finish()
    assert way.lost() == []
    assert way.repeated() == []


def test_exactly_once_needs_quality_of_service_2(agent):
    agent.configure({
        "source": {"type": "mqtt", "url": "mqtt://127.0.0.1", "topics": ["plant/#"], "qos": 1},
        "sink": {"type": "postgres", "url": "postgres://u@127.0.0.1/x", "table": "t"},
        "delivery": {"guarantee": "exactlyOnce"}})
    done = agent.command("check", "-c", agent.config_path)
    assert done.returncode == 2
    assert 'pipelines[0].delivery.guarantee: with these options the source "mqtt"' in done.stderr
    assert '"qos": 2' in done.stderr
