"""A filter in words, and what its words are."""

from typing import Any, Final

import django_filters
from django import forms

# A box with a tick takes whatever was said for one.
_TICKED: Final = frozenset({"on", "true", "false", "1", "0"})


def known_words(asked: django_filters.FilterSet) -> dict[str, bool]:
    """Every field, each with whether what was said is one of the words that it offers, or a day, so nobody's own."""
    asked.is_valid()
    return {field.name: _is_offered(field, asked.form.cleaned_data.get(field.name)) for field in asked.form}


def _is_offered(field: forms.BoundField, understood: Any) -> bool:
    if isinstance(field.field, forms.NullBooleanField):
        return str(field.form.data.get(field.name)).lower() in _TICKED
    return isinstance(field.field, (forms.ChoiceField, forms.DateField)) and understood not in (None, "")


def words_of(asked: django_filters.FilterSet) -> str:
    """A filter in the words of its page: "Told to Teams: Recording; Stuck only"."""
    form = asked.form
    shown = [(field, form.cleaned_data.get(field.name)) for field in form]
    return "; ".join(_said(field, value) for field, value in shown if value not in (None, "", False))


def _said(field: forms.BoundField, value: Any) -> str:
    label = str(field.label)
    if value is True:
        return label
    of_rows = isinstance(field.field, forms.ModelChoiceField)
    choices = dict(field.field.widget.choices) if isinstance(field.field, forms.ChoiceField) and not of_rows else {}
    return f"{label}: {choices.get(value, value)}"
