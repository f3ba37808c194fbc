"""The way in over HTTP, as the agent itself describes it (/api/v1/openapi.json): what is asked, and how it
must be answered, is taken from there."""

import json
import urllib.parse

import jsonschema

from .every_command import table
from .waiting import wait_for

ROLES = ("read", "operate", "configure")


class ApiWay:
    """connect() gives an http.client connection; tokens: one for each role, none over leat.sock.

    Each answer is held against the description. With tokens, each command is asked with that of the role that
    it needs, after it was refused to those below.
    """

    def __init__(self, connect, tokens=None):
        self.connect = connect
        self.tokens = tokens
        status, _, body = self.request("GET", "/api/v1/openapi.json", role="read")
        assert status == 200, body
        self.description = json.loads(body)
        self.called = set()  # (method, path)
        self.operations = {one["operationId"]: (method, path, one)
                           for path, methods in self.description["paths"].items()
                           for method, one in methods.items() if "operationId" in one}

    def request(self, method, path, body=None, role=None, headers=None):
        headers = dict(headers or {})
        if self.tokens and role is not None:
            headers["Authorization"] = f"Bearer {self.tokens[role]}"
        connection = self.connect()
        try:
            connection.request(method.upper(), path, body=body, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.getheader("Content-Type", ""), answer.read()
        finally:
            connection.close()

    # --- commands ---------------------------------------------------------------------------------

    def ask(self, command, arguments):
        method, path, operation = self.operation(command, arguments)
        [needed] = operation["security"][0]["token"]
        assert needed == table()[command]
        sent = self.sent(path, operation, arguments)
        if self.tokens and (method, path) not in self.called:
            for role in ROLES[:ROLES.index(needed)]:
                status, _, text = self.request(method, *sent, role=role)
                assert (status, text) == (403, f"{command}: needs the role {needed}, and who asks has {role}\n"
                                          .encode())
            assert self.request(method, *sent)[0] == 401
        self.called.add((method, path))
        return self.read(command, operation, *self.request(method, *sent, role=needed))

    def operation(self, command, arguments):
        """Of those that a command has, the one that takes most of the arguments in its path."""
        names = [id for id in self.operations if id == command or
                 (id.startswith(command + ".") and id not in table())]
        fit = [self.operations[id] for id in names
               if all(one["name"] in arguments for one in self.operations[id][2]["parameters"] if one["in"] == "path")]
        return max(fit, key=lambda one: one[1].count("{"))

    @staticmethod
    def sent(path, operation, arguments):
        rest = dict(arguments)
        where = {one["name"]: one["in"] for one in operation["parameters"]}
        for name in [name for name in rest if where.get(name) == "path"]:
            path = path.replace("{" + name + "}", urllib.parse.quote(str(rest.pop(name)), safe=""))
        query = {name: rest.pop(name) for name in list(rest) if where.get(name) == "query"}
        if query:
            path += "?" + urllib.parse.urlencode({name: json.dumps(value) if isinstance(value, bool) else value
                                                  for name, value in query.items()})
        assert len(rest) <= ("requestBody" in operation), f"{rest} is not in the description"
        return path, json.dumps(*rest.values()) if rest else None

    def read(self, command, operation, status, kind, body):
        """The answer, if it is one of those that are described, and a success."""
        assert str(status) in operation["responses"], (status, body)
        response = operation["responses"][str(status)]
        if "$ref" in response:
            response = self.description["components"]["responses"][response["$ref"].rpartition("/")[2]]
        form = response["content"][kind.partition(";")[0]]
        assert status in (200, 202), (command, status, body)
        text = body.decode()
        if "x-line" in form:
            lines = [json.loads(line) for line in text.splitlines()]
            for line in lines[:-1] if command == "deadLetters.show" else lines:
                self.conforms(line, form["x-line"])
            return lines
        value = json.loads(text) if kind == "application/json" else text
        self.conforms(value, form["schema"])
        return value

    def conforms(self, value, schema):
        jsonschema.Draft202012Validator({**schema, "components": self.description["components"]}).validate(value)

    def change(self, command, arguments):
        number = self.ask(command, arguments)["version"]

        def settled():
            for one in self.ask("config.history", {})["versions"]:
                if one["version"] == number and one["state"] != "probation":
                    return one
            return None
        return wait_for(settled, what="the end of its probation")

    def tap(self, arguments, feed):
        method, path, operation = self.operation("tap", arguments)
        self.called.add((method, path))
        headers = {"Authorization": f"Bearer {self.tokens['read']}"} if self.tokens else {}
        connection = self.connect()
        try:
            connection.request(method.upper(), self.sent(path, operation, arguments)[0], headers=headers)
            answer = connection.getresponse()
            form = operation["responses"][str(answer.status)]["content"][answer.getheader("Content-Type")]
            assert answer.readline() == b"\n"  # it has begun
            feed()
            line = json.loads(answer.readline())
            self.conforms(line, form["x-line"])
            return line
        finally:
            connection.close()
