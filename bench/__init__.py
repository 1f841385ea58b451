"""Measured comparisons against peers and limits, never part of the tests. Each prints a ratio of one run."""

import django

django.setup()
