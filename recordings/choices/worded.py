"""A choice that knows how it looks."""

from dataclasses import dataclass
from typing import Self

from django.db import models


class Worded(str, models.Choices):
    """A text choice that knows how it looks: `NAME = value, tone, icon, label`."""

    tone: str
    icon: str

    def __new__(cls, value: str, tone: str = "", icon: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.tone = tone
        member.icon = icon
        return member

    def __str__(self) -> str:
        return str(self.value)


@dataclass(frozen=True)
class Look:
    """What a template needs to draw one value: the word itself, its label, tone and icon."""

    value: str
    label: str
    tone: str
    icon: str


def look(choices: type[Worded], value: str) -> Look:
    """The look of `value`, also of a word nobody has told us about yet."""
    try:
        member = choices(value)
    except ValueError:
        return Look(value=value, label=f"Unknown ({value})", tone="warn", icon="r-unknown")
    return Look(value=value, label=str(member.label), tone=member.tone, icon=member.icon)
