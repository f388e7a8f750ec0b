#!/usr/bin/env python3
"""Checks inputs and reports against the schemas that the program prints, with a validator that shares no code with it.

Usage: schema_check.py FOLDER ORDERS INVOICES, where FOLDER has NAME.json for each schema and NAME.report for each report.
"""

import json
import sys
from decimal import Decimal
from pathlib import Path

from jsonschema import Draft202012Validator


def main() -> int:
    folder, orders, invoices = (Path(argument) for argument in sys.argv[1:4])
    schemas = {}
    for name in ("document", "purchase-order", "invoice", "report", "config"):
        schemas[name] = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        Draft202012Validator.check_schema(schemas[name])
    passed = failed = 0

    def check(what: str, schema: str, value: object, valid: bool = True) -> None:
        nonlocal passed, failed
        errors = list(Draft202012Validator(schemas[schema]).iter_errors(value))
        if bool(errors) == valid:
            failed += 1
            reason = errors[0].message if errors else "the schema takes it"
            print(f"{what}: {schema}: {reason}")
        else:
            passed += 1

    for source, schema in ((orders, "purchase-order"), (invoices, "invoice")):
        for number, line in enumerate(source.read_text(encoding="utf-8").splitlines(), 1):
            document = json.loads(line, parse_float=Decimal)
            check(f"{source}:{number}", schema, document)
            check(f"{source}:{number}", "document", document)
    good = json.loads(orders.read_text(encoding="utf-8").splitlines()[0])
    # The schema refuses what the program refuses.
    for change in ({"qty": 1}, {"status": "open"}, {"issue_date": "31.12.2026"}, {"number": 7}, {"kind": "invoice"}):
        check(f"{change}", "purchase-order", {**good, **change}, valid=False)
    check("no number", "purchase-order", {key: value for key, value in good.items() if key != "number"}, valid=False)
    invoice = json.loads(invoices.read_text(encoding="utf-8").splitlines()[0])
    for change in ({"totals": 1}, {"type": "Invoice"}, {"issue_date": "2026"}, {"payee": "ACMEW"}, {"kind": "purchase_order"}):
        check(f"{change}", "invoice", {**invoice, **change}, valid=False)
    for report in sorted(folder.glob("*.report")):
        check(report.name, "report", json.loads(report.read_text(encoding="utf-8")))
    check("config", "config", {"targets": {"tipalti": {"kind": "tipalti", "payer_name": "Acme"}}})
    check("config", "config", {"targets": {"tipalti": {"payer": "Acme"}}}, valid=False)
    check("config", "config", {"targets": {"amazon": {"kind": "amazon-vendor", "region": "eu", "arithmetic": "off"}}})
    check("config", "config", {"targets": {"amazon": {"kind": "amazon-vendor", "region": "mars"}}}, valid=False)
    check("config", "config", {"targets": {"aws": {"kind": "aws-invoicing", "profile": "billing", "timeout_s": 30}}})
    check("config", "config", {"targets": {"aws": {"kind": "aws-invoicing", "proflie": "billing"}}}, valid=False)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
