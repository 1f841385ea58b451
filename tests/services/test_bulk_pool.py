"""The threads that post: nothing leaves in a pause that was asked for, nor long after its facts were read."""

import time
from collections.abc import Callable
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import Settings

from recordings import conf, services
from recordings.choices import AttemptOutcome
from recordings.models import Attempt
from recordings.services import Requester
from recordings.services.bulk.pool import LEAVES_WITHIN_SECONDS, Pool, Try
from sandbox.server import Sandbox
from tests import cast
from tests.at_graph import UPDATE, posts

pytestmark = pytest.mark.django_db(transaction=True)

WIDTH = 32

type Send = Callable[[Pool, float], list[Try]]


@pytest.fixture
def send(sandbox: Sandbox, mira: User) -> Send:
    """Post two waves of tries at one correction, whose facts were read at a moment of time.monotonic()."""
    sandbox.add_call(call_id="call-1", state="established")
    call, by = cast.call(at=timezone.now(), told="recording"), Requester.at_screen(mira)
    wish = services.request_correction(call, wish="failed", reason="the desk checked", by=by, now=timezone.now())

    def send_two_waves(pool: Pool, ruled_at: float) -> list[Try]:
        attempts = [Attempt(operation=wish, client_request_id=uuid4()) for _ in range(2 * WIDTH)]
        pool.send(attempts, ruled_at=ruled_at, lease_seconds=conf.lease().total_seconds())
        pool.wait(ready=len(attempts), within_seconds=60)
        return pool.answers(most=len(attempts))

    return send_two_waves


def said_of(tries: list[Try]) -> set[tuple[str, str]]:
    return {(tried.outcome.outcome, tried.outcome.message) for _, tried in tries}


def test_all_leave_where_nothing_stands_in_the_way(sandbox: Sandbox, send: Send) -> None:
    with Pool(WIDTH) as pool:
        assert {outcome for outcome, _ in said_of(send(pool, time.monotonic()))} == {AttemptOutcome.ACCEPTED}
    assert len(posts(sandbox)) == 2 * WIDTH


def test_in_a_pause_nothing_leaves_and_all_of_it_says_so(sandbox: Sandbox, send: Send) -> None:
    with Pool(WIDTH) as pool:
        pool.pause(60)
        pool.pause(0)  # a shorter one does not end it
        assert said_of(send(pool, time.monotonic())) == {
            (AttemptOutcome.NOT_SENT, "Microsoft asked for a pause before it was sent.")
        }
    assert posts(sandbox) == []


def test_one_429_keeps_back_what_has_not_left_yet(sandbox: Sandbox, send: Send) -> None:
    sandbox.fault("error", status=429, retry_after="60", times=None, action=UPDATE)
    with Pool(WIDTH) as pool:
        send(pool, time.monotonic())
        assert len(posts(sandbox)) <= WIDTH
        send(pool, time.monotonic())
    assert len(posts(sandbox)) <= WIDTH


def test_what_was_read_too_long_ago_does_not_leave(sandbox: Sandbox, send: Send, settings: Settings) -> None:
    """The recorder may have said otherwise since (invariant 8)."""
    with Pool(WIDTH) as pool:
        assert said_of(send(pool, time.monotonic() - LEAVES_WITHIN_SECONDS)) == {
            (AttemptOutcome.NOT_SENT, "Microsoft answered too slowly for it to be sent in time.")
        }
        settings.GRAPH_DEADLINE = 1
        send(pool, time.monotonic() - 2)
    assert posts(sandbox) == []
