"""The recorder's last word, shown for what it is still worth: one of the past does not look like one of now."""

from dataclasses import replace
from datetime import datetime

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from recordings import conf, rules
from recordings.choices import CaptureState, Look
from recordings.models import Call
from recordings.templatetags.onrecord import ago, chip, chip_box

register = template.Library()


@register.simple_tag
def captured(call: Call, now: datetime) -> SafeString:
    """For where the words beside it say when that was said."""
    return chip(_shown(call, now)[0])


@register.simple_tag
def captured_box(call: Call, now: datetime) -> SafeString:
    shown, words = _shown(call, now)
    return chip_box(shown, "Captured", words)


def _shown(call: Call, now: datetime) -> tuple[Look, str]:
    """Muted and with its age once the leg is over or the word no longer counts; trouble keeps its tone."""
    shown = call.capture_look
    is_known = call.capture_at is not None and call.capture_state != CaptureState.UNKNOWN
    if not is_known or (call.is_live and rules.fresh_claim(call.facts(), now=now, graces=conf.graces())):
        return shown, shown.label
    if call.capture_state == CaptureState.CAPTURING:
        shown = replace(shown, tone="mute")
    return shown, format_html(
        '<span>{}<span class="rel">, last said {}</span></span>', shown.label, ago(call.capture_at, now)
    )
