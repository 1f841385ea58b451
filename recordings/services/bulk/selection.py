"""Which calls a job is about, as the person meant them, and the key that lets it start once."""

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from django.db import IntegrityError

from recordings.models import Actor, BulkJob
from recordings.models.keys import new_key


@dataclass(frozen=True)
class Selection:
    """`words` say in the list's own words which calls were meant; `key` becomes the job's."""

    words: str
    key: UUID = field(default_factory=new_key)


def start_once(selection: Selection, actor: Actor, start: Callable[[], BulkJob]) -> BulkJob:
    """The job that `actor` started with this selection before, else the one that `start` stores now.

    A double click brings the same key twice, and the second may come before the first is stored.
    """
    try:
        return _started(selection, actor) or start()
    except IntegrityError:
        job = _started(selection, actor)
        if job is None:
            raise
        return job


def _started(selection: Selection, actor: Actor) -> BulkJob | None:
    return BulkJob.objects.filter(pk=selection.key, requested_by=actor).first()
