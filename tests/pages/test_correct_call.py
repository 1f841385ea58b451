"""Correcting what Teams was told: asked for at the screen, sent at once, told honestly."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from recordings.choices import LedgerAction, OperationStatus
from recordings.models import Call, LedgerEntry, Operation
from recordings.views.correction_panel import Target
from sandbox.server import Sandbox
from tests import cast
from tests.pages import calls_cast
from tests.pages.conftest import HTMX, SignIn

pytestmark = pytest.mark.django_db(transaction=True)

UPDATE = "updateRecordingStatus"
WISH = {"status": "recording", "reason": "The desk confirms it is captured."}


@pytest.fixture
def call(sandbox: Sandbox) -> Call:
    """Captured, as the recorder says at this moment, and nobody told Teams."""
    sandbox.add_call(call_id="call-untold", state="established")
    return calls_cast.capturing_untold(now=timezone.now())


def form_of(call: Call) -> str:
    return reverse("correct_call", args=[call.graph_id])


def posts(sandbox: Sandbox) -> list[dict[str, object]]:
    return [entry for entry in sandbox.log() if entry["method"] == "POST" and UPDATE in str(entry["path"])]


def test_without_script_the_person_is_led_back_to_the_call_and_told(call: Call, mira: User, signed_in: SignIn) -> None:
    response = signed_in(mira).post(form_of(call), WISH, follow=True)
    assert response.redirect_chain == [(reverse("call_detail", args=[call.graph_id]), 302)]
    assert [str(message) for message in response.context["messages"]] == [
        "Teams was told “Recording”. Microsoft confirmed it."
    ]
    assert Operation.objects.get().status == OperationStatus.COMPLETED


def test_with_htmx_the_call_comes_back_with_a_toast(call: Call, mira: User, signed_in: SignIn) -> None:
    response = signed_in(mira).post(form_of(call), WISH, headers=HTMX)
    assert response.status_code == 200
    assert response.headers["HX-Retarget"] == "#call"
    assert "<html" not in response.text
    assert 'id="call"' in response.text
    assert 'id="toasts" hx-swap-oob="beforeend"' in response.text
    assert "Teams was told “Recording”. Microsoft confirmed it." in response.text


def test_a_refusal_by_graph_is_told_with_its_code_and_what_to_do(
    call: Call, sandbox: Sandbox, mira: User, signed_in: SignIn
) -> None:
    sandbox.fault("error", status=403, code="7504", action=UPDATE)
    text = signed_in(mira).post(form_of(call), WISH, headers=HTMX).text
    assert "Teams was not told." in text
    assert "No permission in this tenant (403 · code 7504): " in text
    assert "Trying again cannot work." in text


def test_an_answer_that_did_not_come_is_told_as_unknown(
    call: Call, sandbox: Sandbox, mira: User, signed_in: SignIn
) -> None:
    sandbox.fault("close", when="after", action=UPDATE)
    text = signed_in(mira).post(form_of(call), WISH, headers=HTMX).text
    assert "do not send it again" in text
    assert Operation.objects.get().status == OperationStatus.UNKNOWN


def test_an_unproven_wish_waits_for_a_second_person_and_sends_nothing(
    sandbox: Sandbox, mira: User, signed_in: SignIn
) -> None:
    silent = cast.call("call-silent", at=timezone.now() - timedelta(minutes=9), capture="started")
    client = signed_in(mira)
    assert "A second person will have to approve this." in client.get(form_of(silent)).text
    text = client.post(form_of(silent), WISH, headers=HTMX).text
    assert "a second person has to approve this first" in text
    assert Operation.objects.get().status == OperationStatus.AWAITING_APPROVAL
    assert posts(sandbox) == []


def test_a_wish_without_a_reason_comes_back_with_the_error(call: Call, mira: User, signed_in: SignIn) -> None:
    response = signed_in(mira).post(form_of(call), {"status": "recording", "reason": "  "})
    assert response.status_code == 422
    assert 'aria-invalid="true"' in response.text
    assert "Say why." in response.text
    assert not Operation.objects.exists()


def test_a_reason_that_is_too_long_is_kept_in_the_form(call: Call, mira: User, signed_in: SignIn) -> None:
    response = signed_in(mira).post(form_of(call), {"status": "recording", "reason": "x" * 501}, headers=HTMX)
    assert response.status_code == 422
    assert "x" * 501 in response.text
    assert "<html" not in response.text


def test_a_wish_against_the_recorder_is_refused_and_the_reason_kept(
    call: Call, sandbox: Sandbox, mira: User, signed_in: SignIn
) -> None:
    wish = {"status": "notRecording", "reason": "I think it stopped."}
    response = signed_in(mira).post(form_of(call), wish, headers=HTMX)
    assert response.status_code == 422
    assert "The recorder says it is capturing. Stop the recorder first." in response.text
    assert "I think it stopped." in response.text
    assert posts(sandbox) == []
    assert LedgerEntry.objects.filter(action=LedgerAction.CORRECTION_REFUSED).count() == 1


def test_the_second_click_sends_nothing(call: Call, sandbox: Sandbox, mira: User, signed_in: SignIn) -> None:
    client = signed_in(mira)
    client.post(form_of(call), WISH)
    assert client.post(form_of(call), WISH).status_code == 422
    assert len(posts(sandbox)) == 1


def test_a_person_without_the_right_is_refused_and_the_refusal_is_kept(
    call: Call, sandbox: Sandbox, ada: User, signed_in: SignIn
) -> None:
    response = signed_in(ada).post(form_of(call), WISH)
    assert response.status_code == 403
    assert "Your role does not include the right to correct." in response.text
    assert posts(sandbox) == []
    assert LedgerEntry.objects.filter(action=LedgerAction.CORRECTION_REFUSED).count() == 1


def test_the_form_of_its_own_takes_the_status_from_the_address(call: Call, mira: User, signed_in: SignIn) -> None:
    page = signed_in(mira).get(form_of(call), {"status": "failed"})
    assert [target.value for target in page.context["page"].panel.targets if target.is_chosen] == ["failed"]
    assert "hx-post" not in page.text


def targets_of(response: Any) -> dict[str, Target]:
    return {target.value: target for target in response.context["page"].panel.targets}


def test_what_graph_itself_confirmed_is_off_and_named_current(call: Call, mira: User, signed_in: SignIn) -> None:
    client = signed_in(mira)
    client.post(form_of(call), WISH)
    page = client.get(form_of(call))
    recording = targets_of(page)["recording"]
    assert (recording.is_current, recording.is_off, recording.is_chosen) == (True, True, False)
    assert 'class="ago">current<' in page.text
    assert not targets_of(page)["failed"].is_off


def test_what_only_the_recorder_vouches_for_can_be_told_again(sandbox: Sandbox, mira: User, signed_in: SignIn) -> None:
    sandbox.add_call(call_id="call-fine", state="established")
    call = calls_cast.recorded(now=timezone.now())
    client = signed_in(mira)
    page = client.get(form_of(call))
    recording = targets_of(page)["recording"]
    assert (recording.is_current, recording.is_off, recording.is_chosen) == (False, False, False)
    assert "told by the recorder's account" in page.text
    client.post(form_of(call), WISH)
    assert len(posts(sandbox)) == 1


def test_the_choices_say_what_teams_will_show_and_nothing_of_the_call(
    call: Call, mira: User, signed_in: SignIn
) -> None:
    targets = targets_of(signed_in(mira).get(form_of(call)))
    assert all(target.meaning.startswith("Teams will show that ") for target in targets.values())


def test_with_htmx_the_heading_takes_the_focus_and_one_sentence_is_spoken(
    call: Call, mira: User, signed_in: SignIn
) -> None:
    client = signed_in(mira)
    assert "data-focus" not in client.get(reverse("call_detail", args=[call.graph_id])).text
    text = client.post(form_of(call), WISH, headers=HTMX).text
    assert '<h1 tabindex="-1" data-focus>' in text
    assert '<div id="live" hx-swap-oob="innerHTML">Correction: Completed.</div>' in text


def test_the_form_promises_no_context_before_it_is_sent(call: Call, mira: User, signed_in: SignIn) -> None:
    page = signed_in(mira).get(form_of(call)).text
    assert "onrecord:" not in page
    assert "I have checked" not in page
