"""What people fill in. Fields know their limits; whether something is allowed is for the services to say."""

from django import forms

from recordings.choices import SENDABLE_STATUSES, RootCause
from recordings.services.texts import LONGEST

LONGEST_REASON = 500

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
    """A person's word on what Microsoft can no longer be told."""

    root_cause = forms.ChoiceField(
        choices=[("", "Choose a cause"), *RootCause.choices],
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
        error_messages={
            "required": "Name what shows it: a ticket, a log, a file.",
            "max_length": f"Keep it to {LONGEST_REASON} characters.",
        },
    )


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
