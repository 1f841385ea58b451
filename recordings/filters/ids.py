"""What looks like an id, whole, by its beginning, or as the pages shorten it."""

import re

from django.db.models import Q

# What looks like an id is asked for whole or from its beginning, which indexes serve; anything else is part of a name.
_LIKE_AN_ID = re.compile(r"(?=.*[0-9])[A-Za-z0-9_:-]{6,128}")
# As the pages show it: the beginning and the end of an id.
_SHORT_ID = re.compile(r"([A-Za-z0-9_:-]{8,64})(?:\N{HORIZONTAL ELLIPSIS}|\.\.\.)([A-Za-z0-9_:-]{1,64})")
_BEGINNING = re.compile(r"[A-Za-z0-9_:-]{8,128}")


def is_id(words: str) -> bool:
    return bool(_LIKE_AN_ID.fullmatch(words) or _SHORT_ID.fullmatch(words))


def id_is(column: str, words: str) -> Q:
    """The whole id; or, from eight characters on, its beginning, with its end where that was given, too."""
    short = _SHORT_ID.fullmatch(words)
    if short:
        return _begins(column, short[1]) & Q(**{f"{column}__endswith": short[2]})
    return _begins(column, words) if _BEGINNING.fullmatch(words) else Q(**{column: words})


def _begins(column: str, beginning: str) -> Q:
    """As a range, which an index serves whatever its collation; `z` sorts last of all that an id is made of."""
    bounds = {f"{column}__gte": beginning, f"{column}__lte": f"{beginning}{'z' * 128}"}
    return Q(**bounds, **{f"{column}__startswith": beginning})
