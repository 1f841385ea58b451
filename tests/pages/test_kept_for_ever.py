"""What a person types into a form and the ledger keeps: the form says so, before anything is sent."""

import re
from collections.abc import Mapping
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django import forms as django_forms
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from recordings import forms
from recordings.models import Finding
from sandbox.server import Sandbox
from tests import cast
from tests.pages import bulk_cast
from tests.pages.corrections import asked, unknown

pytestmark = pytest.mark.django_db

# The names of the fields whose words stand in entries of the ledger, and of those that take no words of anybody's.
FREE = {"reason", "text", "evidence", "comment"}
BOUND = {"seen", "from_at", "until_at", "zone", "as_of", "checkpoint", "since_checkpoint"}
TEMPLATES = Path(settings.BASE_DIR, "templates")
FIELD = re.compile(rf'<(?:textarea|input)\b[^>]*?\bname="(?:{"|".join(sorted(FREE))})"', re.DOTALL)
KEPT = re.compile(r"kept for ever", re.IGNORECASE)
NAMELESS = re.compile(r"no personal data|do not name people|no names of people", re.IGNORECASE)
# Where one sentence stands above several fields of one form.
ABOVE = "What you write is kept for ever in the ledger, under your name. No personal data, please."


class Form:
    """One form of a page: its free fields with what describes them, and all its words."""

    def __init__(self) -> None:
        self.fields: list[Mapping[str, str]] = []
        self.words = ""
        self.by_id: dict[str, str] = {}

    def told_of(self, field: Mapping[str, str]) -> str:
        described = " ".join(self.by_id.get(one, "") for one in field.get("aria-describedby", "").split())
        return described + (ABOVE if ABOVE in " ".join(self.words.split()) else "")


class Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._id = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append(Form())
        if self.found and tag in ("textarea", "input") and given.get("name") in FREE:
            self.found[-1].fields.append(given)
        self._id = given.get("id", "") if tag == "span" else ""

    def handle_data(self, data: str) -> None:
        if self.found:
            form = self.found[-1]
            form.words += data
            form.by_id[self._id] = form.by_id.get(self._id, "") + data


def forms_of(response: Any) -> list[Form]:
    parser = Forms()
    parser.feed(response.content.decode())
    return [form for form in parser.found if form.fields]


@pytest.fixture
def pages(sandbox: Sandbox, mira: User, tom: User) -> list[Any]:
    """Every page with such a field, as somebody has it who may send it."""
    now = timezone.now()
    sandbox.add_call(call_id="call-silent")
    silent = cast.call("call-silent", at=now - timedelta(minutes=5), capture="stopped", told="recording")
    waiting = asked(silent, by=mira, now=now, wish="notRecording")
    lost = unknown(cast.call("call-lost", at=now), by=mira, now=now)
    stopped, over = bulk_cast.stopped("call-stopped", now=now), bulk_cast.over("call-over", now=now)
    finding = Finding.objects.open().filter(call=over).latest("pk")
    client = Client()
    client.force_login(tom)
    return [
        client.get(reverse("approval_detail", args=[waiting.pk])),
        client.get(reverse("close_operation", args=[lost.pk])),
        client.get(reverse("call_detail", args=[stopped.graph_id])),
        client.get(reverse("correct_call", args=[stopped.graph_id])),
        client.get(reverse("finding_detail", args=[finding.pk])),
        client.get(reverse("attest_finding", args=[finding.pk])),
        client.get(reverse("call_pack", args=[over.graph_id])),
        client.get(reverse("finding_pack", args=[finding.pk])),
        client.get(reverse("export_new")),
        client.post(reverse("bulk_precheck"), {**bulk_cast.keys([stopped]), "status": "notRecording"}),
        client.post(reverse("bulk_attest"), bulk_cast.keys([over])),
    ]


def test_every_field_whose_words_are_kept_says_so(pages: list[Any]) -> None:
    assert {page.status_code for page in pages} == {200}
    told = [form.told_of(field) for page in pages for form in forms_of(page) for field in form.fields]
    assert len(told) >= len(pages)
    assert [words for words in told if not (KEPT.search(words) and NAMELESS.search(words))] == []


def test_no_template_with_such_a_field_was_left_out(pages: list[Any]) -> None:
    shown = {template.name for page in pages for template in page.templates}
    having = {path for path in TEMPLATES.rglob("*.html") if FIELD.search(path.read_text())}
    assert having
    assert {str(path.relative_to(TEMPLATES)) for path in having} <= shown


def test_every_field_that_takes_words_is_one_of_them() -> None:
    every = [form for form in vars(forms).values() if isinstance(form, type) and issubclass(form, django_forms.Form)]
    taking = [form.base_fields for form in every]
    named = {name for fields in taking for name, field in fields.items() if type(field) is django_forms.CharField}
    assert named <= FREE | BOUND
