"""manage.py correct_status: ask for one correction from a script."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from recordings import services
from recordings.choices import SENDABLE_STATUSES, OperationStatus
from recordings.management.named import call_named, user_named
from recordings.management.verdicts import Exit, Verdict, refused_by_us, verdict_of
from recordings.models import Call
from recordings.startup import refuse_on_errors


class Command(BaseCommand):
    help = (
        "Tell Teams, through Microsoft Graph, what the recording status of a call is. Exit code: 0 completed, "
        "3 outcome not known yet, 4 refused by On Record, 5 refused by Graph, 6 waiting for approval."
    )
    requires_system_checks = []  # all of them are run below, and no option leaves them out

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("graph_id", help="Microsoft Graph's id of the call")
        parser.add_argument("status", choices=[status.value for status in SENDABLE_STATUSES])
        parser.add_argument("--reason", required=True, help="why; it is kept for ever, so name no people")
        parser.add_argument("--actor", required=True, metavar="USERNAME", help="on whose behalf")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, graph_id: str, status: str, **options: Any) -> None:
        refuse_on_errors()
        services.note_settings("shell", timezone.now())
        by = services.Requester.at_shell(user_named(options["actor"]))
        verdict = _correct(call_named(graph_id), status, reason=options["reason"], by=by)
        if options["json"]:
            self.stdout.write(json.dumps(verdict.as_json(), ensure_ascii=False))
        elif verdict.code in (Exit.REFUSED_BY_US, Exit.REFUSED_BY_GRAPH):
            self.stderr.write(self.style.ERROR(verdict.sentence))
        else:
            self.stdout.write(verdict.sentence)
        if verdict.code:
            sys.exit(verdict.code)


def _correct(call: Call, status: str, *, reason: str, by: services.Requester) -> Verdict:
    try:
        operation = services.request_correction(call, wish=status, reason=reason, by=by, now=timezone.now())
    except (services.CorrectionRefused, services.NotAllowed) as refusal:
        return refused_by_us(str(refusal))
    if operation.status == OperationStatus.PENDING:
        operation = services.send_operation(operation.pk)
    return verdict_of(operation)
