"""How many rows an export will have, without reading them all."""

import json
from dataclasses import dataclass
from typing import Any

from django.db import connections
from django.db.models import QuerySet

# Elsewhere than on PostgreSQL rows are counted, and no further.
MOST_COUNTED = 10_000


@dataclass(frozen=True)
class Estimate:
    """`rows` is a guess of the database's planner, or a count; `is_at_least` where counting stopped."""

    rows: int
    is_counted: bool
    is_at_least: bool = False


def estimate(rows: QuerySet[Any]) -> Estimate:
    """One query that does not grow with the rows."""
    if connections[rows.db].vendor != "postgresql":
        counted = rows.order_by().values("pk")[: MOST_COUNTED + 1].count()
        return Estimate(min(counted, MOST_COUNTED), is_counted=True, is_at_least=counted > MOST_COUNTED)
    (plan,) = json.loads(rows.order_by().values("pk").explain(format="json"))
    return Estimate(int(plan["Plan"]["Plan Rows"]), is_counted=False)
