"""Fill an empty, migrated PostgreSQL with a past that stands in the ledger: an entry for each change, none sealed."""

import sys
from datetime import timedelta
from uuid import UUID

from django.db import connection
from django.utils import timezone

from bench.filling import CHANGES_A_CALL, fill
from recordings.ledger import body_of, canonical
from recordings.models import Actor, LedgerEntry, Recorder
from sandbox.defaults import TENANT_ID

# As many calls a day as among the 2.5 million of `bench.sweep`: ten changes a minute.
CALLS_A_DAY = 3_571
AT_ONCE = 250_000

# The very text that `canonical` writes: sorted keys, no white space.
_ENTRIES = """
WITH page AS (
    SELECT
        change.*, call.graph_id, call.call_chain_id, call.tenant_id,
        uuidv7(change.recorded_at - clock_timestamp()) AS key,
        to_char(change.occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS occurred,
        to_char(change.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS recorded
    FROM (SELECT * FROM recordings_statuschange WHERE id > %(after)s ORDER BY id LIMIT %(most)s) AS change
    JOIN recordings_call AS call ON call.id = change.call_id
), entries AS (
    INSERT INTO recordings_ledgerentry (id, action, body, actor_id, call_id, occurred_at, recorded_at)
    SELECT
        key, 'status.changed',
        format(
            '{"action":"status.changed","actor":%%s,"call":"%%s","call_chain_id":"%%s","change":"%%s","field":"%%s",'
            '"graph_operation_id":"","id":"%%s","new":"%%s","occurred_at":"%%s","old":"%%s","reason":"",'
            '"recorded_at":"%%s","source":"%%s","tenant_id":"%%s","v":1}',
            actor_id, graph_id, call_chain_id, id, field, key, new, occurred, old, recorded, source, tenant_id),
        actor_id, call_id, occurred_at, recorded_at
    FROM page
)
SELECT id FROM page ORDER BY id DESC LIMIT 1
"""


def fill_ledger(entries: int, *, calls_a_day: int = CALLS_A_DAY) -> None:
    """So many entries up to an hour ago, all waiting for their seal."""
    now, calls = timezone.now(), entries // CHANGES_A_CALL
    recorder = Recorder.objects.create(name="rec-01", token_hash="0" * 64, tenants=[TENANT_ID], created_at=now)
    actor = Actor.objects.recorder(recorder).pk
    fill(calls, recorder=recorder.pk, actor=actor, now=now, past=timedelta(days=calls / calls_a_day))
    with connection.cursor() as cursor:
        # References are not looked up for each row; the trigger that puts entries in line fires all the same.
        cursor.execute("SET session_replication_role = replica")
        after: UUID | None = UUID(int=0)
        while after:
            cursor.execute(_ENTRIES, {"after": after, "most": AT_ONCE})
            after = next((key for (key,) in cursor.fetchall()), None)
        cursor.execute("RESET session_replication_role")
        cursor.execute("VACUUM ANALYZE")
    _require_real()


def _require_real() -> None:
    """The bodies must be what the product itself would have recorded."""
    entry = LedgerEntry.objects.latest("pk")
    facts = body_of(entry)
    if facts["id"] != str(entry.pk) or canonical(facts) != entry.body:
        sys.exit(f"No entry has such a body: {entry.body}")
