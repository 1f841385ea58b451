"""One field for every id a person may hold."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from recordings.models import Call, Operation
from tests import cast
from tests.pages.corrections import completed

pytestmark = pytest.mark.django_db


@pytest.fixture
def call(db: None) -> Call:
    return cast.call("call-1", at=timezone.now())


@pytest.fixture
def operation(call: Call, mira: User) -> Operation:
    return completed(call, by=mira, now=timezone.now())


def found(client: Client, words: str) -> str:
    return str(client.get(reverse("find"), {"q": words}).headers["Location"])


def test_a_call_id_leads_to_its_page(client: Client, olga: User, call: Call) -> None:
    client.force_login(olga)
    assert found(client, "  call-1 ") == reverse("call_detail", args=["call-1"])


def test_the_id_of_a_conversation_with_one_call_leads_to_that_call(client: Client, olga: User, call: Call) -> None:
    client.force_login(olga)
    assert found(client, "chain-of-call-1") == reverse("call_detail", args=["call-1"])


def test_the_id_of_a_conversation_with_two_calls_leads_to_the_list_of_both(
    client: Client, olga: User, call: Call
) -> None:
    other = cast.call("call-2", at=timezone.now() - timedelta(minutes=1))
    Call.objects.filter(pk=other.pk).update(call_chain_id=call.call_chain_id)
    client.force_login(olga)
    assert found(client, call.call_chain_id) == f"{reverse('call_list')}?q=chain-of-call-1"


def test_every_id_of_a_correction_leads_to_its_place_on_the_call(
    client: Client, olga: User, operation: Operation
) -> None:
    client.force_login(olga)
    attempt = operation.attempts.get()
    here = f"{reverse('call_detail', args=['call-1'])}#op-{operation.pk}"
    ids = {
        "ours": str(operation.pk),
        "ours, shouted": str(operation.pk).upper(),
        "Graph's": operation.graph_operation_id,
        "the client context": operation.client_context,
        "the request id": attempt.result.request_id,
        "the client request id": str(attempt.client_request_id),
    }
    assert {name: found(client, words) for name, words in ids.items()} == dict.fromkeys(ids, here)


@pytest.mark.parametrize(
    "words", ["Dana Kessler", "5e5a3a9e-1d9c-4a8e-9a53-0c5b6f6f3c11", "a" * 500, "x\x00y", "#?&=/"]
)
def test_anything_else_is_looked_for_among_the_calls(client: Client, olga: User, words: str) -> None:
    client.force_login(olga)
    where = found(client, words)
    assert where.startswith(f"{reverse('call_list')}?q=")
    assert client.get(where).status_code == 200


def test_an_empty_field_leads_to_all_calls(client: Client, olga: User) -> None:
    client.force_login(olga)
    assert found(client, "   ") == reverse("call_list")


def test_a_stranger_finds_nothing(client: Client, sam: User, call: Call) -> None:
    client.force_login(sam)
    assert client.get(reverse("find"), {"q": "call-1"}).status_code == 403
