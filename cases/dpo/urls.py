"""The DPO's surface: approvals, oversight, the trail."""

from django.urls import path

from cases.dpo.views import approvals, extensions, oversight, plan, retention, trail

app_name = "dpo"

EXTENSION = "approvals/<uuid:case_id>/extension/<uuid:extension_id>/"

urlpatterns = [
    path("approvals/", approvals.approvals, name="approvals"),
    path("approvals/<uuid:case_id>/", approvals.decision, name="decision"),
    path("approvals/<uuid:case_id>/approve/", approvals.approve, name="approve"),
    path("approvals/<uuid:case_id>/return/", approvals.send_back, name="return"),
    path("approvals/<uuid:case_id>/letter/", approvals.letter, name="letter"),
    path("approvals/<uuid:case_id>/plan/", plan.plan, name="plan"),
    path("approvals/<uuid:case_id>/plan/return/", plan.send_lines_back, name="return-lines"),
    path(EXTENSION, extensions.show, name="extension"),
    path(f"{EXTENSION}approve/", extensions.approve, name="approve-extension"),
    path(f"{EXTENSION}return/", extensions.send_back, name="return-extension"),
    path(f"{EXTENSION}letter/", extensions.letter, name="extension-letter"),
    path("oversight/", oversight.oversight, name="oversight"),
    path("retention/", retention.kept, name="retention"),
    path("trail/", trail.trail, name="trail"),
    path("trail/<uuid:case_id>/", trail.case_trail, name="case-trail"),
]
