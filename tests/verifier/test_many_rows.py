"""However many rows an export has, verify.py reads them in little memory."""

import subprocess
import sys
from pathlib import Path

from tests.verifier import building
from tests.verifier.building import VERIFIER

MEGABYTE = 1 << 20
ROWS = 60_000


def _body(number: int) -> building.Body:
    key = f"01a2096f-0b7f-719d-9068-{number:012x}"
    at = "2026-11-18T14:31:02.000000Z"
    return {"id": key, "action": "status.changed", "recorded_at": at, "reason": f"{number} " * 100}


# In a small process of its own, since a child begins with the memory of who starts it.
MEASURE = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(done.returncode, used if sys.platform == "darwin" else used * 1024)
"""


def test_the_rows_of_a_large_export_are_never_all_in_memory(tmp_path: Path) -> None:
    export = building.Ledger([_body(number) for number in range(ROWS)]).export(range(ROWS))
    path = export.zip(tmp_path)
    assert len(export.members["entries.jsonl"]) > 40 * MEGABYTE

    bare = [sys.executable, "-I", "-S"]
    command = [*bare, "-c", MEASURE, *bare, str(VERIFIER), str(path)]
    code, used = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()

    assert code == "0"
    assert int(used) < 60 * MEGABYTE
