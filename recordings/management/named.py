"""What a command line names, looked up; CommandError says what is not there."""

from django.contrib.auth.models import User
from django.core.management.base import CommandError

from recordings.models import Call


def call_named(graph_id: str) -> Call:
    call = Call.objects.select_related("recorder").filter(graph_id=graph_id).first()
    if call is None:
        raise CommandError(f"No call {graph_id!r} is known here. Nothing was changed.")
    return call


def user_named(username: str) -> User:
    user = User.objects.filter(username=username, is_active=True).first()
    if user is None:
        raise CommandError(f"There is no active user {username!r}. Nothing was changed.")
    return user
