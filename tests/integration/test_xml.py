"""The format xml against a foreign reader and writer, Python's xml.etree."""

import json
import random
import xml.etree.ElementTree as ET

from harness.pipelines import file_source, http_sink, pipeline, where


def meaning(element):
    """What a record of the element is, by the table of agent/engine/codec/README.md."""
    fields = {f"@{name}": value for name, value in element.attrib.items()}
    text = (element.text or "") + "".join(child.tail or "" for child in element)
    groups = {}
    for child in element:
        groups.setdefault(child.tag, []).append(meaning(child))
    fields.update({tag: values if len(values) > 1 else values[0] for tag, values in groups.items()})
    if not fields:
        return text or None
    return {**fields, "#text": text} if text.strip() else fields


def some_text(chance):
    return "".join(chance.choice("ab <>&\"'é€𝄞\t0]") for _ in range(chance.randrange(1, 12))).strip() or "x"


def some_element(chance, tag, depth=0):
    element = ET.Element(tag, {name: some_text(chance) for name in chance.sample("klm", chance.randrange(3))})
    if depth == 3 or chance.random() < 0.4:
        element.text = some_text(chance) if chance.random() < 0.9 else None
    else:
        for _ in range(chance.randrange(1, 5)):
            element.append(some_element(chance, chance.choice("abc"), depth + 1))
    return element


def as_record(element):
    record = meaning(element)
    return record if isinstance(record, dict) else {} if record is None else {"#text": record}


def test_a_document_written_by_another_program_is_read_as_it_is_meant(agent):
    chance = random.Random(1)
    root = ET.Element("orders")
    for _ in range(500):
        root.append(some_element(chance, "order"))
    ET.indent(root)
    (agent.folder / "in.xml").write_bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))
    source = file_source(agent.folder / "in.xml", format="xml", xml={"record": "/orders/order", "types": "string"})
    agent.configure(pipeline(source, {"type": "file", "path": str(agent.folder / "out")}))
    agent.run()
    records = [json.loads(line) for line in (agent.folder / "out").read_text().splitlines()]
    assert records == [as_record(order) for order in root]


def test_another_program_reads_what_is_written_and_it_is_the_same(agent, collector):
    chance = random.Random(2)
    root = ET.Element("records")
    for _ in range(300):
        root.append(some_element(chance, "record"))
    (agent.folder / "in.xml").write_bytes(ET.tostring(root, encoding="utf-8"))
    source = file_source(agent.folder / "in.xml", format="xml", xml={"record": "/records/record", "types": "string"})
    agent.configure(pipeline(source, http_sink(collector, format="xml", inFlight=1)))
    agent.run()
    documents = [ET.fromstring(request.body) for request in collector.requests]
    assert [as_record(record) for document in documents for record in document] == [as_record(r) for r in root]


def test_a_record_is_found_by_what_is_nested_in_it(agent):
    (agent.folder / "in.xml").write_text(
        "<orders><order><customer><city>Aachen</city></customer><qty>2</qty></order>"
        "<order><customer><city>Bonn</city></customer><qty>7</qty></order></orders>")
    source = file_source(agent.folder / "in.xml", format="xml", xml={"record": "/orders/order"})
    agent.configure(pipeline(source, {"type": "file", "path": str(agent.folder / "out")},
                             where("json_extract(customer, '$.city') = 'Bonn' AND qty > 2")))
    agent.run()
    assert [json.loads(line)["qty"] for line in (agent.folder / "out").read_text().splitlines()] == [7]


def test_a_torn_document_costs_no_record_but_the_torn_one(agent):
    (agent.folder / "in.xml").write_text("<orders>" + "<order><n>1</n></order>\n" * 5000 + "<order><n>")
    source = file_source(agent.folder / "in.xml", format="xml", xml={"record": "/orders/order"})
    agent.configure(pipeline(source, {"type": "file", "path": str(agent.folder / "out")}))
    agent.run()
    assert (agent.folder / "out").read_text() == '{"n":1}\n' * 5000
    assert [letter["reason"] for letter in agent.dead_letters()] == [
        "the input ends within it", "the input ends before </orders>"]
