"""The small parts every page is made of: icons, chips, times, ids, and the question what a person may do."""

from datetime import UTC, datetime, timedelta

from django import template
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.utils.html import format_html
from django.utils.safestring import SafeString

from recordings import permissions, rules
from recordings.choices import CHANGED_FIELD_WORDS, ChangedField, Look, look
from recordings.models import StatusChange

register = template.Library()

# An id is shown as its first eight and last four characters; shorter ones whole.
ID_HEAD, ID_TAIL = 8, 4
NOTHING = "\N{EN DASH}"
# From here on, that a change was heard after it happened is worth saying.
LATE = timedelta(seconds=30)

_FOUND = {
    "found": Look("found", "Found at Graph", "mute", "check"),
    "gone": Look("gone", "Not found at Graph", "warn", "warn"),
}


@register.filter
def may(user: AbstractBaseUser | AnonymousUser, verb: str) -> bool:
    """`{% if user|may:"correct" %}`"""
    return permissions.may(user, verb)


@register.simple_tag
def icon(name: str, classes: str = "i") -> SafeString:
    return format_html('<svg class="{}" aria-hidden="true"><use href="#{}"/></svg>', classes, name)


@register.simple_tag
def chip(shown: Look, label: str = "") -> SafeString:
    """Icon, words and tone of one value. `label` replaces the words."""
    return format_html('<span class="chip t-{}">{}{}</span>', shown.tone, icon(shown.icon), label or shown.label)


@register.simple_tag
def chip_box(shown: Look, lead: str, label: str = "") -> SafeString:
    """The chip of a page header, with the name of what it shows before it."""
    return format_html(
        '<span class="chip chip-box t-{}"><span class="k">{}</span>{}{}</span>',
        shown.tone,
        lead,
        icon(shown.icon),
        label or shown.label,
    )


@register.simple_tag
def change(row: StatusChange) -> SafeString:
    """Old value in grey, an arrow, new value in its tone."""
    old, new = change_look(row, row.old), change_look(row, row.new)
    return format_html(
        '<span class="arrow"><span class="chip was">{}{}</span>'
        '<span class="to">{}<span class="sr">to</span>{}</span></span>',
        icon(old.icon),
        old.label,
        icon("arrow"),
        chip(new),
    )


def change_look(row: StatusChange, value: str) -> Look:
    """How a value of the changed field looks."""
    if row.field == ChangedField.GONE:
        return _FOUND.get(value, _FOUND["gone"])
    words = CHANGED_FIELD_WORDS.get(row.field)
    return look(words, value) if words else Look(value, value, "mute", "r-unknown")


@register.simple_tag
def clock(at: datetime | None, now: datetime | None = None) -> SafeString | str:
    """A moment as UTC `HH:MM:SS`, with its date once that is not today; print shows the date of every one (app.css)."""
    if at is None:
        return NOTHING
    at = at.astimezone(UTC)
    machine, day, words = f"{at:%Y-%m-%dT%H:%M:%SZ}", f"{at.day} {at:%b %Y}", f"{at:%H:%M:%S}"
    if now is None or at.date() != now.astimezone(UTC).date():
        return format_html('<time datetime="{}">{} {}</time>', machine, day, words)
    return format_html('<time datetime="{}" data-day="{}">{}</time>', machine, day, words)


@register.simple_tag
def moment(at: datetime | None, now: datetime) -> SafeString | str:
    """The moment, and below it how long ago that was."""
    if at is None:
        return NOTHING
    return format_html(
        '<span class="two"><span>{}</span><span class="sub rel">{}</span></span>', clock(at, now), ago(at, now)
    )


@register.filter
def ago(at: datetime | None, now: datetime) -> str:
    if at is None:
        return "never"
    if at > now:
        return f"in {rules.duration(at - now)}"
    return f"{rules.duration(now - at)} ago"


@register.filter
def heard_late(row: StatusChange) -> str:
    """How much later than it happened a change was recorded, where that is worth saying."""
    late = row.recorded_at - row.occurred_at
    return f"heard {rules.duration(late)} later" if late >= LATE else ""


@register.filter
def lasted(since: datetime | None, until: datetime) -> str:
    return rules.duration(until - since) if since else NOTHING


@register.simple_tag
def ident(value: object, name: str = "id", href: str = "", *, copy: bool = True) -> SafeString:
    """An id: whole in the page, shortened by the style sheet, with a button that copies it (app.js)."""
    text = str(value)
    if not text:
        return format_html("{}", NOTHING)
    code = format_html("<code>{}</code>", _shortened(text))
    body = format_html('<a href="{}">{}</a>', href, code) if href else code
    return format_html('<span class="id">{}{}</span>', body, _copy_button(text, name) if copy else "")


def _shortened(text: str) -> SafeString:
    if len(text) <= ID_HEAD + ID_TAIL + 2:
        return format_html("{}", text)
    middle = text[ID_HEAD:-ID_TAIL]
    return format_html('{}<span class="id-m">{}</span>{}', text[:ID_HEAD], middle, text[-ID_TAIL:])


def _copy_button(text: str, name: str) -> SafeString:
    label = f"Copy {name} {text[:ID_HEAD]}, ending {text[-ID_TAIL:]}" if len(text) > ID_HEAD else f"Copy {name} {text}"
    return format_html(
        '<button class="copy" type="button" data-copy="{}" aria-label="{}" hidden>{}</button>',
        text,
        label,
        icon("copy"),
    )
