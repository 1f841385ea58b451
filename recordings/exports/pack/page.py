"""The facts of a pack as a page to print and as JSON. Both are plain functions of the facts."""

import json

from django.template.loader import render_to_string

from recordings.exports.pack.facts import Facts

PAGE = "evidence.html"
JSON = "evidence.json"


def page_of(facts: Facts) -> bytes:
    """One file that needs no other: no script, its style inside, everything else text."""
    return render_to_string("recordings/evidence_pack.html", {"pack": facts}).encode()


def json_of(facts: Facts) -> bytes:
    return json.dumps(facts, sort_keys=True, indent=1, ensure_ascii=False).encode() + b"\n"
