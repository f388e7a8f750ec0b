#!/usr/bin/env python3
"""A second opinion on the SOAP that `payables` writes: zeep, a grown SOAP client, writes the same orders.

Input is a file of canonical purchase orders (JSON Lines) and what a dry run made of it:

    payables sync canonical.jsonl --to tipalti --dry-run > wire.txt
    zeep_check.py --wsdl wsdl/tipalti/PayerFunctions.wsdl --orders canonical.jsonl --wire wire.txt

For every envelope in wire.txt this script maps the same orders by itself, lets zeep build the envelope from the WSDL,
and compares the two as XML: expanded names, element order, texts. Prefixes, namespace declarations and white space
between elements do not count. Each envelope's body is also validated against the schema inside the WSDL.

The mapping is written down twice on purpose, here and in Rust, from the same description and with no code in common.
A slip passes only if it was made twice. The order of elements is not even written down here: zeep has it from the WSDL.

Every distinct order in the input has to be on the wire, so the input holds valid orders only; of several with one
number the first counts, as in a dry run.

Exit codes: 0 everything agrees, 1 it does not, 2 the check itself could not be run.
Needs Python 3.11, zeep and lxml (tried with 4.3.3 and 6.1.3). Opens no socket.
"""

from __future__ import annotations

import argparse
import datetime
import decimal
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import zeep
from lxml import etree
from zeep.wsdl.bindings import Soap12Binding

TIPALTI = "http://Tipalti.org/"
SOAP12 = "http://www.w3.org/2003/05/soap-envelope"
WSDL = "http://schemas.xmlsoap.org/wsdl/"
XS = "http://www.w3.org/2001/XMLSchema"

OPERATION = "CreateOrUpdatePurchaseOrders"
ITEM = f"{{{TIPALTI}}}TipaltiPurchaseOrderItem"
NUMBER = f"{{{TIPALTI}}}PurchaseOrderNumber"

# What a dry run writes in place of the key: a real one, printed to a terminal, could be replayed.
DRY_RUN_KEY = "DRY-RUN"
# The API's own limit of records in one call.
MOST_ORDERS_IN_A_CALL = 250

# A product of two decimals of 28 digits has 56. The default precision of 28 would round it without a word.
decimal.getcontext().prec = 100
FOUR_PLACES = Decimal("0.0001")

Json = dict[str, Any]


class CannotCheck(Exception):
    """The check itself cannot be run: a file, the WSDL or a setting is not as it has to be."""


class BadOrder(Exception):
    """A canonical order that the mapping has no answer for."""


# ------------------------------------------------------------------------------------------ canonical orders, as read


def read_orders(lines: Iterable[bytes]) -> dict[str, Json]:
    """The orders by their numbers."""
    orders: dict[str, Json] = {}
    for at, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            order = json.loads(line, parse_float=Decimal, parse_constant=_no_constant, object_pairs_hook=_unique_keys)
            if not isinstance(order, dict) or order.get("kind") != "purchase_order":
                raise BadOrder("is not a purchase order")
            number = text_of(order, "number", required=True)
        except (ValueError, BadOrder) as error:
            raise CannotCheck(f"order on line {at}: {error}") from error
        if number in orders:
            print(f"note: line {at} repeats the number {number}; the first one counts", file=sys.stderr)
        else:
            orders[number] = order
    return orders


def _no_constant(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


def _unique_keys(pairs: list[tuple[str, Any]]) -> Json:
    twice = [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]
    if twice:
        raise ValueError(f"the key {twice[0]!r} occurs twice in one object")
    return dict(pairs)


def take(record: Json, path: str, required: bool = False) -> Any:
    """The value at `path` ("item.name"), or None. Absent, null and "" all mean that it is not given."""
    value: Any = record
    for name in path.split("."):
        if value is None:
            break
        if not isinstance(value, dict):
            raise BadOrder(f"{path}: an object is expected on the way")
        value = value.get(name)
    if value is None or value == "":
        if required:
            raise BadOrder(f"{path} is missing")
        return None
    return value


def text_of(record: Json, path: str, required: bool = False) -> str | None:
    value = take(record, path, required)
    if value is not None and not isinstance(value, str):
        raise BadOrder(f"{path}: a text is expected, not {value!r}")
    return value


def decimal_of(record: Json, path: str, required: bool = False, default: Decimal | None = None) -> Decimal | None:
    """A decimal, exactly as given; places beyond the fourth are dropped where they are zeros, and refused otherwise."""
    value = take(record, path, required)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise BadOrder(f"{path}: a decimal is expected, not {value!r}")
    try:
        exact = Decimal(value)
    except decimal.InvalidOperation as error:
        raise BadOrder(f"{path}: {value!r} is not a decimal") from error
    if not exact.is_finite():
        raise BadOrder(f"{path}: {value!r} is not a decimal")
    kept = to_four_places(exact)
    if kept != exact:
        raise BadOrder(f"{path}: {value} has more than four places")
    return kept


def to_four_places(value: Decimal) -> Decimal:
    """Half away from zero, which Decimal calls half up. A value of fewer places keeps them: 1.50 stays 1.50."""
    if value.as_tuple().exponent >= -4:
        return value
    return value.quantize(FOUR_PLACES, rounding=decimal.ROUND_HALF_UP)


def truth_of(record: Json, path: str, default: bool) -> bool:
    value = take(record, path)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise BadOrder(f"{path}: true or false is expected, not {value!r}")
    return value


def whole_of(record: Json, path: str) -> int | None:
    value = decimal_of(record, path)
    if value is None:
        return None
    if value != int(value):
        raise BadOrder(f"{path}: a whole number is expected, not {value}")
    return int(value)


_DATE = re.compile(r"(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d:\d\d))?(?:Z|[+-]\d\d:\d\d)?", re.ASCII)


def wall_clock_of(record: Json, path: str) -> datetime.datetime:
    """The date and time as written: a plain date is its midnight, an offset is dropped and the wall clock kept."""
    value = text_of(record, path, required=True)
    match = _DATE.fullmatch(value)
    if not match:
        raise BadOrder(f"{path}: {value!r} is not a date")
    try:
        return datetime.datetime.fromisoformat(f"{match[1]}T{match[2] or '00:00:00'}")
    except ValueError as error:
        raise BadOrder(f"{path}: {value!r}: {error}") from error


# ---------------------------------------------------------------------------------------- from canonical to Tipalti's

STATUSES = {
    "active": "Active",
    "closed": "Closed",
    "deleted": "Deleted",
    "partially_billed": "PartiallyBilled",
    "pending_approval": "PendingApproval",
}
LINE_KINDS = {"item": "Item", "expense": "Expense"}
# How the external ids of a line end: as the documentation page prints them, or as the vendor's later schemas do.
SPELLINGS = {"documented": "ExternalID", "schema": "ExternalId"}


@dataclass(frozen=True)
class Mapping:
    """What zeep is given for an order. Keys are in no particular order; what is not given is absent."""

    spelling: str
    payer_entity: str | None

    def order(self, order: Json) -> Json:
        lines = self._each(order, "lines", "PurchaseOrderLine", self._line)
        if lines is None:
            raise BadOrder("lines: at least one is expected")
        return present(
            Idap=text_of(order, "seller.id"),
            PurchaseOrderNumber=text_of(order, "number", required=True),
            OldPurchaseOrderNumber=text_of(order, "previous_number"),
            Status=word_of(order, "status", STATUSES, "active"),
            Memo=text_of(order, "note", required=True),
            PurchaseOrderDate=wall_clock_of(order, "issue_date"),
            PayerEntity=text_of(order, "buyer.entity") or self.payer_entity,
            Currency=text_of(order, "currency", required=True),
            Approvers=self._each(order, "approvers", "TipaltiInvoiceApprover", self._approver),
            CustomFields=self._each(order, "custom_fields", "KeyValuePair", self._custom_field),
            PurchaseOrderLines=lines,
        )

    def _line(self, line: Json) -> Json:
        quantity = decimal_of(line, "quantity", required=True)
        price = decimal_of(line, "price", required=True)
        discount = decimal_of(line, "discount_amount")
        amount = decimal_of(line, "amount")
        if amount is None:
            amount = to_four_places(price * quantity)
        net = decimal_of(line, "net_amount")
        if net is None and discount is not None:
            net = to_four_places(amount - discount)
        external_id = SPELLINGS[self.spelling]
        return present(
            PoLineId=text_of(line, "id"),
            LineType=word_of(line, "kind", LINE_KINDS, "item"),
            Item=text_of(line, "item.buyers_id", required=True),
            LineDescription=text_of(line, "item.description") or text_of(line, "item.name"),
            Quantity=quantity,
            Units=text_of(line, "unit"),
            UnitsExternalId=text_of(line, "unit_external_id"),
            Rate=price,
            Amount=amount,
            DiscountValue=discount,
            NetValue=net,
            TaxAmount=decimal_of(line, "tax.amount"),
            TaxCodeExternalId=text_of(line, "tax.code"),
            Account=text_of(line, "account.number"),
            BilledQuantity=decimal_of(line, "billed_quantity", default=Decimal(0)),
            BilledAmount=decimal_of(line, "billed_amount", default=Decimal(0)),
            IsClosed=truth_of(line, "closed", default=False),
            CustomFields=self._each(line, "custom_fields", "KeyValuePair", self._custom_field),
            **{
                f"Account{external_id}": text_of(line, "account.external_id", required=True),
                f"Item{external_id}": text_of(line, "item.external_id", required=True),
            },
        )

    @staticmethod
    def _approver(approver: Json) -> Json:
        return present(
            Name=text_of(approver, "name"), Email=text_of(approver, "email"), Order=whole_of(approver, "order")
        )

    @staticmethod
    def _custom_field(pair: Json) -> Json:
        return present(Key=text_of(pair, "key"), Value=text_of(pair, "value"))

    @staticmethod
    def _each(record: Json, path: str, element: str, one: Callable[[Json], Json]) -> Json | None:
        """The wrapper of an array, or None where the array has nothing in it: an element is never written empty."""
        values = take(record, path)
        if values is None or values == []:
            return None
        if not isinstance(values, list):
            raise BadOrder(f"{path}: an array is expected")
        mapped = []
        for at, value in enumerate(values):
            try:
                mapped.append(one(value))
            except BadOrder as error:
                raise BadOrder(f"{path}[{at}].{error}") from error
        return {element: mapped}


def word_of(record: Json, path: str, words: dict[str, str], default: str) -> str:
    value = text_of(record, path) or default
    if value not in words:
        raise BadOrder(f"{path}: {value!r} is none of {', '.join(words)}")
    return words[value]


def present(**members: Any) -> Json:
    return {name: value for name, value in members.items() if value is not None}


# ------------------------------------------------------------------------------------------------------ the comparer


@dataclass(frozen=True)
class Difference:
    path: str
    message: str


_SPACE = " \t\r\n"  # White space as XML has it; Python's strip() would also take a no-break space, which is text.
_DECIMAL = re.compile(r"-?\d+(?:\.(\d+))?", re.ASCII)
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", re.ASCII)


class Comparer:
    """Two trees, element by element. `types` says by name which texts are numbers or times; the rest is exact."""

    def __init__(self, types: dict[str, str]) -> None:
        self._types = types

    def compare(self, expected: etree._Element, found: etree._Element, path: str = "") -> Iterator[Difference]:
        if expected.tag != found.tag:
            yield Difference(path, f"<{name_of(expected)}> expected, <{name_of(found)}> found")
            return
        yield from self._attributes(expected, found, path)
        if len(expected) == 0 and len(found) == 0:
            message = self._texts(expected.tag, expected.text or "", found.text or "")
            if message:
                yield Difference(path, message)
            return
        for stray in [found.text, *(child.tail for child in found)]:
            if stray and stray.strip(_SPACE):
                yield Difference(path, f"text between the elements: {stray!r}")
        yield from self._children(expected, found, path)

    @staticmethod
    def _attributes(expected: etree._Element, found: etree._Element, path: str) -> Iterator[Difference]:
        if dict(expected.attrib) != dict(found.attrib):
            yield Difference(path, f"attributes {dict(expected.attrib)} expected, {dict(found.attrib)} found")

    def _children(self, expected: etree._Element, found: etree._Element, path: str) -> Iterator[Difference]:
        """Children are paired by name and occurrence, so that one missing element is one difference, not twenty."""
        wanted, have = occurrences(expected), occurrences(found)
        for key in wanted:
            if key not in have:
                yield Difference(step(path, key, wanted), "missing")
        for key in have:
            if key not in wanted:
                empty = ", and empty" if is_empty(have[key]) else ""
                yield Difference(step(path, key, have), f"not expected{empty}")
        in_order = [key for key in wanted if key in have]
        as_found = [key for key in have if key in wanted]
        for want, got in zip(in_order, as_found, strict=True):
            if want != got:
                message = f"out of order: <{name_of(wanted[want])}> expected here"
                yield Difference(step(path, got, have), message)
                break
        for key in in_order:
            yield from self.compare(wanted[key], have[key], step(path, key, wanted))

    def _texts(self, tag: str, expected: str, found: str) -> str | None:
        differ = f"{expected!r} expected, {found!r} found"
        match self._types.get(tag):
            case "decimal":
                form = _DECIMAL.fullmatch(found)
                if not form:
                    return f"{found!r} is not a decimal in fixed point"
                if len(form[1] or "") > 4:
                    return f"{found} has more than four places"
                return None if Decimal(found) == Decimal(expected) else differ
            case "double":
                # zeep takes the timestamp for a float, so only its value can be compared; its form is checked apart.
                try:
                    return None if float(found) == float(expected) else differ
                except ValueError:
                    return f"{found!r} is not a number"
            case "dateTime":
                if not _DATE_TIME.fullmatch(found):
                    return f"{found!r} is not YYYY-MM-DDThh:mm:ss"
        return None if found == expected else differ


Key = tuple[Any, int]


def occurrences(parent: etree._Element) -> dict[Key, etree._Element]:
    """The children in their order, by name and by which of that name they are. A comment is a child like any other."""
    seen: Counter[Any] = Counter()
    keyed = {}
    for child in parent:
        seen[child.tag] += 1
        keyed[child.tag, seen[child.tag]] = child
    return keyed


def step(path: str, key: Key, siblings: dict[Key, etree._Element]) -> str:
    tag, nth = key
    several = (tag, 2) in siblings
    return f"{path}/{name_of(siblings[key])}{f'[{nth}]' if several else ''}".lstrip("/")


def name_of(element: etree._Element) -> str:
    if not isinstance(element.tag, str):
        return "comment()" if isinstance(element, etree._Comment) else "processing-instruction()"
    name = etree.QName(element)
    return name.localname if name.namespace in (TIPALTI, SOAP12) else element.tag


def is_empty(element: etree._Element) -> bool:
    return len(element) == 0 and not element.text


# --------------------------------------------------------------------------------------------------------- the judge

# An order's number, or None for what stands around the orders; a path; what is wrong there.
Problem = tuple[str | None, str, str]


@dataclass(frozen=True)
class Finding:
    """A problem, and the envelope that it was found in (0: in none)."""

    envelope: int
    number: str | None
    path: str
    message: str

    def __str__(self) -> str:
        where = f"envelope {self.envelope}" if self.number is None else on_one_line(self.number)
        return f"{where}: {self.path}: {self.message}" if self.path else f"{where}: {self.message}"


def on_one_line(number: str) -> str:
    """A number is any text, and a line break in it must not make two findings of one."""
    return json.dumps(number, ensure_ascii=False)[1:-1]


@dataclass
class Verdict:
    findings: list[Finding] = field(default_factory=list)
    judged: set[str] = field(default_factory=set)
    envelopes: int = 0

    def failed(self) -> int:
        orders = {finding.number for finding in self.findings if finding.number is not None}
        frames = {finding.envelope for finding in self.findings if finding.number is None}
        return len(orders) + len(frames)

    def passed(self) -> int:
        return len(self.judged - {finding.number for finding in self.findings})


class Offline(zeep.Transport):
    """The WSDL names the vendor's production endpoint. Nothing here may ever reach it."""

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise CannotCheck("zeep wanted to use the network")

    get = post = post_xml = _load_remote_data = _refuse


class Judge:
    def __init__(self, wsdl: str, spelling: str, payer_entity: str | None) -> None:
        try:
            self._client = zeep.Client(wsdl, transport=Offline(), settings=zeep.Settings(strict=True))
            schema = the_schema(etree.parse(wsdl))
            self._schema = etree.XMLSchema(schema)
        except (OSError, etree.LxmlError, zeep.exceptions.Error) as error:
            raise CannotCheck(f"{wsdl}: {error}") from error
        self._service = self._soap12_service()
        self._comparer = Comparer(simple_types(schema))
        self.mapping = Mapping(spelling, payer_entity)
        for name in (f"Account{SPELLINGS[spelling]}", f"Item{SPELLINGS[spelling]}"):
            if not schema.xpath("//xs:element[@name = $name]", name=name, namespaces={"xs": XS}):
                raise CannotCheck(f"{wsdl} has no {name}: it is not written in the {spelling} spelling")

    def _soap12_service(self) -> Any:
        for service in self._client.wsdl.services.values():
            for port in service.ports.values():
                if isinstance(port.binding, Soap12Binding):
                    return self._client.bind(service.name, port.name)
        raise CannotCheck("the WSDL has no port with a SOAP 1.2 binding")

    def expected(self, orders: list[Json], payer_name: str, timestamp: int) -> etree._Element:
        """The envelope that zeep would send."""
        return self._client.create_message(
            self._service,
            OPERATION,
            payerName=payer_name,
            timestamp=timestamp,
            key=DRY_RUN_KEY,
            purchaseOrders={"TipaltiPurchaseOrderItem": orders},
        )

    def judge(self, orders: dict[str, Json], wire: Iterable[bytes]) -> Verdict:
        verdict = Verdict()
        for line in wire:
            if not line.strip():
                continue
            verdict.envelopes += 1
            for number, path, message in self._envelope(line, orders, verdict.judged):
                verdict.findings.append(Finding(verdict.envelopes, number, path, message))
        for number in orders:
            if number not in verdict.judged:
                verdict.findings.append(Finding(0, number, "", "not on the wire"))
        return verdict

    def _envelope(self, line: bytes, orders: dict[str, Json], judged: set[str]) -> Iterator[Problem]:
        try:
            found = read_envelope(line)
        except (ValueError, etree.XMLSyntaxError) as error:
            yield None, "", str(error)
            return
        request = found.find(f"{{{SOAP12}}}Body/{{{TIPALTI}}}{OPERATION}")
        if request is None:
            yield None, "", f"no SOAP 1.2 envelope around {OPERATION}"
            return
        yield from self.against_schema(request)

        payer_name, timestamp = yield from self._header_fields(request)
        items = request.findall(f"{{{TIPALTI}}}purchaseOrders/{ITEM}")
        if not 1 <= len(items) <= MOST_ORDERS_IN_A_CALL:
            yield None, "", f"{len(items)} orders in one call"

        known = yield from self._known(items, orders, judged)
        try:
            expected = self.expected([mapped for _, _, mapped in known], payer_name, timestamp)
        except (ValueError, TypeError, zeep.exceptions.Error) as error:
            # Which order is to blame is not known, and none of them has been compared.
            for number, _, _ in known:
                yield number, "", f"in an envelope that zeep cannot write: {error}"
            return
        # The orders are compared one by one, then taken out, so that what is left is compared as one short envelope.
        wanted_items = list(expected.iter(ITEM))
        for (number, item, _), wanted in zip(known, wanted_items, strict=True):
            for difference in self._comparer.compare(wanted, item):
                yield number, difference.path, difference.message
        for item in [*items, *wanted_items]:
            take_out(item)
        for difference in self._comparer.compare(expected, found):
            yield None, difference.path, difference.message

    def _known(
        self, items: list[etree._Element], orders: dict[str, Json], judged: set[str]
    ) -> Generator[Problem, None, list[tuple[str, etree._Element, Json]]]:
        """The orders on the wire that can be compared: number, what was found, and what zeep is to be given."""
        known = []
        for at, item in enumerate(items, start=1):
            number = item.findtext(NUMBER)
            if not number:
                yield None, f"TipaltiPurchaseOrderItem[{at}]", "has no number"
            elif number in judged:
                yield number, "", "more than once on the wire"
            elif number not in orders:
                yield number, "", "not in the input"
            else:
                judged.add(number)
                try:
                    known.append((number, item, self.mapping.order(orders[number])))
                except BadOrder as error:
                    yield number, "", f"on the wire, but not a valid order: {error}"
        return known

    def against_schema(self, request: etree._Element) -> Iterator[Problem]:
        if self._schema.validate(request):
            return
        for error in self._schema.error_log:
            node = pointed_at(request, error.path)
            while node is not request and node.tag != ITEM:
                node = node.getparent()
            number = None if node is request else node.findtext(NUMBER)
            yield number, "schema", error.message.replace(f"{{{TIPALTI}}}", "")

    @staticmethod
    def _header_fields(request: etree._Element) -> Generator[Problem, None, tuple[str, int]]:
        """Payer name and timestamp. The input knows neither, so their form is checked and the wire's word is taken."""
        payer_name = request.findtext(f"{{{TIPALTI}}}payerName")
        if not payer_name:
            yield None, "payerName", "missing or empty"
        timestamp = request.findtext(f"{{{TIPALTI}}}timestamp") or ""
        if not re.fullmatch(r"\d+", timestamp, re.ASCII):
            yield None, "timestamp", f"{timestamp!r} is not a whole number of seconds"
            timestamp = "0"
        return payer_name or "", int(timestamp)


def the_schema(wsdl: etree._ElementTree) -> etree._Element:
    schemas = wsdl.findall(f"{{{WSDL}}}types/{{{XS}}}schema")
    if len(schemas) != 1:
        raise CannotCheck(f"the WSDL has {len(schemas)} schemas; exactly one is expected")
    # Through text, because a copied subtree would lose the prefixes that are declared further up.
    return etree.fromstring(etree.tostring(schemas[0]))


def simple_types(schema: etree._Element) -> dict[str, str]:
    """The built-in types by element name. One name for two types would make the comparer guess, so that is refused."""
    types: dict[str, str] = {}
    for element in schema.iter(f"{{{XS}}}element"):
        prefix, _, local = element.get("type", "").rpartition(":")
        kind = local if element.nsmap.get(prefix or None) == XS else ""
        if types.setdefault(f"{{{TIPALTI}}}{element.get('name')}", kind) != kind:
            raise CannotCheck(f"the schema gives {element.get('name')} two types")
    return types


def read_envelope(line: bytes) -> etree._Element:
    if not line.startswith(b"<?xml "):
        raise ValueError("does not begin with an XML declaration")
    # A declared entity or DTD has no place in SOAP: nothing is expanded, and its presence is a finding.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    root = etree.fromstring(line, parser)
    document = root.getroottree().docinfo
    if document.doctype:
        raise ValueError("has a document type declaration")
    if (document.encoding or "").upper() != "UTF-8":
        raise ValueError(f"is declared as {document.encoding}, not UTF-8")
    return root


def take_out(item: etree._Element) -> None:
    """Removes an element but not the text behind it, which the comparer is still to see."""
    parent, before, tail = item.getparent(), item.getprevious(), item.tail or ""
    parent.remove(item)
    if before is None:
        parent.text = (parent.text or "") + tail
    else:
        before.tail = (before.tail or "") + tail
    if len(parent) == 0 and not parent.text.strip(_SPACE):
        parent.text = None  # What was white space between elements must not be taken for a text of its own.


def pointed_at(request: etree._Element, path: str | None) -> etree._Element:
    """The element that libxml2 points at. Its paths count elements, with a prefix or a star for a name."""
    node = request
    for part in (path or "").strip("/").split("/")[1:]:
        match = re.fullmatch(r"([^\[]+)(?:\[(\d+)\])?", part)
        if not match:
            break
        name = match[1].rpartition(":")[2]
        same = [child for child in node if name == "*" or etree.QName(child).localname == name]
        nth = int(match[2] or 1)
        if nth > len(same):
            break
        node = same[nth - 1]
    return node


# --------------------------------------------------------------------------------------------------------- self-test

# Two orders that between them use every field, and the envelope for them, written by hand: what this script and zeep
# make of the orders is held against it, and then the comparer against the same envelope with one fault at a time.
SELF_TEST_ORDERS = [
    r"""
    {"kind": "purchase_order", "number": "PO-1", "issue_date": "2026-03-01", "currency": "EUR",
     "note": "Büro & Lager <2>",
     "lines": [{"item": {"buyers_id": "I-1", "external_id": "X-1"}, "quantity": "0.5", "price": 0.3333,
                "account": {"external_id": "A-1"}}]}
    """,
    r"""
    {"kind": "purchase_order", "number": "PO-2", "previous_number": "PO-0", "issue_date": "2026-03-01T23:59:58-05:00",
     "currency": "CNY", "status": "partially_billed", "note": "采购订单 📦\r\n第二行\u00a0",
     "seller": {"id": "payee-2"}, "buyer": {"entity": "上海分公司"},
     "approvers": [{"name": "Ana", "email": "ana@example.com", "order": 1}, {"email": "bo@example.com", "name": ""}],
     "custom_fields": [{"key": "Project", "value": "R&D"}, {"key": "Site", "value": null}],
     "lines": [
        {"id": "10", "kind": "expense", "quantity": 12.50, "unit": "H87", "unit_external_id": "U-7",
         "item": {"buyers_id": "I-2", "name": "not used", "description": "螺栓 M8 \"zinc\"", "external_id": "X-2",
                  "sellers_id": "not carried"},
         "price": "-1.2345000", "discount_amount": "0.00", "tax": {"amount": "1e2", "code": "VAT19"},
         "account": {"number": "4711", "external_id": "A-2"}, "billed_quantity": "1", "billed_amount": "1.2345",
         "closed": true, "custom_fields": [{"key": "Lot", "value": " 7 "}]},
        {"id": "20", "quantity": "2", "price": "5", "amount": "10.01", "discount_amount": "0.5",
         "item": {"buyers_id": "I-3", "name": "Nut", "external_id": "X-2"}, "account": {"external_id": "A-2"},
         "custom_fields": []},
        {"id": "30", "quantity": "2", "price": "5", "discount_amount": "0.5", "net_amount": "9.51",
         "item": {"buyers_id": "I-3", "external_id": "X-2"}, "account": {"external_id": "A-2"}}]}
    """,
]

SELF_TEST_WIRE = """\
<?xml version="1.0" encoding="utf-8"?>\
<soap12:Envelope xmlns:soap12="http://www.w3.org/2003/05/soap-envelope"><soap12:Body>\
<CreateOrUpdatePurchaseOrders xmlns="http://Tipalti.org/">\
<payerName>AcmeCorp</payerName><timestamp>1772323200</timestamp><key>DRY-RUN</key><purchaseOrders>\
<TipaltiPurchaseOrderItem><PurchaseOrderNumber>PO-1</PurchaseOrderNumber><Status>Active</Status>\
<Memo>Büro &amp; Lager &lt;2&gt;</Memo><PurchaseOrderDate>2026-03-01T00:00:00</PurchaseOrderDate>\
<PayerEntity>Acme GmbH</PayerEntity><Currency>EUR</Currency><PurchaseOrderLines><PurchaseOrderLine>\
<Item>I-1</Item><Quantity>0.5</Quantity><Rate>0.3333</Rate><Amount>0.1667</Amount><LineType>Item</LineType>\
<BilledQuantity>0</BilledQuantity><BilledAmount>0</BilledAmount><AccountExternalID>A-1</AccountExternalID>\
<ItemExternalID>X-1</ItemExternalID><IsClosed>false</IsClosed></PurchaseOrderLine></PurchaseOrderLines>\
</TipaltiPurchaseOrderItem>\
<TipaltiPurchaseOrderItem><Idap>payee-2</Idap><PurchaseOrderNumber>PO-2</PurchaseOrderNumber>\
<Status>PartiallyBilled</Status><Memo>采购订单 📦&#13;&#10;第二行\u00a0</Memo>\
<PurchaseOrderDate>2026-03-01T23:59:58</PurchaseOrderDate><PayerEntity>上海分公司</PayerEntity>\
<Currency>CNY</Currency><Approvers><TipaltiInvoiceApprover><Name>Ana</Name><Email>ana@example.com</Email>\
<Order>1</Order></TipaltiInvoiceApprover><TipaltiInvoiceApprover><Email>bo@example.com</Email>\
</TipaltiInvoiceApprover></Approvers><CustomFields><KeyValuePair><Key>Project</Key><Value>R&amp;D</Value>\
</KeyValuePair><KeyValuePair><Key>Site</Key></KeyValuePair></CustomFields><PurchaseOrderLines><PurchaseOrderLine>\
<Item>I-2</Item><Quantity>12.50</Quantity><Units>H87</Units><LineDescription>螺栓 M8 "zinc"</LineDescription>\
<Rate>-1.2345</Rate><Amount>-15.4313</Amount><DiscountValue>0.00</DiscountValue><NetValue>-15.4313</NetValue>\
<Account>4711</Account><TaxAmount>100</TaxAmount><CustomFields><KeyValuePair><Key>Lot</Key><Value> 7 </Value>\
</KeyValuePair></CustomFields><PoLineId>10</PoLineId><LineType>Expense</LineType>\
<BilledQuantity>1</BilledQuantity><BilledAmount>1.2345</BilledAmount><AccountExternalID>A-2</AccountExternalID>\
<ItemExternalID>X-2</ItemExternalID><IsClosed>true</IsClosed><TaxCodeExternalId>VAT19</TaxCodeExternalId>\
<UnitsExternalId>U-7</UnitsExternalId></PurchaseOrderLine><PurchaseOrderLine><Item>I-3</Item>\
<Quantity>2</Quantity><LineDescription>Nut</LineDescription><Rate>5</Rate><Amount>10.01</Amount>\
<DiscountValue>0.5</DiscountValue><NetValue>9.51</NetValue><PoLineId>20</PoLineId><LineType>Item</LineType>\
<BilledQuantity>0</BilledQuantity><BilledAmount>0</BilledAmount><AccountExternalID>A-2</AccountExternalID>\
<ItemExternalID>X-2</ItemExternalID><IsClosed>false</IsClosed></PurchaseOrderLine><PurchaseOrderLine>\
<Item>I-3</Item><Quantity>2</Quantity><Rate>5</Rate><Amount>10</Amount><DiscountValue>0.5</DiscountValue>\
<NetValue>9.51</NetValue><PoLineId>30</PoLineId><LineType>Item</LineType><BilledQuantity>0</BilledQuantity>\
<BilledAmount>0</BilledAmount><AccountExternalID>A-2</AccountExternalID><ItemExternalID>X-2</ItemExternalID>\
<IsClosed>false</IsClosed></PurchaseOrderLine></PurchaseOrderLines><OldPurchaseOrderNumber>PO-0</OldPurchaseOrderNumber></TipaltiPurchaseOrderItem></purchaseOrders>\
</CreateOrUpdatePurchaseOrders></soap12:Body></soap12:Envelope>
"""


@dataclass(frozen=True)
class Case:
    """A change to the good envelope, made wherever `old` stands, and the findings that it must cause: (order, path)."""

    name: str
    old: str
    new: str
    findings: set[tuple[str | None, str]] = field(default_factory=set)


LINE = "PurchaseOrderLines/PurchaseOrderLine"
CALL = "Body/CreateOrUpdatePurchaseOrders"

SELF_TEST_CASES = [
    Case("the envelope as written by hand", "", ""),
    # What has to be noticed.
    Case(
        "two elements have changed places",
        "<Rate>0.3333</Rate><Amount>0.1667</Amount>",
        "<Amount>0.1667</Amount><Rate>0.3333</Rate>",
        {("PO-1", f"{LINE}/Amount"), ("PO-1", "schema")},
    ),
    Case("a decimal has changed in its last place", ">1.2345<", ">1.2346<", {("PO-2", f"{LINE}[1]/BilledAmount")}),
    Case("a derived amount is rounded to even", ">0.1667<", ">0.1666<", {("PO-1", f"{LINE}/Amount")}),
    Case("an element is missing", "<Account>4711</Account>", "", {("PO-2", f"{LINE}[1]/Account")}),
    Case("a text has changed", "<PoLineId>20<", "<PoLineId>21<", {("PO-2", f"{LINE}[2]/PoLineId")}),
    Case(
        "an optional element is there, and empty",
        "<LineDescription>Nut<",
        "<Units></Units><LineDescription>Nut<",
        {("PO-2", f"{LINE}[2]/Units")},
    ),
    Case("an empty array is there", "EUR</Currency>", "EUR</Currency><Approvers/>", {("PO-1", "Approvers")}),
    Case("a space has been lost from a text", "> 7 <", ">7<", {("PO-2", f"{LINE}[1]/CustomFields/KeyValuePair/Value")}),
    Case("a carriage return has been lost from a text", "&#13;&#10;", "&#10;", {("PO-2", "Memo")}),
    Case("a no-break space has been lost from a text", "\u00a0<", "<", {("PO-2", "Memo")}),
    Case("a text has been escaped twice", "R&amp;D", "R&amp;amp;D", {("PO-2", "CustomFields/KeyValuePair[1]/Value")}),
    Case("a decimal has an exponent", ">100<", ">1E2<", {("PO-2", f"{LINE}[1]/TaxAmount"), ("PO-2", "schema")}),
    Case("a decimal has a fifth place", ">-1.2345<", ">-1.23450<", {("PO-2", f"{LINE}[1]/Rate")}),
    Case("a time has kept its offset", "23:59:58<", "23:59:58-05:00<", {("PO-2", "PurchaseOrderDate")}),
    Case("a status is spelled as in the input", ">Active<", ">active<", {("PO-1", "Status"), ("PO-1", "schema")}),
    Case(
        "an element is nil",
        "<Account>4711</Account>",
        '<Account xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/>',
        {("PO-2", f"{LINE}[1]/Account"), ("PO-2", "schema")},
    ),
    Case(
        "an element has fallen out of the namespace",
        "<Units>H87",
        '<Units xmlns="">H87',
        {("PO-2", f"{LINE}[1]/Units"), ("PO-2", "schema")},
    ),
    Case("a comment has slipped in", "<Currency>EUR<", "<!-- --><Currency>EUR<", {("PO-1", "comment()")}),
    Case(
        "text stands between two orders",
        "</TipaltiPurchaseOrderItem><TipaltiPurchaseOrderItem>",
        "</TipaltiPurchaseOrderItem>,<TipaltiPurchaseOrderItem>",
        {(None, f"{CALL}/purchaseOrders"), (None, "schema")},
    ),
    Case("the key is not masked", ">DRY-RUN<", ">8a8aef89<", {(None, f"{CALL}/key")}),
    Case(
        "the timestamp has a fraction",
        "1772323200",
        "1772323200.0",
        {(None, "timestamp"), (None, f"{CALL}/timestamp")},
    ),
    Case(
        "the timestamp is missing",
        "<timestamp>1772323200</timestamp>",
        "",
        {(None, "timestamp"), (None, "schema"), (None, f"{CALL}/timestamp")},
    ),
    Case("the payer's name is empty", "<payerName>AcmeCorp<", "<payerName><", {(None, "payerName")}),
    Case("a header stands in the envelope", "<soap12:Body>", "<soap12:Header/><soap12:Body>", {(None, "Header")}),
    Case(
        "the envelope is SOAP 1.1",
        SOAP12,
        "http://schemas.xmlsoap.org/soap/envelope/",
        {(None, ""), ("PO-1", ""), ("PO-2", "")},
    ),
    Case(
        "there is no XML declaration",
        '<?xml version="1.0" encoding="utf-8"?>',
        "",
        {(None, ""), ("PO-1", ""), ("PO-2", "")},
    ),
    Case("an order is not one of ours", ">PO-1<", ">PO-9<", {("PO-1", ""), ("PO-9", "")}),
    # What has to be passed over.
    Case("a decimal is written with other zeros", "<Quantity>12.50<", "<Quantity>12.5<"),
    Case("the envelope has another prefix", "soap12", "s"),
    Case("a namespace is declared but not used", "<Memo>", '<Memo xmlns:u="urn:u">'),
    Case("white space stands between elements", "><", "> \t<"),
    Case("a text is written as CDATA", "Büro &amp; Lager &lt;2&gt;", "<![CDATA[Büro & Lager <2>]]>"),
]


def self_test(wsdl: str, spelling: str) -> int:
    judge = Judge(wsdl, spelling, payer_entity="Acme GmbH")
    orders = read_orders(" ".join(order.split("\n")).encode() for order in SELF_TEST_ORDERS)
    good = SELF_TEST_WIRE.rstrip("\n").replace("ExternalID>", f"{SPELLINGS[spelling]}>")

    results = [(case.name, run_case(judge, orders, good, case)) for case in SELF_TEST_CASES]
    twice = {(finding.number, finding.message) for finding in judge.judge(orders, [good.encode()] * 2).findings}
    noticed = {(number, "more than once on the wire") for number in orders} <= twice
    results.append(("every order is there twice", None if noticed else "not noticed"))
    results.append(("nothing is there at all", None if exit_code(judge.judge({}, [])) == 1 else "not noticed"))
    results.append(("what zeep writes is valid", zeep_is_valid(judge, orders)))

    for name, problem in results:
        print(f"FAILED {name}: {problem}" if problem else f"ok     {name}")
    failed = sum(problem is not None for _, problem in results)
    print(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed else 0


def run_case(judge: Judge, orders: dict[str, Json], good: str, case: Case) -> str | None:
    """None, or what went otherwise than it should have."""
    changed = good.replace(case.old, case.new) if case.old else good
    if case.old and changed == good:
        return f"{case.old!r} is not in the good envelope"
    verdict = judge.judge(orders, [changed.encode()])
    if {(finding.number, finding.path) for finding in verdict.findings} == case.findings:
        return None
    return "; ".join(map(str, verdict.findings)) or "not noticed"


def zeep_is_valid(judge: Judge, orders: dict[str, Json]) -> str | None:
    """Guards the judge against itself: what it has zeep write must be what the schema takes."""
    envelope = judge.expected([judge.mapping.order(order) for order in orders.values()], "AcmeCorp", 1772323200)
    return "; ".join(message for _, _, message in judge.against_schema(envelope[0][0])) or None


# ------------------------------------------------------------------------------------------------------ command line


def conclude(verdict: Verdict) -> int:
    for finding in verdict.findings:
        print(finding)
    print(f"{verdict.envelopes} envelopes read", file=sys.stderr)
    print(f"{verdict.passed()} passed, {verdict.failed()} failed")
    return exit_code(verdict)


def exit_code(verdict: Verdict) -> int:
    """A check that compared nothing has shown nothing, and must not pass."""
    return 0 if verdict.passed() and not verdict.failed() else 1


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Compares the envelopes of a dry run with those that zeep builds from the same orders.",
        epilog="Example: payables sync orders.jsonl --to tipalti --dry-run > wire.txt; "
        "%(prog)s --wsdl wsdl/tipalti/PayerFunctions.wsdl --orders orders.jsonl --wire wire.txt",
    )
    parser.add_argument("--wsdl", required=True, metavar="FILE")
    parser.add_argument("--orders", metavar="FILE", help="canonical purchase orders, JSON Lines")
    parser.add_argument("--wire", metavar="FILE", help="a dry run's output, one envelope a line")
    parser.add_argument("--spelling", choices=SPELLINGS, default="documented", help="default: %(default)s")
    parser.add_argument("--payer-entity", metavar="NAME", help="the configured one, for orders that name none")
    parser.add_argument("--self-test", action="store_true", help="proves that the comparer notices known faults")
    arguments = parser.parse_args()
    if not arguments.self_test and not (arguments.orders and arguments.wire):
        parser.error("--orders and --wire are needed, or --self-test")
    try:
        if arguments.self_test:
            return self_test(arguments.wsdl, arguments.spelling)
        judge = Judge(arguments.wsdl, arguments.spelling, arguments.payer_entity)
        with open(arguments.orders, "rb") as lines:
            orders = read_orders(lines)
        with open(arguments.wire, "rb") as wire:
            return conclude(judge.judge(orders, wire))
    except (CannotCheck, OSError) as error:
        print(f"zeep_check: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
