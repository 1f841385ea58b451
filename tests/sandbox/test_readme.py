"""What can be asked of the stand-in is written down."""

from dataclasses import fields
from pathlib import Path

import pytest

import sandbox
from sandbox import defaults, notices
from sandbox.control_routes import TABLE
from sandbox.controls import Notice
from sandbox.faults import ENVELOPES, GRAPH_ACTIONS, MOMENTS, OTHER_ACTIONS
from sandbox.log import Entry
from sandbox.state import Call, Settings

README = (Path(sandbox.__file__).parent / "README.md").read_text(encoding="utf-8")
WORDS = {
    "control routes": [f"{verb} {path}" for verb, path, _ in TABLE],
    "methods": [method for _, _, method in TABLE],
    "faults": [*MOMENTS, *ENVELOPES, *GRAPH_ACTIONS, *OTHER_ACTIONS],
    "notifications": [*notices.KINDS, *(each.name for each in fields(Notice))],
    "fields of a call": [each.name for each in fields(Call)],
    "settings": [each.name for each in fields(Settings)],
    "the log": [each.name for each in fields(Entry)],
    "constants": [defaults.TENANT_ID, defaults.CLIENT_ID, defaults.CLIENT_SECRET],
}


@pytest.mark.parametrize("subject", WORDS)
def test_the_readme_names(subject: str) -> None:
    missing = [word for word in WORDS[subject] if f"`{word}" not in README]
    assert missing == []
