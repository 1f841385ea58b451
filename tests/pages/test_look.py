"""The look is whole: every icon a choice names is drawn."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from recordings import choices

SPRITE = Path(settings.BASE_DIR, "templates/recordings/parts/sprite.svg").read_text()
TOKENS = Path(settings.BASE_DIR, "recordings/static/recordings/tokens.css").read_text()
WORDED = [kind for kind in vars(choices).values() if isinstance(kind, type) and issubclass(kind, choices.Worded)]


@pytest.mark.parametrize("words", [kind for kind in WORDED if kind is not choices.Worded])
def test_every_icon_and_tone_of_a_choice_is_drawn(words: type[choices.Worded]) -> None:
    drawn = set(re.findall(r'<symbol id="([^"]+)"', SPRITE))
    assert {member.icon for member in words} <= drawn
    assert all(f".t-{member.tone} " in TOKENS for member in words)


def test_an_icon_is_drawn_once() -> None:
    drawn = re.findall(r'<symbol id="([^"]+)"', SPRITE)
    assert len(drawn) == len(set(drawn))


def test_every_icon_a_template_names_is_drawn() -> None:
    drawn = set(re.findall(r'<symbol id="([^"]+)"', SPRITE))
    for template in Path(settings.BASE_DIR, "templates").rglob("*.html"):
        named = set(re.findall(r'\{% icon "([^"]+)"', template.read_text()))
        assert named <= drawn, template.name
