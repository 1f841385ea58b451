"""Starting a bulk correction or attestation: once, with exactly what was shown, and by those who may."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from recordings.choices import BulkItemStatus, BulkKind
from recordings.models import BulkItem, BulkJob, Call, EvidenceFile, Finding
from sandbox.defaults import TENANT_ID
from tests import cast
from tests.pages.bulk_cast import checked, groups, keys, sealed, stopped, text, three_calls
from tests.pages.conftest import SignIn

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stopped_clock")]


@pytest.fixture(autouse=True)
def our_tenant(settings: Settings) -> None:
    settings.GRAPH_TENANT_ID = TENANT_ID


@pytest.fixture
def three(now: datetime) -> list[Call]:
    return three_calls(now)


def started(client: Client, calls: list[Call]) -> BulkJob:
    _, chosen = checked(client, calls)
    start = {"chosen": chosen, "status": "notRecording", "reason": "the desk checked"}
    response = client.post(reverse("bulk_start"), start)
    job = BulkJob.objects.get()
    assert response.headers["Location"] == reverse("bulk_detail", args=[job.pk])
    return job


def test_the_start_makes_a_job_of_exactly_the_calls_that_were_sorted(
    now: datetime, three: list[Call], mira: User, signed_in: SignIn
) -> None:
    client = signed_in(mira)
    asked = {"all": "1", "query": "phase=open", "status": "notRecording"}
    chosen = sealed(client.post(reverse("bulk_precheck"), asked))
    stopped("call-that-came-later", now=now)
    client.post(reverse("bulk_start"), {"chosen": chosen, "status": "notRecording", "reason": "the desk checked"})
    job = BulkJob.objects.get()
    assert (job.kind, job.requested_status, job.reason) == (BulkKind.CORRECT, "notRecording", "the desk checked")
    assert job.requested_by.label == "mira"
    assert job.selection == "All 2 calls that fitted “Phase: In progress” at 2026-11-18 14:32:08 UTC"
    items = dict(BulkItem.objects.values_list("call__graph_id", "status"))
    assert items == {"call-stopped": BulkItemStatus.WAITING, "call-capturing": BulkItemStatus.REFUSED}


def test_a_double_click_starts_one_job_and_both_lead_to_it(
    three: list[Call], mira: User, signed_in: SignIn, now: datetime
) -> None:
    client = signed_in(mira)
    _, chosen = checked(client, three)
    start = {"chosen": chosen, "status": "notRecording", "reason": "the desk checked"}
    first, second = (client.post(reverse("bulk_start"), start) for _ in range(2))
    assert first.headers["Location"] == second.headers["Location"]
    assert BulkJob.objects.count() == 1
    assert BulkItem.objects.count() == 3


def test_without_a_reason_nothing_starts_and_the_page_comes_back(
    three: list[Call], mira: User, signed_in: SignIn
) -> None:
    client = signed_in(mira)
    _, chosen = checked(client, three)
    response = client.post(reverse("bulk_start"), {"chosen": chosen, "status": "notRecording", "reason": " "})
    assert response.status_code == 422
    assert "Say why." in text(response)
    assert groups(response)["canAct"] == 1
    assert not BulkJob.objects.exists()


def test_what_can_no_longer_be_told_at_the_start_is_refused_with_the_new_state(
    now: datetime, three: list[Call], mira: User, signed_in: SignIn
) -> None:
    client = signed_in(mira)
    _, chosen = checked(client, three[:1])
    cast.tell("call.ended", "call-stopped", at=now)
    response = client.post(reverse("bulk_start"), {"chosen": chosen, "status": "notRecording", "reason": "x"})
    assert response.status_code == 422
    assert "Microsoft can be told about none" in text(response)
    assert groups(response) == {"attestOnly": 1}


def test_somebody_else_s_selection_starts_nothing(three: list[Call], mira: User, tom: User, signed_in: SignIn) -> None:
    _, chosen = checked(signed_in(mira), three)
    start = {"chosen": chosen, "status": "notRecording", "reason": "x"}
    assert signed_in(tom).post(reverse("bulk_start"), start).status_code == 422
    assert not BulkJob.objects.exists()


@pytest.mark.parametrize("name", ["bulk_precheck", "bulk_attest", "bulk_start", "bulk_attest_start"])
def test_only_those_who_may_get_as_far(three: list[Call], olga: User, mira: User, signed_in: SignIn, name: str) -> None:
    assert signed_in(olga).post(reverse(name), keys(three)).status_code == 403
    response = signed_in(mira).get(reverse(name))
    assert response.headers["Location"] == reverse("call_list")


def to_attest(client: Client, calls: list[Call], **more: str) -> Any:
    return client.post(reverse("bulk_attest"), {**keys(calls), **more})


def test_the_ended_ones_of_a_precheck_are_attested_by_themselves(
    three: list[Call], mira: User, signed_in: SignIn
) -> None:
    client = signed_in(mira)
    response, chosen = checked(client, three)
    assert "Attest this one" in text(response)
    page = client.post(reverse("bulk_attest"), {"chosen": chosen, "over": "1"})
    assert page.context["check"].total == page.context["check"].count == 1
    assert "1 call, those that are over of: 3 calls, chosen one by one" in text(page)


def test_an_attestation_says_beforehand_whom_it_leaves_out(
    now: datetime, three: list[Call], mira: User, signed_in: SignIn
) -> None:
    fine = cast.call("call-fine", at=now - timedelta(minutes=9), ended_at=now - timedelta(minutes=8))
    check = to_attest(signed_in(mira), [*three, fine]).context["check"]
    assert (check.count, check.going_on, check.without_finding) == (1, 2, 1)


def test_the_attestation_starts_a_job_with_its_file_and_a_double_click_one(
    three: list[Call], mira: User, signed_in: SignIn
) -> None:
    client = signed_in(mira)
    chosen = sealed(to_attest(client, three))
    for _ in range(2):
        words = {
            "chosen": chosen,
            "root_cause": "maintenance",
            "reason": "the window of Sunday",
            "evidence": "",
            "file": SimpleUploadedFile("plan.txt", b"from two to four"),
        }
        client.post(reverse("bulk_attest_start"), words)
    job = BulkJob.objects.get()
    assert (job.kind, job.root_cause, job.reason) == (BulkKind.ATTEST, "maintenance", "the window of Sunday")
    assert job.evidence_file
    assert job.evidence_file.name == "plan.txt"
    assert EvidenceFile.objects.count() == 1
    assert Finding.objects.open().filter(call__graph_id="call-over").exists()


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("evidence", "", "Name what shows it"),
        ("root_cause", "the weather", "Choose one of the causes."),
        ("file", SimpleUploadedFile("big.bin", b"x" * (EvidenceFile.LARGEST_BYTES + 1)), "larger than 5 MB"),
    ],
)
def test_a_form_that_cannot_be_taken_starts_nothing_and_keeps_the_words(
    three: list[Call], mira: User, signed_in: SignIn, field: str, value: Any, message: str
) -> None:
    client = signed_in(mira)
    words = {"root_cause": "network", "reason": "a long explanation", "evidence": "ticket 1", field: value}
    chosen = sealed(to_attest(client, three))
    response = client.post(reverse("bulk_attest_start"), {"chosen": chosen, **words})
    assert response.status_code == 422
    assert message in text(response)
    assert "a long explanation" in text(response)
    assert not BulkJob.objects.exists()
