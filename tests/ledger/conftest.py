"""Verification holds the time in each entry's key, which is the real one, against what the entry says."""

from datetime import UTC, datetime

import pytest


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)
