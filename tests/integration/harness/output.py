"""What commands print with --json, against agent/cli/output.schema.json."""

import json
from pathlib import Path

import jsonschema

SCHEMA = json.loads((Path(__file__).resolve().parents[3] / "agent" / "cli" / "output.schema.json").read_text())


def conforming(text, command):
    """The JSON that `command` has printed; fails where it is not of the form that is promised."""
    data = json.loads(text)
    jsonschema.validate(data, {**SCHEMA, "$ref": f"#/$defs/{command}"})
    return data
