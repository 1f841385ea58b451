"""What people fill in. Fields know their limits; whether something is allowed is for the services to say."""

from datetime import UTC, datetime
from typing import Any, cast
from zoneinfo import ZoneInfo, available_timezones

from django import forms
from django.contrib.auth.models import User

from recordings import permissions
from recordings.choices import SENDABLE_STATUSES, ExportFormat, ExportSheet, RootCause
from recordings.exports import EVERY_SHEET, Period
from recordings.exports import LONGEST_REASON as LONGEST_EXPORT_REASON
from recordings.models import EvidenceFile
from recordings.services.attesting import TOO_LARGE
from recordings.services.texts import LONGEST

LONGEST_REASON = 500

_CAUSES = [("", "Choose a cause"), *RootCause.choices]
_EXPORTED = [(sheet.value, sheet.label) for sheet in ExportSheet if sheet.value in EVERY_SHEET]
_TARGETS = [(status.value, status.label) for status in SENDABLE_STATUSES]


class CorrectionForm(forms.Form):
    """A wish: what Teams should be told of one call, and why."""

    status = forms.ChoiceField(
        choices=_TARGETS,
        error_messages={
            "required": "Choose what Teams should be told.",
            "invalid_choice": "Choose recording, not recording or failed.",
        },
    )
    reason = forms.CharField(
        max_length=LONGEST_REASON,
        strip=True,
        error_messages={
            "required": "Say why. The reason is kept with the correction.",
            "max_length": f"Keep the reason to {LONGEST_REASON} characters.",
        },
    )


class AttestForm(forms.Form):
    """A person's word on what Microsoft can no longer be told, with a text, a link or a file as evidence."""

    root_cause = forms.ChoiceField(
        choices=_CAUSES,
        error_messages={"required": "Choose what caused it.", "invalid_choice": "Choose one of the causes."},
    )
    reason = forms.CharField(
        max_length=LONGEST_REASON,
        error_messages={
            "required": "Say what happened.",
            "max_length": f"Keep it to {LONGEST_REASON} characters.",
        },
    )
    evidence = forms.CharField(
        max_length=LONGEST_REASON,
        required=False,
        error_messages={"max_length": f"Keep it to {LONGEST_REASON} characters."},
    )
    file = forms.FileField(
        required=False, max_length=255, error_messages={"empty": "The file is empty. Choose another one."}
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file and (file.size or 0) > EvidenceFile.LARGEST_BYTES:
            raise forms.ValidationError(TOO_LARGE)
        return file

    def clean(self) -> dict[str, Any]:
        words: dict[str, Any] = super().clean() or self.cleaned_data
        is_given = words.get("evidence") or words.get("file") or self.errors.keys() & {"evidence", "file"}
        if not is_given:
            self.add_error("evidence", "Name what shows it, a ticket, a link or a log, or attach a file.")
        return words


class AssignForm(forms.Form):
    """Who answers for a finding. `seen` in each of these forms is what its page showed when it was filled in."""

    to = forms.ModelChoiceField(
        queryset=User.objects.none(),
        to_field_name="username",
        required=False,
        empty_label="Nobody",
        error_messages={"invalid_choice": "Choose somebody whose role handles findings."},
    )
    seen = forms.CharField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = cast("forms.ModelChoiceField[User]", self.fields["to"])
        people.queryset = permissions.people_who_may(permissions.HANDLE)


class CommentForm(forms.Form):
    text = forms.CharField(
        max_length=LONGEST,
        error_messages={"required": "Write the comment first.", "max_length": f"Keep it to {LONGEST} characters."},
    )


class SnoozeForm(forms.Form):
    """Until when a finding is put off, and why. Times are UTC unless they say otherwise."""

    until = forms.DateTimeField(
        error_messages={
            "required": "Say until when.",
            "invalid": "Write the time as 2026-11-30T08:00, in UTC.",
        }
    )
    reason = forms.CharField(
        max_length=LONGEST_REASON,
        error_messages={"required": "Say why.", "max_length": f"Keep it to {LONGEST_REASON} characters."},
    )
    seen = forms.CharField(required=False)


class WakeForm(forms.Form):
    seen = forms.CharField(required=False)


class ResolveForm(forms.Form):
    """Closing without evidence: what caused it, and words where the list has none for it."""

    root_cause = forms.ChoiceField(
        choices=_CAUSES,
        error_messages={"required": "Choose what caused it.", "invalid_choice": "Choose one of the causes."},
    )
    reason = forms.CharField(
        max_length=LONGEST_REASON,
        required=False,
        error_messages={"max_length": f"Keep it to {LONGEST_REASON} characters."},
    )
    seen = forms.CharField(required=False)


class ApproveForm(forms.Form):
    """The second person's yes."""

    evidence = forms.CharField(
        max_length=LONGEST,
        error_messages={"required": "Say what shows that this is true, or paste a link to it."},
    )
    comment = forms.CharField(max_length=LONGEST, required=False)


class DeclineForm(forms.Form):
    """The second person's no."""

    reason = forms.CharField(
        max_length=LONGEST,
        error_messages={"required": "Say why, so that the person who asked knows what to do."},
    )


class CloseForm(forms.Form):
    """Giving up on an outcome."""

    reason = forms.CharField(max_length=LONGEST, error_messages={"required": "Say why nobody can find out."})


class EvidencePackForm(forms.Form):
    """Why somebody takes an evidence pack, and under which checkpoint; empty is the newest one."""

    reason = forms.CharField(
        max_length=LONGEST_EXPORT_REASON,
        error_messages={
            "required": "Say what the pack is for. It is kept in the ledger under your name.",
            "max_length": f"Keep the reason to {LONGEST_EXPORT_REASON} characters.",
        },
    )
    checkpoint = forms.CharField(
        required=False,
        max_length=20,
        error_messages={"max_length": "The size of a checkpoint is a number of at most 18 digits."},
    )


class ExportForm(forms.Form):
    """A sheet, and what is asked of it beside the words of its own filter, which stand in the same form.

    Times are those of the zone they name, unless they say their own.
    """

    sheet = forms.ChoiceField(choices=_EXPORTED, error_messages={"invalid_choice": "Choose what to export."})
    format = forms.ChoiceField(
        choices=ExportFormat.choices, initial=ExportFormat.EXACT, error_messages={"required": "Choose a format."}
    )
    from_at = forms.CharField(required=False, max_length=40)
    until_at = forms.CharField(required=False, max_length=40)
    zone = forms.CharField(initial="UTC", required=False, max_length=64)
    as_of = forms.CharField(required=False, max_length=40)
    since = forms.UUIDField(required=False, error_messages={"invalid": "Choose one of your earlier exports."})
    since_checkpoint = forms.CharField(
        required=False,
        max_length=4000,
        error_messages={"max_length": "This is longer than any checkpoint. Paste the text of checkpoint.txt alone."},
    )
    with_entries = forms.BooleanField(required=False)
    reason = forms.CharField(
        max_length=LONGEST_EXPORT_REASON,
        error_messages={
            "required": "Say what the export is for. It is kept in the ledger under your name.",
            "max_length": f"Keep the reason to {LONGEST_EXPORT_REASON} characters.",
        },
    )

    def clean_zone(self) -> str:
        zone: str = self.cleaned_data["zone"] or "UTC"
        if zone not in available_timezones():
            raise forms.ValidationError("This is no time zone. Write UTC, or a name like Europe/Berlin.")
        return zone

    def clean(self) -> dict[str, Any]:
        words: dict[str, Any] = super().clean() or self.cleaned_data
        if words.get("since") and words.get("since_checkpoint"):
            self.add_error("since_checkpoint", "Choose an export of yours or paste a checkpoint, not both.")
        zone = words.get("zone")
        for name in ("from_at", "until_at", "as_of"):
            if zone and words.get(name):
                self._read_time(words, name, zone)
        return words

    def _read_time(self, words: dict[str, Any], name: str, zone: str) -> None:
        try:
            at = datetime.fromisoformat(words[name])
            words[name] = (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)
        except (ValueError, OverflowError):
            self.add_error(name, "Write the time as 2026-11-18T14:30.")

    @property
    def period(self) -> Period:
        """Of a form that is valid, but perhaps for its reason."""
        return Period(self.cleaned_data.get("from_at") or None, self.cleaned_data.get("until_at") or None)
