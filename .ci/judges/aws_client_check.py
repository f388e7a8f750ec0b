"""Every request that our client sends to AWS Invoicing is what botocore's model says, and signed as botocore signs it.

Usage: aws_client_check.py PAYABLES

A desk between our client and our simulated AWS looks at each request and hands it on, signed anew.
"""

import datetime
import hashlib
import http.client
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import namedtuple
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.validate import ParamValidator

JSON = "application/x-amz-json-1.0"
# What may be found nowhere but in requests. The desk puts the code that the simulated AWS takes in the place of this one.
CODE = "canary-code-5b1f"
SECRETS = {name: f"canary-{name}-c93e" for name in ("COUPA_SHARED_SECRET", "SAP_SHARED_SECRET", "SAP_TEST_SHARED_SECRET")}
# Nothing that our client does needs these.
UNUSED = {"BatchGetInvoiceProfile"}
SCHEME = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d+)/([^/]+)/([^/]+)/aws4_request, *SignedHeaders=([^,]+), *Signature=(\w+)")

Request = namedtuple("Request", "path headers body")
model = botocore.session.get_session().get_service_model("invoicing")


def signed(ready, operation, body, host, secret=None):
    """A request as botocore would send it."""
    request = AWSRequest("POST", f"http://{host}/", {"Host": host, "Content-Type": JSON, "X-Amz-Target": f"Invoicing.{operation}"}, body)
    SigV4Auth(Credentials(ready["access_key_id"], secret or ready["secret_access_key"]), "invoicing", ready["region"]).add_auth(request)
    return Request("/", {name.lower(): value for name, value in request.headers.items()}, body)


def signature(ready, path, headers, body):
    """What is wrong with how a request is signed."""
    found = SCHEME.fullmatch(headers.get("authorization", ""))
    if not found:
        return ["it is not signed with AWS4-HMAC-SHA256"]
    key, day, region, service, names, said = found.groups()
    if (key, region, service) != (ready["access_key_id"], ready["region"], "invoicing"):
        return [f"it is signed by {key} for {service} in {region}"]
    needed = {"host", "content-type", "x-amz-date"} | {name for name in headers if name.startswith("x-amz-")}
    names = names.split(";")
    if not needed <= set(names) <= set(headers):
        return [f"these headers are signed: {names}, of {list(headers)}"]
    date, now = headers["x-amz-date"], datetime.datetime.now(datetime.timezone.utc)
    near = [(now + datetime.timedelta(minutes=minutes)).strftime("%Y%m%dT%H%M") for minutes in range(-5, 6)]
    if date[:-3] not in near or date[:8] != day:
        return [f"it is signed at {date}, and for {day}"]
    # Where a request bears a hash, botocore takes its word for it.
    if headers.get("x-amz-content-sha256") not in (None, hashlib.sha256(body).hexdigest()):
        return ["its hash is not that of its body"]
    again = AWSRequest("POST", f"http://{headers['host']}{path}", {name: headers[name] for name in names}, body)
    again.context["timestamp"] = date
    signer = SigV4Auth(Credentials(key, ready["secret_access_key"]), service, region)
    computed = signer.signature(signer.string_to_sign(again, signer.canonical_request(again)), again)
    return [] if said == computed else ["its signature is not the one that botocore computes"]


def limits(shape, value, path):
    """What botocore leaves to the service: patterns, enums, longest lengths, and times as numbers."""
    kind, most, size = shape.type_name, shape.metadata.get("max"), None
    if kind == "structure":
        for name, member in value.items():
            yield from limits(shape.members[name], member, f"{path}.{name}")
    elif kind == "list":
        size = len(value)
        for place, member in enumerate(value):
            yield from limits(shape.member, member, f"{path}[{place}]")
    elif kind == "string":
        size, words, pattern = len(value), shape.metadata.get("enum"), shape.metadata.get("pattern")
        if words and value not in words:
            yield f"{path}: {value!r} is not one of {words}"
        # Python knows no classes of Unicode; the only pattern with one is that of names.
        if pattern and "\\p{" not in pattern and not re.fullmatch(pattern, value):
            yield f"{path}: {value!r} does not match {pattern}"
    elif kind in ("timestamp", "integer"):
        size = value
        if type(value) not in (int, float):
            yield f"{path}: {value!r} is not a number"
    if most is not None and size > most:
        yield f"{path}: {size}, and {most} are allowed"


class Judge:
    def __init__(self, ready):
        # `command` counts what is done with our client. Within one, a request may be repeated as it was.
        self.ready, self.command, self.tokens, self.seen, self.wrong = ready, 0, {}, [], []

    def content(self, operation, body):
        """What is wrong with what a request says."""
        if operation not in model.operation_names:
            return ["the model knows no such operation"]
        shape = model.operation_model(operation).input_shape
        try:
            members = json.loads(body)
        except ValueError as error:
            return [f"its body is not JSON: {error}"]
        report = ParamValidator().validate(members, shape)
        if report.has_errors():
            return [report.generate_report()]
        wrong = list(limits(shape, members, "it"))
        if "ClientToken" in shape.members:
            token, whole = members.get("ClientToken"), (self.command, operation, members)
            if not token:
                wrong.append("it bears no ClientToken")
            elif self.tokens.setdefault(token, whole) != whole:
                wrong.append(f"its ClientToken is that of another request, for {self.tokens[token][1]}")
        return wrong

    def look(self, request):
        """What is wrong with a request. That is kept as well."""
        operation, kind = request.headers.get("x-amz-target", "").removeprefix("Invoicing."), request.headers.get("content-type")
        wrong = [*signature(self.ready, *request), *self.content(operation, request.body)]
        if (request.path, kind) != ("/", JSON):
            wrong.append(f"it goes to {request.path} as {kind}")
        self.seen.append(operation)
        self.wrong.extend(f"{operation}: {reason}" for reason in wrong)
        return operation, wrong


def self_test(ready):
    """Mistakes are noticed, and for what they are; and a request of botocore's has none."""
    good = json.loads("""{"ProcurementPortalName": "COUPA", "BuyerDomain": "NetworkID", "BuyerIdentifier": "a", "ClientToken": "token",
        "SupplierDomain": "NetworkID", "SupplierIdentifier": "b", "EinvoiceDeliveryEnabled": true, "PurchaseOrderRetrievalEnabled": false,
        "EinvoiceDeliveryPreference": {"EinvoiceDeliveryDocumentTypes": [], "Protocol": "CXML", "PurchaseOrderDataSources": [],
            "ConnectionTestingMethod": "PROD_ENV_DOLLAR_TEST", "EinvoiceDeliveryActivationDate": 4070908800},
        "Contacts": [{"Email": "ap@example.com"}]}""")

    def call(without=None, secret=None, **changes):
        members = {name: value for name, value in {**good, **changes}.items() if name != without}
        return signed(ready, "CreateProcurementPortalPreference", json.dumps(members).encode(), "127.0.0.1:1", secret)

    def other(name, old, new):
        return plain._replace(headers={**plain.headers, name: plain.headers[name].replace(old, new)})

    plain, delivery = call(), good["EinvoiceDeliveryPreference"]
    for wanted, request in [
        ("that botocore computes", other("authorization", "Signature=", "Signature=0")),
        ("that botocore computes", call(secret="x" * 40)),
        ("that botocore computes", plain._replace(body=plain.body + b" ")),
        ("it is signed by", other("authorization", ready["access_key_id"], "AKIAOTHER")),
        ("it is signed by", other("authorization", "/invoicing/", "/billing/")),
        ("these headers are signed", other("authorization", ";x-amz-target", "")),
        ("it is signed at", other("x-amz-date", "20", "19")),
        ("it is not signed", other("authorization", "AWS4", "AWS3")),
        ("Missing required parameter", call(without="SupplierIdentifier")),
        ("Unknown parameter", call(Surprise=1)),
        ("Invalid type", call(EinvoiceDeliveryEnabled="yes")),
        ("Invalid length", call(Contacts=[])),
        ("2, and 1 are allowed", call(Contacts=[{}, {}])),
        ("1025, and 1024 are allowed", call(BuyerIdentifier="x" * 1025)),
        ("is not one of", call(ProcurementPortalName="ARIBA")),
        ("does not match", call(Contacts=[{"Email": "nobody"}])),
        ("is not a number", call(EinvoiceDeliveryPreference={**delivery, "EinvoiceDeliveryActivationDate": "2099-01-01"})),
        ("bears no ClientToken", call(without="ClientToken")),
        ("that of another request", call(BuyerIdentifier="c")),
        ("no such operation", other("x-amz-target", "Create", "Surprise")),
        ("as application/json", other("content-type", "x-amz-json-1.0", "json")),
        ("goes to /surprise", plain._replace(path="/surprise")),
    ]:
        judge = Judge(ready)
        if judge.look(plain)[1]:
            sys.exit(f"a request of botocore's is said to be wrong: {judge.wrong}")
        if not any(wanted in reason for reason in judge.look(request)[1]):
            sys.exit(f"this was not noticed ({wanted}): {request}, only {judge.wrong}")
    judge = Judge(ready)
    judge.look(plain)
    judge.command += 1
    if not judge.look(plain)[1]:
        sys.exit("a ClientToken for two commands was not noticed")


def desk(judge, ready):
    lock = threading.Lock()

    class Desk(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with lock:
                operation, wrong = judge.look(Request(self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            # Told at once, since it may be why a command fails.
            sys.stderr.writelines(f"{operation}: {reason}\n" for reason in wrong)
            # The host stays ours, so that documents are fetched from here too.
            body = body.replace(CODE.encode(), ready["validation_code"].encode())
            self.hand_on(signed(ready, operation, body, self.headers["Host"]))

        def do_GET(self):
            judge.seen.append("GET")
            if not self.path.startswith("/aws-invoicing/papers/") or "Authorization" in self.headers:
                judge.wrong.append(f"GET {self.path}: it is not for a document, or it is signed")
            self.hand_on(Request(self.path, {"Host": self.headers["Host"]}, None))

        def hand_on(self, request):
            connection = http.client.HTTPConnection(ready["endpoint"].removeprefix("http://"), timeout=30)
            connection.request(self.command, request.path, request.body, request.headers)
            answer = connection.getresponse()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() in ("content-type", "content-length", "x-amzn-errortype"):
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.read())
            connection.close()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Desk)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


class Client:
    def __init__(self, folder, judge, ready):
        self.folder, self.judge, secret = folder, judge, ready["secret_access_key"]
        key = {"AWS_ACCESS_KEY_ID": ready["access_key_id"], "AWS_SECRET_ACCESS_KEY": secret, "AWS_EC2_METADATA_DISABLED": "true"}
        self.environment, self.secrets = {**SECRETS, **key, "HOME": str(folder)}, [*SECRETS.values(), CODE, secret]
        (folder / "payables.toml").write_text(f'[targets.aws]\nkind = "aws-invoicing"\nendpoint = "{desk(judge, ready)}"\n')
        for name in ("portals", "invoice-units"):
            shutil.copytree(pathlib.Path(__file__).resolve().parents[2] / "examples" / name, folder / name)

    def run(self, line, code=0):
        """What a command says, which ends with that code and leaves no secret anywhere."""
        self.judge.command += 1
        words = [os.path.abspath(sys.argv[1]), *shlex.split(line)]
        done = subprocess.run(words, cwd=self.folder, env=self.environment, capture_output=True, timeout=60)
        if done.returncode != code:
            sys.exit(f"{line}: it ended with {done.returncode} instead of {code}\n{(done.stdout + done.stderr).decode()}")
        files = {path: path.read_bytes() for path in self.folder.rglob("*") if path.is_file()}
        for place, content in {"stdout": done.stdout, "stderr": done.stderr, **files}.items():
            for secret in self.secrets:
                if secret.encode() in content:
                    sys.exit(f"{line}: {place} has the secret {secret}")
        return done.stdout.decode()

    def outcomes(self, line, *wanted):
        before = len(self.judge.seen)
        outcomes = [item["outcome"] for item in json.loads(self.run(f"{line} --output json"))["items"]]
        asked = self.judge.seen[before:]
        assert outcomes == list(wanted), f"{line}: {outcomes}"
        assert "accepted" in wanted or all(name.startswith(("Get", "List")) for name in asked), f"{line}: nothing changes by {asked}"

    def held(self, kind):
        return json.loads(self.run(f"{kind} list --output json"))

    def change(self, file, changes):
        text = (self.folder / file).read_text()
        for old, new in changes.items():
            assert old in text, f"{file} has no {old}"
            text = text.replace(old, new)
        (self.folder / file).write_text(text)


def portals(client, run):
    run("portal plan portals -o plan.json --detailed-exitcode", code=10)
    run("portal apply plan.json")
    client.outcomes("portal apply plan.json", "unchanged", "unchanged")
    client.change("portals/coupa.toml", {"ap@example.com": "new@example.com", 'team = "finance"': 'unit = "treasury"'})
    client.outcomes("portal apply portals", "accepted", "unchanged")
    client.outcomes("portal apply portals", "unchanged", "unchanged")
    run("portal list")
    arn = client.held("portal")[0]["arn"]
    text = run(f"portal get {arn}")
    assert 'email = "new@example.com"' in text and '[resource_tags]\nunit = "treasury"\n' in text and "finance" not in text, text
    # The same once more is a request of its own.
    for status in ("SUSPENDED", "ACTIVE", "SUSPENDED"):
        run(f"portal status {arn} --einvoice {status} --reason 'end of the year'")
        assert status in run(f"portal status {arn}")
    run("portal validate portals/sap.toml")
    run("portal validate portals/sap.toml")
    run("portal validate portals/sap.toml --code wrong", code=3)
    run(f"portal validate portals/sap.toml --code {CODE}")
    assert "VALIDATED" in run("portal status portals/sap.toml")
    assert "aws-acme" in run("portal suppliers") and "aws-acme" in run("portal suppliers COUPA")
    run("portal invoices --since 30d --pdf documents")
    documents, asked = list((client.folder / "documents").iterdir()), client.judge.seen.count("GET")
    assert len(documents) == asked > 0, f"{asked} documents were fetched, and these are there: {documents}"
    run("portal import --dir imported")
    run("portal import --dir portals")
    client.outcomes("portal apply portals", "unchanged", "unchanged")
    assert f'arn = "{arn}"\n' in (client.folder / "portals/coupa.toml").read_text()
    client.change("portals/coupa.toml", {'buyer_identifier = "acme"': 'buyer_identifier = "acme-2"'})
    run("portal apply portals", code=3)
    run("portal apply portals --replace", code=3)
    client.outcomes("portal apply portals --replace --yes", "accepted", "unchanged")
    assert arn not in run("portal list --output json")
    # An ARN decides alone, and what was replaced has another one since.
    run("portal delete portals/coupa.toml", code=3)
    run("portal import --dir portals")
    run("portal delete portals/coupa.toml", code=3)
    run("portal delete portals/coupa.toml --yes")
    run("portal delete portals/sap.toml --yes")
    assert client.held("portal") == []


def units(client, run):
    run("invoice-unit apply invoice-units")
    client.change("invoice-units/research.toml", {"the research teams": "research", '"222233334444"': '"222233334444", "444455556666"'})
    client.outcomes("invoice-unit apply invoice-units", "accepted", "unchanged")
    client.outcomes("invoice-unit apply invoice-units", "unchanged", "unchanged")
    text = run(f"invoice-unit get {client.held('invoice-unit')[0]['arn']}")
    assert "Accounts of research" in text and "444455556666" in text, text
    run("invoice-unit list")
    run("invoice-unit import --dir imported-units")
    run("invoice-unit delete invoice-units/research.toml", code=3)
    run("invoice-unit delete invoice-units/research.toml --yes")
    run("invoice-unit delete invoice-units/retail.toml --yes")
    assert client.held("invoice-unit") == []


def main():
    sandbox = subprocess.Popen([sys.argv[1], "sandbox"], stdout=subprocess.PIPE, text=True)
    try:
        ready = json.loads(sandbox.stdout.readline())["aws-invoicing"]
        self_test(ready)
        judge = Judge(ready)
        with tempfile.TemporaryDirectory() as folder:
            client = Client(pathlib.Path(folder), judge, ready)
            portals(client, client.run)
            units(client, client.run)
    finally:
        sandbox.terminate()
        sandbox.wait()
    if judge.wrong:
        sys.exit("\n".join(judge.wrong))
    operations, expected = set(judge.seen) - {"GET"}, set(model.operation_names) - UNUSED
    if operations != expected:
        sys.exit(f"never asked for: {expected - operations}; not thought of: {operations - expected}")
    count = len(judge.seen) - judge.seen.count("GET")
    print(f"{count} requests for {len(operations)} operations are what botocore's model says, and signed as botocore signs them")


main()
