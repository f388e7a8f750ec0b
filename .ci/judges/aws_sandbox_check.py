"""botocore performs every operation against our simulated AWS Invoicing, and finds in every answer what its model promises.

Usage: aws_sandbox_check.py PAYABLES
"""

import datetime
import json
import subprocess
import sys

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

PREFERENCE = {
    "ProcurementPortalName": "COUPA",
    "BuyerDomain": "NetworkID",
    "BuyerIdentifier": "acme",
    "SupplierDomain": "NetworkID",
    "SupplierIdentifier": "aws-acme",
    "Selector": {"SellerOfRecords": ["AWS_INC"]},
    "ProcurementPortalSharedSecret": "a-secret",
    "ProcurementPortalInstanceEndpoint": "https://acme.coupahost.com/cxml/invoices",
    "EinvoiceDeliveryEnabled": True,
    "EinvoiceDeliveryPreference": {
        "EinvoiceDeliveryDocumentTypes": ["AWS_CLOUD_INVOICE"],
        "Protocol": "CXML",
        "PurchaseOrderDataSources": [
            {"EinvoiceDeliveryDocumentType": "AWS_CLOUD_INVOICE", "PurchaseOrderDataSourceType": "PURCHASE_ORDER_NOT_REQUIRED"}
        ],
        "ConnectionTestingMethod": "PROD_ENV_DOLLAR_TEST",
        "EinvoiceDeliveryActivationDate": datetime.datetime(2099, 1, 1, tzinfo=datetime.timezone.utc),
    },
    "PurchaseOrderRetrievalEnabled": True,
    "Contacts": [{"Name": "Accounts payable", "Email": "ap@example.com"}],
}


def complete(shape, value, path):
    """Every member that the model requires is there, and none that it does not know."""
    if shape.type_name == "structure":
        for name in shape.required_members:
            assert name in value, f"{path} has no {name}: {value}"
        for name, member in value.items():
            if name != "ResponseMetadata":
                assert name in shape.members, f"{path} has {name}, which the model does not know"
                complete(shape.members[name], member, f"{path}.{name}")
    elif shape.type_name == "list":
        for place, member in enumerate(value):
            complete(shape.member, member, f"{path}[{place}]")
    elif shape.type_name == "string" and shape.metadata.get("enum"):
        assert value in shape.metadata["enum"], f"{path}: {value} is not one of {shape.metadata['enum']}"


class Desk:
    def __init__(self, ready, secret=None, region="eu-central-1"):
        session = botocore.session.get_session()
        self.client = session.create_client(
            "invoicing",
            region_name=region,
            endpoint_url=ready["endpoint"],
            aws_access_key_id=ready["access_key_id"],
            aws_secret_access_key=secret or ready["secret_access_key"],
            config=Config(retries={"total_max_attempts": 3, "mode": "standard"}),
        )
        self.model = session.get_service_model("invoicing")
        self.done = set()

    def ask(self, operation, **members):
        answer = self.client._make_api_call(operation, members)
        self.done.add(operation)
        shape = self.model.operation_model(operation).output_shape
        complete(shape, answer, operation)
        return answer

    def refused(self, operation, **members):
        try:
            self.client._make_api_call(operation, members)
        except ClientError as error:
            return error.response["Error"]["Code"]
        sys.exit(f"{operation} was not refused: {members}")


def portals(desk, ready):
    arn = desk.ask("CreateProcurementPortalPreference", **PREFERENCE, ResourceTags=[{"Key": "a", "Value": "b"}])
    arn = arn["ProcurementPortalPreferenceArn"]
    one = {"ProcurementPortalPreferenceArn": arn}
    told = desk.ask("GetProcurementPortalPreference", **one)["ProcurementPortalPreference"]
    assert told["EinvoiceDeliveryPreference"] == PREFERENCE["EinvoiceDeliveryPreference"], told
    assert told["ProcurementPortalSharedSecret"] == "a-secret" and told["Version"] == 1
    assert desk.refused("CreateProcurementPortalPreference", **PREFERENCE) == "ConflictException"
    # A token makes a second request the first one.
    other = {**PREFERENCE, "BuyerIdentifier": "other", "ClientToken": "token-1"}
    first = desk.ask("CreateProcurementPortalPreference", **other)
    assert desk.ask("CreateProcurementPortalPreference", **other)["ProcurementPortalPreferenceArn"] == first["ProcurementPortalPreferenceArn"]
    pages = desk.client.get_paginator("list_procurement_portal_preferences").paginate(PaginationConfig={"PageSize": 1})
    assert len([1 for page in pages for _ in page["ProcurementPortalPreferences"]]) == 2
    desk.ask("ListProcurementPortalPreferences")
    immutable = ("ProcurementPortalName", "BuyerDomain", "BuyerIdentifier", "SupplierDomain", "SupplierIdentifier")
    changed = {name: value for name, value in PREFERENCE.items() if name not in immutable}
    desk.ask("PutProcurementPortalPreference", **one, **{**changed, "Contacts": [{"Email": "new@example.com"}]})
    desk.ask("SendProcurementPortalValidation", **one)
    assert desk.refused("VerifyProcurementPortalValidation", **one, Code="wrong") == "ValidationException"
    desk.ask("VerifyProcurementPortalValidation", **one, Code=ready["validation_code"])
    desk.ask("UpdateProcurementPortalPreferenceStatus", **one, EinvoiceDeliveryPreferenceStatus="SUSPENDED")
    told = desk.ask("GetProcurementPortalPreference", **one)["ProcurementPortalPreference"]
    assert told["EinvoiceDeliveryPreferenceStatus"] == "SUSPENDED" and told["PurchaseOrderRetrievalPreferenceStatus"] == "VALIDATED"
    assert told["Version"] == 4 and told["Contacts"] == [{"Email": "new@example.com"}]
    desk.ask("TagResource", ResourceArn=arn, ResourceTags=[{"Key": "c", "Value": "d"}])
    desk.ask("UntagResource", ResourceArn=arn, ResourceTagKeys=["a"])
    assert desk.ask("ListTagsForResource", ResourceArn=arn)["ResourceTags"] == [{"Key": "c", "Value": "d"}]
    desk.ask("DeleteProcurementPortalPreference", **one)
    assert desk.refused("GetProcurementPortalPreference", **one) == "ResourceNotFoundException"


def units(desk):
    rule = {"LinkedAccounts": ["111122223333"]}
    arn = desk.ask("CreateInvoiceUnit", Name="Research", InvoiceReceiver="111122223333", Rule=rule)["InvoiceUnitArn"]
    assert desk.refused("CreateInvoiceUnit", Name="Other", InvoiceReceiver="111122223333", Rule=rule) == "ValidationException"
    desk.ask("UpdateInvoiceUnit", InvoiceUnitArn=arn, Description="accounts of research")
    assert desk.ask("GetInvoiceUnit", InvoiceUnitArn=arn)["Description"] == "accounts of research"
    assert len(desk.ask("ListInvoiceUnits", Filters={"Names": ["Research"]})["InvoiceUnits"]) == 1
    desk.ask("DeleteInvoiceUnit", InvoiceUnitArn=arn)


def invoices(desk):
    portal = desk.ask("ListProcurementPortals")["ProcurementPortals"][0]
    assert desk.ask("ListProcurementPortalSuppliers", PortalIdentifier=portal["PortalIdentifier"])["ProcurementPortalSuppliers"]
    now = datetime.datetime.now(datetime.timezone.utc)
    month = {"TimeInterval": {"StartDate": now - datetime.timedelta(days=30), "EndDate": now}}
    selector = {"ResourceType": "ACCOUNT_ID", "Value": "123456789012"}
    found = desk.ask("ListInvoiceSummaries", Selector=selector, Filter=month)["InvoiceSummaries"]
    assert len(found) == 4 and all(invoice["IssuedDate"] < now for invoice in found), found
    desk.ask("GetInvoicePDF", InvoiceId=found[0]["InvoiceId"])
    desk.ask("BatchGetInvoiceProfile", AccountIds=["123456789012"])


def main():
    sandbox = subprocess.Popen([sys.argv[1], "sandbox"], stdout=subprocess.PIPE, text=True)
    try:
        ready = json.loads(sandbox.stdout.readline())["aws-invoicing"]
        desk = Desk(ready)
        portals(desk, ready)
        units(desk)
        invoices(desk)
        missing = set(desk.model.operation_names) - desk.done
        assert not missing, f"these were not performed: {missing}"
        wrong = Desk(ready, secret="x" * 40)
        assert wrong.refused("ListProcurementPortals") == "AccessDeniedException"
    finally:
        sandbox.terminate()
        sandbox.wait()
    print(f"botocore performed all {len(desk.done)} operations")


main()
