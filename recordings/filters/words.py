"""A filter in words."""

from typing import Any

import django_filters
from django import forms


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
