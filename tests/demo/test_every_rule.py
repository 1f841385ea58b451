"""Every rule has an act in the demo that shows it: found by the first sweep after its grace, and nothing else is.

The scripted recorders play their opening against the stand-in and the site as in the demo, over real wires, with a
round of work every two seconds. Only the clock is not real: it moves on once everything that was said has arrived.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from recordings import services
from recordings.choices import Rule, Subject
from recordings.management.demo import GRACES, RECORDERS
from recordings.models import Actor, Call, Finding
from recordings.services import Requester
from recordings.services import connection as graph
from recordings.tasks import EVERY_TICK
from sandbox.defaults import TENANT_ID
from sandbox.outbox import Outbox
from sandbox.recorder import Recorder
from sandbox.scenarios import OPENING, SECOND, Act
from sandbox.server import Sandbox
from sandbox.stage import Microsoft, Stage

START = datetime(2026, 11, 18, 14, 32, 8, tzinfo=UTC)
THREE_MINUTES = timedelta(minutes=3)
ROUND_SECONDS = 2.0

# From the beginning of each condition to its finding, in seconds: its grace in the demo.
GRACE = {
    Rule.CAPTURING_UNTOLD: 5,
    Rule.TOLD_NOT_CAPTURING: 5,
    Rule.TOLD_OTHERWISE: 10,
    Rule.OPERATION_UNSETTLED: 5,
    Rule.OPERATION_FAILED: 5,
    Rule.TOLD_AFTER_END: 5,
    Rule.NO_SIGN_OF_LIFE: 60,
    Rule.ORPHAN_LEG: 40,
    Rule.DROPPED: 5,
    Rule.STATUS_REFUSED: 0,
    Rule.TENANT_BLOCKED: 0,
    Rule.NEVER_ESTABLISHED: 15,
    Rule.FLAPPING: 16,  # four more changes after the first, one every four seconds
    Rule.OVER_AGE: 86_400,
    Rule.SILENT_RECORDER: 45,
    Rule.CLOCK_SKEWED: 0,
}
ONE_ROUND = timedelta(seconds=ROUND_SECONDS)
# A leg is known to be an orphan only from Graph's next answer on; in the demo Graph is asked every twenty seconds.
# Three answers in a row must agree on the clock; a call that was asked for is leased for half a minute.
UNTIL_FOUND = {
    Rule.ORPHAN_LEG: timedelta(seconds=20) + ONE_ROUND,
    Rule.CLOCK_SKEWED: 2 * timedelta(seconds=30) + ONE_ROUND,
}

ACTS = {(act.steps, act.shows): act for act in OPENING}.values()


class Passing(threading.Event):
    """Time that does a round of work every two seconds as it passes, until three minutes are over."""

    def __init__(self, clock: time_machine.Traveller, work: Callable[[], None]) -> None:
        super().__init__()
        self._clock = clock
        self._work = work
        self._next_round = ROUND_SECONDS

    def wait(self, timeout: float | None = None) -> bool:
        left = timeout or 0.0
        while left >= self._next_round and not self.is_set():
            self._clock.shift(self._next_round)
            left, self._next_round = left - self._next_round, ROUND_SECONDS
            self._work()
            if timezone.now() >= START + THREE_MINUTES:
                self.set()
        self._clock.shift(left)
        self._next_round -= left
        return self.is_set()


@pytest.fixture
def site(live_server: LiveServer, sandbox: Sandbox, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> str:
    """The site with the demo's graces, on a port of its own, where Graph's notifications arrive, too."""
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 0)
    for name, value in GRACES.items():
        setattr(settings, name, float(value))
    sandbox.settings(callback_url=f"{live_server.url}/hooks/graph/", callback_pause=0.01)
    return str(live_server.url)


@pytest.fixture
def clock(sandbox: Sandbox) -> Iterator[time_machine.Traveller]:
    """Tokens of another time are good for nothing afterwards."""
    graph._client.cache_clear()
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller
    graph._client.cache_clear()


@contextmanager
def recorders(site: str) -> Iterator[dict[str, Outbox]]:
    actor, now = Actor.objects.shell(), timezone.now()
    tokens = {name: services.issue_token(name, tenants=[TENANT_ID], actor=actor, now=now) for name in RECORDERS}
    outboxes = {
        name: Outbox(f"{site}/hooks/recorder/", token, name, is_careless=True) for name, token in tokens.items()
    }
    for outbox in outboxes.values():
        outbox.start()
    try:
        yield outboxes
    finally:
        for outbox in outboxes.values():
            outbox.stop()


def play(act: Act, *, site: str, sandbox: Sandbox, clock: time_machine.Traveller, mira: User) -> None:
    """Three minutes of one act of the opening, with the corrections that mira asks for."""

    def correct(call_id: str, status: str) -> None:
        arrive()
        by, now = Requester.at_shell(mira), timezone.now()
        call = Call.objects.get(graph_id=call_id)
        operation = services.request_correction(call, wish=status, reason="As the recorder says", by=by, now=now)
        services.send_operation(operation.pk)

    def arrive() -> None:
        assert all(outbox.wait_until_idle(20) for outbox in outboxes.values())
        assert sandbox.wait_for_deliveries(20)

    def work() -> None:
        arrive()
        for task in EVERY_TICK:
            task.call()

    with recorders(site) as outboxes:
        stopping = Passing(clock, work)
        microsoft = Microsoft(sandbox.base_url, str(sandbox.ca_file), stopping)
        stage = Stage(microsoft, outboxes, correct=correct)
        Recorder(stage, stopping, seed=7, clock=time.time).run([act], refill=False)
        microsoft.close()


def test_every_rule_has_an_act_that_shows_it() -> None:
    shown = {rule for act in OPENING for rule in act.shows}
    assert shown == {rule.value for rule in Rule} == {rule.value for rule in GRACE}


def test_most_acts_of_the_opening_are_not_stuck() -> None:
    stuck = sum(bool(act.shows) for act in OPENING)
    assert stuck <= len(OPENING) * 0.6


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", ACTS, ids=lambda act: "-".join(act.shows) or "nothing")
def test_what_an_act_shows_is_found_by_the_first_sweep_after_its_grace(
    act: Act, site: str, sandbox: Sandbox, clock: time_machine.Traveller, mira: User, capfd: Any
) -> None:
    play(act, site=site, sandbox=sandbox, clock=clock, mira=mira)
    found = {Rule(finding.rule): finding for finding in Finding.objects.order_by("opened_at")}
    assert {rule.value for rule in found} == set(act.shows)
    for rule, finding in found.items():
        due = max(finding.since_at + timedelta(seconds=GRACE[rule]), START)
        assert due <= finding.opened_at <= due + UNTIL_FOUND.get(rule, ONE_ROUND), rule
        assert finding.opened_at <= START + THREE_MINUTES
        assert subject_of(finding) == expected_subject(rule), rule
    assert Finding.objects.count() == len(found), "each rule once"
    assert "refused with" not in capfd.readouterr().err, "the hook takes everything the recorders say"


def subject_of(finding: Finding) -> tuple[str, str]:
    if finding.call:
        return Subject.CALL, finding.call.graph_id
    if finding.recorder:
        return Subject.RECORDER, finding.recorder.name
    assert finding.tenant
    return Subject.TENANT, finding.tenant.tenant_id


def expected_subject(rule: Rule) -> tuple[str, str]:
    """The first leg that rang, unless the rule is about the recorder that falls silent or about the tenant."""
    if rule == Rule.SILENT_RECORDER:
        return Subject.RECORDER, SECOND
    if rule in (Rule.TENANT_BLOCKED, Rule.CLOCK_SKEWED):
        return Subject.TENANT, TENANT_ID
    return Subject.CALL, Call.objects.order_by("pk").values_list("graph_id", flat=True)[0]
