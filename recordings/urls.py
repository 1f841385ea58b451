"""Every page and hook. URL names equal view names."""

from django.urls import path

from recordings.views import (
    approvals,
    calls,
    exports,
    findings,
    health,
    operations,
    overview,
    search,
    session,
    webhooks,
)

urlpatterns = [
    path("", overview.overview, name="overview"),
    path("calls/", calls.call_list, name="call_list"),
    path("calls/<slug:graph_id>/", calls.call_detail, name="call_detail"),
    path("calls/<slug:graph_id>/correct/", calls.correct_call, name="correct_call"),
    path("findings/<int:pk>/attest/", findings.attest_finding, name="attest_finding"),
    path("operations/", operations.operation_list, name="operation_list"),
    path("operations/<uuid:pk>/check/", operations.check_operation, name="check_operation"),
    path("operations/<uuid:pk>/close/", operations.close_operation, name="close_operation"),
    path("approvals/", approvals.approval_list, name="approval_list"),
    path("approvals/<uuid:pk>/", approvals.approval_detail, name="approval_detail"),
    path("approvals/<uuid:pk>/approve/", approvals.approve_operation, name="approve_operation"),
    path("approvals/<uuid:pk>/decline/", approvals.decline_operation, name="decline_operation"),
    path("find/", search.find, name="find"),
    path("export/history.csv", exports.export_history, name="export_history"),
    path("export/calls.csv", exports.export_calls, name="export_calls"),
    path("export/operations.csv", exports.export_operations, name="export_operations"),
    path("login/", session.login, name="login"),
    path("logout/", session.logout, name="logout"),
    path("theme/", session.set_theme, name="set_theme"),
    path("pause/", session.pause_updates, name="pause_updates"),
    path("hooks/graph/", webhooks.graph_notifications, name="graph_notifications"),
    path("hooks/recorder/", webhooks.recorder_events, name="recorder_events"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
