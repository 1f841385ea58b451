"""Whose word ended a condition that is gone: the classes of resolution are kept apart and counted apart."""

from recordings.choices import OperationStatus, Resolution, Rule, Source
from recordings.models import Finding, Operation

_OF_A_CORRECTION = {
    OperationStatus.COMPLETED.value: Resolution.CONFIRMED_BY_GRAPH,
    OperationStatus.FAILED.value: Resolution.REFUSED_BY_GRAPH,
    OperationStatus.UNRESOLVED.value: Resolution.LEFT_UNRESOLVED,
}


def resolution_of(finding: Finding) -> Resolution:
    """Graph's word where one of our corrections was confirmed since; the recorder's where it told Teams itself."""
    if finding.call is None:
        return Resolution.SELF_RECOVERED
    if finding.rule == Rule.OPERATION_UNSETTLED:
        return _of_correction(finding)
    completed = Operation.objects.filter(
        call=finding.call, status=OperationStatus.COMPLETED, finished_at__gte=finding.since_at
    )
    if completed.exists():
        return Resolution.CONFIRMED_BY_GRAPH
    call = finding.call
    told_since = call.recording_status_at is not None and call.recording_status_at >= finding.since_at
    if told_since and call.recording_status_source == Source.RECORDER:
        return Resolution.CONFIRMED_BY_RECORDER
    return Resolution.SELF_RECOVERED if call.is_live else Resolution.CALL_ENDED


def _of_correction(finding: Finding) -> Resolution:
    """How the correction ended that had not settled: the latest one that was under way since."""
    ended = Operation.objects.filter(call=finding.call, finished_at__gte=finding.since_at)
    status = ended.order_by("-finished_at").values_list("status", flat=True).first()
    return _OF_A_CORRECTION.get(status or "", Resolution.SELF_RECOVERED)
