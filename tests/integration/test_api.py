"""What can be asked over HTTP: each command of the table, by leat.sock and by agent.admin, as the agent itself
describes it."""

import http.client
import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from harness.api_way import ROLES, ApiWay
from harness.every_command import EveryCommand, table
from harness.ports import free_port
from harness.unix_http import UnixHttp
from harness.waiting import wait_for

TOKENS = {role: f"a token that may {role}" for role in ROLES}
OPENAPI = Path("/usr/share/openapi-specification/schemas/v3.0/schema.yaml")


class Served:
    """An agent that can be asked over HTTP, and a collector behind it."""

    def __init__(self, agent, collector):
        self.agent = agent
        self.every = EveryCommand(agent, collector)
        self.port = free_port()
        tokens = [TOKENS["configure"], *({"token": TOKENS[role], "role": role} for role in ROLES[:2])]
        # Nobody commands it so, but the log is kept for that.
        control = {"url": f"mqtt://127.0.0.1:{free_port()}",
                   "keys": [{"id": "fleet", "secret": "f" * 32, "role": "configure"}]}
        agent.configure(*self.every.pipelines, probation="1s", control=control,
                        admin={"listen": f"127.0.0.1:{self.port}", "tokens": tokens})
        if "is not in this build" in agent.command("check", "-c", str(agent.config_path)).stderr:
            pytest.skip("agent.admin or agent.control is not in this build")
        agent.start()
        agent.wait_log("admin: listening on")

    def over_socket(self):
        return ApiWay(lambda: UnixHttp(self.agent.data_dir / "leat.sock"))

    def over_tcp(self):
        return ApiWay(lambda: http.client.HTTPConnection("127.0.0.1", self.port, timeout=20), TOKENS)


@pytest.fixture
def served(agent, collector):
    made = Served(agent, collector)
    yield made
    made.every.close()


@pytest.mark.parametrize("way", ["over_socket", "over_tcp"])
def test_each_command_of_the_table_does_what_it_says(served, way):
    asked = getattr(served, way)()
    served.every.drive(asked)
    served.every.check()
    described = {(method, path) for method, path, _ in asked.operations.values()}
    assert asked.called == described, "each operation was called"


def test_what_is_described_is_what_there_is(served):
    way = served.over_tcp()
    for path, methods in way.description["paths"].items():
        there = path.replace("{version}", "1").replace("{pipeline}", "p")
        connection = way.connect()
        connection.request("OPTIONS", there, headers={"Authorization": f"Bearer {TOKENS['read']}"})
        answer = connection.getresponse()
        if path != "/":
            assert answer.status == 405, path
            assert {one.lower() for one in answer.getheader("Allow").split(", ")} == set(methods), path
        connection.close()
    commands = {id for id in way.operations if id in table()}
    assert commands == set(table())
    assert not [id for id in way.operations if id not in commands and id.rpartition(".")[0] not in commands]


def test_what_is_there_for_http_alone_is_answered_as_described(served):
    way = served.over_tcp()
    for path, methods in way.description["paths"].items():
        if "operationId" in methods.get("get", {"operationId": ""}):
            continue
        status, kind, _ = way.request("GET", path, role="read", headers={"Accept-Encoding": "gzip"})
        responses = methods["get"]["responses"]
        assert str(status) in responses, path
        if status == 200:
            assert kind.partition(";")[0] in responses["200"]["content"], path
        open_to_all = methods["get"]["security"] == []
        assert (way.request("GET", path, headers={"Accept-Encoding": "gzip"})[0] == 401) != open_to_all, path


def test_without_tokens_that_is_open_which_is_described_so(served):
    config = json.loads(served.agent.config_path.read_text())
    del config["agent"]["admin"]["tokens"]
    served.agent.terminate()
    served.agent.wait()
    served.agent.write_config(config)
    served.agent.start()
    served.agent.wait_log("admin: listening on")
    way = ApiWay(lambda: http.client.HTTPConnection("127.0.0.1", served.port, timeout=20))
    for method, path, operation in way.operations.values():
        there = path.replace("{version}", "1").replace("{pipeline}", "p")
        may = {} in operation["security"]
        assert (way.request(method, there)[0] == 403) != may, path


def test_the_description_is_openapi(served):
    """Debian has the rules of OpenAPI 3.0: what is around the schemas is the same in 3.1, whose schemas are those
    of JSON Schema 2020-12."""
    if not OPENAPI.exists():
        pytest.skip("Debian's package openapi-specification is not installed; scripts/setup installs it")
    description = served.over_socket().description
    assert description["openapi"] == "3.1.0"
    schemas = description["components"].pop("schemas")
    for name, schema in schemas.items():
        jsonschema.Draft202012Validator.check_schema(schema)
        assert "$ref" not in json.dumps(schema) or "#/components/schemas/" in json.dumps(schema), name
    jsonschema.validate({**description, "openapi": "3.0.3"}, yaml.safe_load(OPENAPI.read_text()))
    ids = [one["operationId"] for methods in description["paths"].values() for one in methods.values()
           if "operationId" in one]
    assert len(ids) == len(set(ids))
    text = json.dumps(description)
    for reference in {part.partition('"')[0] for part in text.split('"#/components/schemas/')[1:]}:
        assert reference in schemas
