"""What an error page may show."""

import re

from django.http import HttpRequest
from django.views.debug import SafeExceptionReporterFilter


class DiscreetFilter(SafeExceptionReporterFilter):
    """Stars for what is marked as sensitive also with DEBUG=1: an error page of a developer is soon in a chat."""

    # A proxy's address may hold a password.
    hidden_settings = re.compile(f"{SafeExceptionReporterFilter.hidden_settings.pattern}|PROXY", re.IGNORECASE)

    def is_active(self, request: HttpRequest | None) -> bool:
        return True
