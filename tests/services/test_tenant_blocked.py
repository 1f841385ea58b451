"""Microsoft refuses our app in the whole tenant: a finding, and nobody but people goes on asking (rule R12)."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import Settings

from recordings import findings, services
from recordings.choices import LedgerAction, OperationStatus, Resolution
from recordings.ledger import body_of
from recordings.models import Call, Finding, LedgerEntry, Operation, Tenant
from recordings.services import Found, Requester
from sandbox.defaults import TENANT_ID
from sandbox.server import Sandbox
from tests import cast
from tests.at_graph import UPDATE, posts

pytestmark = pytest.mark.django_db(transaction=True)

MINUTE = timedelta(minutes=1)


@pytest.fixture
def call(sandbox: Sandbox) -> Call:
    """A live call, at Graph and here, whose recorder has just stopped capturing."""
    at = timezone.now()
    sandbox.add_call(call_id="call-1", state="established")
    cast.call(at=at, capture="stopped", told="recording")
    cast.heartbeat(at=at, capture="stopped")
    return Call.objects.get()


def wish(call: Call, by: User, *, at: datetime) -> Operation:
    """A correction that only the worker still has to send."""
    asker = Requester.at_screen(by)
    made = services.request_correction(call, wish="notRecording", reason="capture stopped", by=asker, now=at)
    Operation.objects.filter(pk=made.pk).update(send_after=at)
    return made


def blocked() -> str:
    """The code the tenant is refused with, or nothing."""
    return ",".join(Tenant.objects.blocked().values_list("blocked_code", flat=True))


@pytest.mark.parametrize("code", ["7503", "7504", "7505"])
def test_a_refusal_of_the_whole_tenant_is_found_by_the_next_sweep(
    sandbox: Sandbox, call: Call, mira: User, code: str
) -> None:
    sandbox.fault("error", code=code, action=UPDATE)
    made = wish(call, mira, at=timezone.now())
    assert services.send_operation(made.pk).status == OperationStatus.FAILED
    assert blocked() == code
    findings.sweep(timezone.now())
    finding = Finding.objects.get(rule="R12")
    assert finding.tenant
    assert finding.tenant.tenant_id == TENANT_ID
    assert f"({code})" in finding.explained(finding.facts(), now=timezone.now()).sentence


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"action": "getCall", "status": 401, "code": "InvalidAuthenticationToken"}, "InvalidAuthenticationToken"),
        ({"action": "getCall", "code": "7504"}, "7504"),
    ],
)
def test_a_reading_notices_it_too(sandbox: Sandbox, call: Call, fault: dict[str, Any], code: str) -> None:
    sandbox.fault("error", times=None, **fault)
    services.read_call(call, now=timezone.now())
    assert blocked() == code


def test_a_token_that_a_renewal_mends_blocks_nothing(sandbox: Sandbox, call: Call, mira: User) -> None:
    for action in ("getCall", UPDATE):
        sandbox.fault("error", status=401, action=action)
    made = wish(call, mira, at=timezone.now())
    assert services.send_operation(made.pk).status == OperationStatus.COMPLETED
    assert not LedgerEntry.objects.filter(action=LedgerAction.TENANT_BLOCKED).exists()


def test_a_refused_sign_in_blocks_and_its_words_hold_no_secret(
    sandbox: Sandbox, call: Call, settings: Settings
) -> None:
    settings.GRAPH_CLIENT_SECRET = "not-the-secret-of-the-app"
    services.read_call(call, now=timezone.now())
    assert blocked() == "AADSTS7000215"
    entry = LedgerEntry.objects.get(action=LedgerAction.TENANT_BLOCKED)
    assert body_of(entry)["tenant_id"] == TENANT_ID
    assert "not-the-secret" not in entry.body + Tenant.objects.get().blocked_message


@pytest.mark.parametrize(
    "fault",
    [
        {"action": "getCall", "status": 503},
        {"action": "getCall", "status": 404},
        {"action": "getCall", "code": "8522"},
        {"action": "getCall", "status": 429, "retry_after": "0"},
    ],
)
def test_what_is_about_one_call_or_passes_by_itself_blocks_nothing(
    sandbox: Sandbox, call: Call, fault: dict[str, Any]
) -> None:
    sandbox.fault("error", **fault)
    services.read_call(call, now=timezone.now())
    assert blocked() == ""


def test_an_answer_clears_it_and_the_finding_recovers_by_itself(sandbox: Sandbox, call: Call) -> None:
    sandbox.fault("error", code="7504", action="getCall")
    services.read_call(call, now=timezone.now())
    findings.sweep(timezone.now())
    services.read_call(call, now=timezone.now())
    assert blocked() == ""
    findings.sweep(timezone.now())
    finding = Finding.objects.get(rule="R12")
    assert (finding.is_open, finding.resolution) == (False, Resolution.SELF_RECOVERED)
    actions = LedgerEntry.objects.filter(action__startswith="tenant.").order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["tenant.blocked", "tenant.cleared"]


def test_many_refusals_are_one_entry(sandbox: Sandbox, call: Call) -> None:
    sandbox.fault("error", code="7504", times=None, action="getCall")
    for _ in range(3):
        services.read_call(call, now=timezone.now())
    assert LedgerEntry.objects.filter(action=LedgerAction.TENANT_BLOCKED).count() == 1


# -- what works by itself waits


@pytest.fixture
def refused(sandbox: Sandbox, call: Call) -> datetime:
    """Since this moment Microsoft refuses the tenant."""
    sandbox.fault("error", code="7504", times=None)
    at = timezone.now()
    services.read_call(call, now=at)
    return at


def requests(sandbox: Sandbox) -> int:
    return sum("calls" in str(entry["path"]) for entry in sandbox.log())


def test_the_worker_asks_once_a_minute_and_loses_no_correction(
    sandbox: Sandbox, call: Call, mira: User, refused: datetime
) -> None:
    made = wish(call, mira, at=refused)
    before = requests(sandbox)
    for seconds in range(0, 60, 5):
        services.send_due(refused + timedelta(seconds=seconds))
    assert requests(sandbox) == before
    services.send_due(refused + MINUTE)
    services.send_due(refused + MINUTE + timedelta(seconds=5))
    assert requests(sandbox) == before + 1
    made.refresh_from_db()
    assert made.status == OperationStatus.PENDING
    assert made.result_message == "Not sent yet: Microsoft refuses our app in the whole tenant."


def test_once_it_is_served_again_everything_that_waited_goes_out(
    sandbox: Sandbox, call: Call, mira: User, refused: datetime
) -> None:
    made = wish(call, mira, at=refused)
    services.send_due(refused)
    sandbox.clear_faults()
    at = refused + 2 * MINUTE
    cast.heartbeat(at=at, capture="stopped")
    services.send_due(at, clock=lambda: at)
    made.refresh_from_db()
    assert made.status == OperationStatus.COMPLETED
    assert len(posts(sandbox)) == 1


def test_a_correction_does_not_wait_for_ever(sandbox: Sandbox, call: Call, mira: User, refused: datetime) -> None:
    made = wish(call, mira, at=refused)
    services.send_due(refused + 16 * MINUTE)
    made.refresh_from_db()
    assert made.status == OperationStatus.FAILED
    assert made.result_message.startswith("Nothing was sent: Microsoft refuses")


def test_a_persons_own_click_tries_at_once(sandbox: Sandbox, call: Call, mira: User, refused: datetime) -> None:
    before = requests(sandbox)
    services.send_operation(wish(call, mira, at=refused).pk)
    assert requests(sandbox) == before + 1


def test_the_sync_leaves_the_tenant_alone_too(sandbox: Sandbox, call: Call, refused: datetime) -> None:
    before = requests(sandbox)
    Call.objects.update(probe_after=refused)
    assert services.sync(refused).found == {Found.NOT_ASKED: 1}
    assert requests(sandbox) == before
