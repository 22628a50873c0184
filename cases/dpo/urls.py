"""The DPO's surface: approvals, oversight, the trail."""

from django.urls import path

from cases.dpo.views import approvals, oversight, trail

app_name = "dpo"

urlpatterns = [
    path("approvals/", approvals.approvals, name="approvals"),
    path("approvals/<uuid:case_id>/", approvals.decision, name="decision"),
    path("approvals/<uuid:case_id>/approve/", approvals.approve, name="approve"),
    path("approvals/<uuid:case_id>/return/", approvals.send_back, name="return"),
    path("approvals/<uuid:case_id>/letter/", approvals.letter, name="letter"),
    path("oversight/", oversight.oversight, name="oversight"),
    path("trail/", trail.trail, name="trail"),
    path("trail/<uuid:case_id>/", trail.case_trail, name="case-trail"),
]
