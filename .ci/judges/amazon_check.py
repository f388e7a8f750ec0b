"""Checks submitInvoices bodies, one a line, against JSON Schemas that were not made from the adapter.

Against our own schema always; against the definitions of Amazon's published model where that file is at hand.
"""

import argparse
import json
import pathlib
import re
import sys

from jsonschema import Draft4Validator, Draft202012Validator

# The model says in prose what a Decimal looks like, and RFC 3339 what a moment does.
DECIMAL = re.compile(r"^-?(0|([1-9]\d*))(\.\d+)?([eE][+-]?\d+)?$")
MOMENT = re.compile(r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]\d{2}:\d{2})$")


def close(model):
    """Makes the model strict: no member that it does not name, and decimals and moments as its prose wants them."""
    definitions = model["definitions"]
    for name, definition in definitions.items():
        if definition.get("type") == "object":
            definition["additionalProperties"] = False
        if name == "Decimal":
            definition["pattern"] = DECIMAL.pattern
    text = json.dumps(definitions).replace('"format": "date-time"', f'"pattern": {json.dumps(MOMENT.pattern)}')
    return {"$ref": "#/definitions/SubmitInvoicesRequest", "definitions": json.loads(text)}


def empties(value, path="$"):
    """Every null, empty text, empty list and empty object: Amazon does not take them for absent."""
    if value is None or value == "" or value == [] or value == {}:
        yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from empties(child, f"{path}.{key}")


def once(pairs):
    keys = [key for key, _ in pairs]
    if len(keys) != len(set(keys)):
        raise ValueError(f"a key stands twice: {keys}")
    return dict(pairs)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("wire", type=pathlib.Path)
    parser.add_argument("--invoices", type=pathlib.Path, required=True)
    parser.add_argument("--schema", type=pathlib.Path)
    parser.add_argument("--model", type=pathlib.Path)
    args = parser.parse_args()
    judges = []
    if args.schema:
        judges.append((args.schema.name, Draft202012Validator(json.loads(args.schema.read_text()))))
    if args.model and args.model.exists():
        judges.append((args.model.name, Draft4Validator(close(json.loads(args.model.read_text())))))
    canonical = [json.loads(line) for line in args.invoices.read_text().splitlines() if line.strip()]
    lines = args.wire.read_text().splitlines()
    problems = [f"{len(lines)} bodies for {len(canonical)} invoices"] if len(lines) != len(canonical) else []
    for invoice, line in zip(canonical, lines):
        body = json.loads(line, object_pairs_hook=once)
        number = invoice["number"]
        for name, judge in judges:
            problems += [f"{number}: {name}: {error.json_path}: {error.message}" for error in judge.iter_errors(body)]
        problems += [f"{number}: {path} is empty" for path in empties(body)]
        (sent,) = body["invoices"]
        for ours, theirs in [
            (number, sent["id"]),
            (invoice["currency"], sent["invoiceTotal"]["currencyCode"]),
            (str(invoice["total"]), sent["invoiceTotal"]["amount"]),
            (invoice["payee"]["id"], sent["remitToParty"]["partyId"]),
            (len(invoice["lines"]), len(sent["items"])),
            ([str(line["price"]) for line in invoice["lines"]], [item["netCost"]["amount"] for item in sent["items"]]),
        ]:
            if ours != theirs:
                problems.append(f"{number}: {ours!r} became {theirs!r}")
    print("\n".join(problems) or f"{len(lines)} bodies are what {', '.join(name for name, _ in judges) or 'nobody'} asks for")
    sys.exit(bool(problems))


main()
