"""Commands as a script has them: what they print, and how they exit."""

import io
import json
from dataclasses import dataclass
from typing import Any

from django.core.management import call_command


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def run(*words: str) -> Done:
    """`manage.py WORDS` in this process. CommandError is raised on."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command(*words, stdout=out, stderr=err)
        code = 0
    except SystemExit as leaving:
        code = int(leaving.code or 0)
    return Done(code, out.getvalue(), err.getvalue())
