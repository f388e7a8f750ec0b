"""Every request that a dry run shows for AWS Invoicing is one that botocore would send: its shapes, its required members, its limits.

Usage: aws_check.py FILE...   each with one {"operation": ..., "request": ...} a line
"""

import json
import re
import sys

import botocore.session
from botocore.validate import ParamValidator

model = botocore.session.get_session().get_service_model("invoicing")


def patterns(shape, value, path):
    """What botocore leaves to the service: patterns, enums and longest lengths."""
    if shape.type_name == "structure":
        for name, member in value.items():
            yield from patterns(shape.members[name], member, f"{path}.{name}")
    elif shape.type_name == "list":
        most = shape.metadata.get("max")
        if most is not None and len(value) > most:
            yield f"{path}: {len(value)} entries, and {most} are allowed"
        for place, member in enumerate(value):
            yield from patterns(shape.member, member, f"{path}[{place}]")
    elif shape.type_name == "string":
        words, pattern, most = shape.metadata.get("enum"), shape.metadata.get("pattern"), shape.metadata.get("max")
        if words and value not in words:
            yield f"{path}: {value!r} is not one of {words}"
        # Python knows no classes of Unicode; the only pattern with one is that of names.
        if pattern and "\\p{" not in pattern and not re.fullmatch(pattern, value):
            yield f"{path}: {value!r} does not match {pattern}"
        if most is not None and len(value) > most:
            yield f"{path}: {len(value)} characters, and {most} are allowed"


def faults(line):
    call = json.loads(line)
    shape = model.operation_model(call["operation"]).input_shape
    report = ParamValidator().validate(call["request"], shape)
    if report.has_errors():
        yield report.generate_report()
        return
    yield from patterns(shape, call["request"], call["operation"])


def self_test(line):
    """A request with a mistake is noticed."""
    call = json.loads(line)
    request = call["request"]
    broken = [
        {**request, "Contacts": []},
        {**request, "Contacts": [{"Email": "nobody"}]},
        {**request, "BuyerIdentifier": "a b"},
        {**request, "ProcurementPortalName": "ARIBA"},
        {**request, "EinvoiceDeliveryEnabled": "yes"},
        {**request, "Surprise": 1},
        {name: value for name, value in request.items() if name != "SupplierIdentifier"},
    ]
    for mistake in broken:
        if not list(faults(json.dumps({**call, "request": mistake}))):
            sys.exit(f"this was not noticed: {mistake}")


def main():
    count = 0
    for file in sys.argv[1:]:
        for line in open(file, encoding="utf-8"):
            wrong = list(faults(line))
            if wrong:
                sys.exit(f"{file}: {wrong}\n{line}")
            if "CreateProcurementPortalPreference" in line:
                self_test(line)
            count += 1
    if count == 0:
        sys.exit("there is nothing to check")
    print(f"{count} requests are what botocore's model says")


main()
