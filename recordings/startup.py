"""Every check of `checks.py` and Django, before a process may reach Microsoft or serve people: an error ends it.

Nothing of the domain is imported here, so that `wsgi.py` can import it before the apps are loaded.
"""

from concurrent.futures import ThreadPoolExecutor

from django.core.checks import CheckMessage, run_checks
from django.core.management.base import SystemCheckError
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.utils import timezone
from django.utils.module_loading import import_string


def refuse_on_errors() -> None:
    """Return if nothing is wrong; what is only a warning is left to `manage.py check`.

    Raises SystemCheckError with the sentence and the hint of every error; a command prints it without a traceback.
    """
    try:
        found = run_checks(databases=[DEFAULT_DB_ALIAS])
    except DatabaseError as problem:
        raise SystemCheckError(
            f"The database does not answer, so it cannot be checked: {problem}\nNothing was started."
        ) from problem
    errors = [message for message in found if message.is_serious() and not message.is_silenced()]
    if errors:
        raise SystemCheckError(_listed(errors))


def refuse_to_serve_on_errors() -> None:
    """The same where a server imports us: perhaps inside an event loop, perhaps before it forks.

    So it happens in a thread of its own, which leaves no connection behind. What differs in the settings of the site
    is recorded then, before the first page.
    """
    with ThreadPoolExecutor(max_workers=1) as thread:
        thread.submit(_begin_and_hang_up).result()


def _begin_and_hang_up() -> None:
    try:
        refuse_on_errors()
        import_string("recordings.services.note_settings")("site", timezone.now())
    except DatabaseError as problem:
        raise SystemCheckError(
            f"The settings cannot be compared with those of last time: {problem}\nRun `manage.py migrate` first. "
            "Nothing was started."
        ) from problem
    finally:
        connections.close_all()


def _listed(errors: list[CheckMessage]) -> str:
    listed = "\n\n".join(str(error) for error in errors)
    return f"On Record does not start with these settings:\n\n{listed}\n\nNothing was started and nothing was sent."
