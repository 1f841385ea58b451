"""One field for every id a person may hold."""

import re

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from recordings.models import Call, Operation
from tests import cast
from tests.pages.corrections import completed

pytestmark = pytest.mark.django_db

CALL = "57dab8b1-894c-409a-b240-bd8beae78896"
GRAPH = "https://graph.microsoft.com/v1.0/communications/calls"
# Session, person, rights.
OF_A_PAGE = 3


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


@pytest.mark.parametrize(("name", "column"), [("chain", "call_chain_id"), ("scenario", "scenario_id")])
def test_an_id_that_several_calls_share_leads_to_the_list_of_just_these(
    client: Client, olga: User, name: str, column: str
) -> None:
    now = timezone.now()
    shared = {"call-1": CALL, "call-2": CALL, "call-3": f"{CALL}-longer", "call-4": ""}
    for graph_id, value in shared.items():
        Call.objects.filter(pk=cast.call(graph_id, at=now).pk).update(**{column: value})
    client.force_login(olga)
    where = found(client, CALL.upper())
    assert where == f"{reverse('call_list')}?{name}={CALL}"
    page = client.get(where)
    assert {row.call.graph_id for row in page.context["page"].rows} == {"call-1", "call-2"}
    assert f'name="{name}" value="{CALL}"' in " ".join(page.content.decode().split())


def test_all_legs_of_a_call_are_the_list_of_its_conversation(client: Client, olga: User, call: Call) -> None:
    client.force_login(olga)
    page = client.get(reverse("call_detail", args=["call-1"])).content.decode()
    assert f"{reverse('call_list')}?chain=chain-of-call-1" in page


@pytest.mark.parametrize(
    "words",
    [
        CALL.upper(),
        f'"{CALL}"',
        f"“{CALL}”,",
        f"`{CALL}`",
        f"<{CALL}>;",
        f"\u200b{CALL}\u00a0\n",
        f"{{{CALL}}}",
        CALL.replace("-", ""),
        f"{GRAPH}/{CALL}",
        f"{GRAPH}/{CALL.upper()}/updateRecordingStatus",
        f"'{GRAPH}/{CALL}?$select=id'",
        f"/app/calls/{CALL}/participants",
        f"communications/calls/{CALL}/operations/not-of-ours",
        f"POST {GRAPH}/{CALL}/keepAlive HTTP/1.1",
        f"https://onrecord.contoso.example/calls/{CALL}/#correct",
    ],
)
def test_an_id_is_found_however_it_was_copied(client: Client, olga: User, words: str) -> None:
    cast.call(CALL, at=timezone.now())
    client.force_login(olga)
    assert found(client, words) == reverse("call_detail", args=[CALL])


def test_the_address_of_an_operation_leads_to_its_place(client: Client, olga: User, operation: Operation) -> None:
    client.force_login(olga)
    where = found(client, f"{GRAPH}/call-1/operations/{operation.graph_operation_id}")
    assert where == f"{reverse('call_detail', args=['call-1'])}#op-{operation.pk}"


def test_the_address_of_a_call_record_leads_to_the_conversation(client: Client, olga: User, call: Call) -> None:
    client.force_login(olga)
    where = found(client, f"https://graph.microsoft.com/v1.0/communications/callRecords/{call.call_chain_id}")
    assert where == reverse("call_detail", args=["call-1"])


def test_the_address_of_an_unknown_call_is_looked_for_by_its_id(client: Client, olga: User) -> None:
    client.force_login(olga)
    assert found(client, f"{GRAPH}/{CALL}/operations/1") == f"{reverse('call_list')}?q={CALL}"


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
        "the client context, shouted": operation.client_context.upper(),
        "the request id": attempt.result.request_id,
        "the client request id": str(attempt.client_request_id),
    }
    assert {name: found(client, words) for name, words in ids.items()} == dict.fromkeys(ids, here)


def test_graphs_id_of_an_earlier_try_leads_there_too(client: Client, olga: User, operation: Operation) -> None:
    client.force_login(olga)
    earlier = operation.graph_operation_id
    Operation.objects.filter(pk=operation.pk).update(graph_operation_id="of-the-repeat")
    assert found(client, earlier).endswith(f"#op-{operation.pk}")


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


def test_the_way_to_an_id_is_a_handful_of_look_ups(
    client: Client, olga: User, operation: Operation, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    attempt = operation.attempts.get()
    client.force_login(olga)
    look_ups = {
        "call-1": 1,
        "chain-of-call-1": 2,
        operation.client_context: 4,
        operation.graph_operation_id: 5,
        attempt.result.request_id: 6,
        str(operation.pk): 4,
        str(attempt.client_request_id): 9,
        CALL: 11,
        "Dana Kessler": 7,
    }
    for words, number in look_ups.items():
        with django_assert_num_queries(OF_A_PAGE + number):
            found(client, words)


@pytest.mark.postgresql
def test_no_look_up_reads_a_table(client: Client, olga: User, mira: User) -> None:
    """Where an index serves a question, PostgreSQL finds a plan without reading the table; it is asked for one."""
    for number in range(40):  # among a handful any index is as good as the right one
        completed(cast.call(f"call-{number}", at=timezone.now()), by=mira, now=timezone.now())
    client.force_login(olga)
    with CaptureQueriesContext(connection) as seen:
        found(client, CALL)
    asked = [query["sql"] for query in seen.captured_queries if "recordings_" in query["sql"]]
    asked = [sql for sql in asked if re.search("recordings_(call|operation|bulkjob)", sql)]
    assert len(asked) == 10
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        cursor.execute("SET LOCAL enable_seqscan = off")
        for sql in asked:
            cursor.execute(f"EXPLAIN {sql}")
            plan = "\n".join(line for (line,) in cursor.fetchall())
            assert "Index Cond" in plan, plan
            assert "Seq Scan" not in plan, plan
            assert not re.search(r"^ *Filter:", plan, re.MULTILINE), plan
