"""Fill an empty, migrated PostgreSQL with a past: ended calls, four changes each, a few that live. By SQL, in bulk."""

from datetime import datetime, timedelta

from django.db import connection

from sandbox.defaults import TENANT_ID

# One call in so many is still going on.
LIVING_SHARE = 1000
CHANGES_A_CALL = 4

_CALLS = """
INSERT INTO recordings_call (
    graph_id, tenant_id, call_chain_id, scenario_id, recorder_id, direction, subject, recorded_user_id,
    recorded_user_name, organizer_id, organizer_name, is_policy_call, state, established_at, ended_at, result_code,
    result_subcode, result_message, capture_state, capture_at, capture_changed_at, recording_status,
    recording_status_at, recording_status_source, told_changed_at, heard, created_at, first_signal_at, last_signal_at,
    graph_seen_at, recorder_word_at, due_after)
SELECT
    'bench-' || n, %(tenant)s, 'chain-' || (n / 2), 'scenario-' || n, %(recorder)s, 'incoming', 'Desk call ' || n,
    'user-' || (n %% 5000), 'Person ' || (n %% 5000), 'user-' || (n %% 700), 'Person ' || (n %% 700), true,
    CASE WHEN living THEN 'established' ELSE 'terminated' END, began + interval '2 s',
    CASE WHEN NOT living THEN began + interval '10 min' END, CASE WHEN NOT living THEN 200 END,
    CASE WHEN NOT living THEN 4521 END, '',
    CASE WHEN living THEN 'capturing' ELSE 'stopped' END, began + interval '9 min', began + interval '3 s',
    CASE WHEN living THEN 'recording' ELSE 'notRecording' END, began + interval '9 min', 'recorder',
    began + interval '3 s', '{}', began, began, began + interval '10 min', began + interval '10 min',
    began + interval '9 min', CASE WHEN living THEN %(now)s::timestamptz + interval '1 day' END
FROM (
    SELECT n, n %% %(share)s = 0 AS living,
           %(now)s::timestamptz - interval '1 hour'
               - (%(calls)s - n) * (make_interval(secs => %(past)s) / %(calls)s) AS began
    FROM generate_series(1, %(calls)s) AS n
) AS past
"""

_CHANGES = """
INSERT INTO recordings_statuschange (
    id, call_id, field, old, new, source, actor_id, reason, operation_id, occurred_at, recorded_at)
SELECT
    uuidv7(call.created_at + said.after - clock_timestamp()), call.id, said.field, said.old, said.new, 'recorder',
    %(actor)s, '', NULL, call.created_at + said.after, call.created_at + said.after
FROM recordings_call AS call, LATERAL (VALUES
    ('state', '', call.state, interval '2 s'), ('capture_state', 'unknown', call.capture_state, interval '3 s'),
    ('recording_status', 'unknown', 'failed', interval '4 s'),
    ('recording_status', 'failed', call.recording_status, interval '9 min')
) AS said (field, old, new, after)
WHERE call.graph_id LIKE 'bench-%%'
ORDER BY call.created_at
"""


def fill(calls: int, *, recorder: int, actor: int, now: datetime, past: timedelta = timedelta(days=700)) -> None:
    """`calls` calls over the time `past`, up to an hour before `now` (aware UTC), and four changes for each."""
    with connection.cursor() as cursor:
        cursor.execute(
            _CALLS,
            {
                "tenant": TENANT_ID,
                "recorder": recorder,
                "calls": calls,
                "share": LIVING_SHARE,
                "now": now,
                "past": past.total_seconds(),
            },
        )
        cursor.execute(_CHANGES, {"actor": actor})
        cursor.execute("VACUUM ANALYZE")
