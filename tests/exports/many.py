"""Thousands of entries of one call, each with a text of its own that compresses badly."""

import hashlib
import sys
from datetime import datetime
from subprocess import Popen, run

from recordings.choices import LedgerAction
from recordings.conf import ledger_origin
from recordings.models import Actor, LedgerEntry
from sandbox.server import Sandbox
from tests import cast
from tests.processes import PRODUCTION, ROOT, environment, manage


def many_entries(count: int, now: datetime) -> None:
    call, actor = cast.call(at=now), Actor.objects.graph()
    stamp = f"{now:%Y-%m-%dT%H:%M:%S.%f}Z"
    made = []
    for number in range(count):
        noise = hashlib.sha512(str(number).encode()).hexdigest() * 2
        entry = LedgerEntry(action=LedgerAction.STATUS_CHANGED, actor=actor, call=call)
        entry.occurred_at = entry.recorded_at = now
        entry.body = (
            f'{{"action":"status.changed","actor":{actor.pk},"call":"{call.graph_id}","id":"{entry.pk}","new":"a",'
            f'"occurred_at":"{stamp}","old":"b","reason":"{noise}","recorded_at":"{stamp}","v":1}}'
        )
        made.append(entry)
    LedgerEntry.objects.bulk_create(made, batch_size=500)


def worker(sandbox: Sandbox, key: str, **more: str) -> "Popen[str]":
    """One round of the worker, in a process of its own, with the key that sealed."""
    env = environment(sandbox, LEDGER_SIGNING_KEY=key, LEDGER_ORIGIN=ledger_origin(), **more)
    return manage("work", "--once", env=env)


# A process also counts as its own what its parent had before it began; Linux knows better.
_ONE_TASK = """
import pathlib, re, resource, django
django.setup()
from recordings import tasks
tasks.run_exports.call()
known = pathlib.Path("/proc/self/status")
most = re.search(r"VmHWM:\\s+(\\d+)", known.read_text())[1] if known.exists() else 0
print(most or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def memory_of_exporting(sandbox: Sandbox, key: str) -> int:
    """The worker's task in a process of its own, as in production; the most memory it had at a time, in MiB."""
    own = {"DEBUG": "0", "LEDGER_SIGNING_KEY": key, "LEDGER_ORIGIN": ledger_origin(), "ALLOW_STAND_IN": "1"}
    env = {**PRODUCTION, **environment(sandbox), **own}
    done = run([sys.executable, "-c", _ONE_TASK], env=env, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout) // 1024
