"""The staff's own doors."""

from django.urls import path

from identity.views import account, invitation, people, second_factor, session, signing_in

app_name = "identity"

urlpatterns = [
    path("sign-in/", signing_in.sign_in, name="sign-in"),
    path("sign-out/", signing_in.sign_out, name="sign-out"),
    path("invitation/", invitation.accept_invitation, name="accept-invitation"),
    path("invitation/<str:token>/", invitation.open_invitation, name="invitation"),
    path("second-factor/", second_factor.second_factor, name="second-factor"),
    path("recovery-code/", second_factor.recovery_code, name="recovery-code"),
    path("enrolment/", second_factor.enrolment, name="enrolment"),
    path("account/", account.account, name="account"),
    path("account/password/", account.password, name="password"),
    path("account/recovery-codes/", account.recovery_codes, name="recovery-codes"),
    path("account/new-app/", account.new_app, name="new-app"),
    path("account/sessions/end/", session.end_session, name="end-session"),
    path("account/sessions/end-others/", session.end_other_sessions, name="end-other-sessions"),
    path("people/", people.people, name="people"),
    path("people/<uuid:person_id>/", people.person, name="person"),
    path("people/<uuid:person_id>/sign-out/", people.sign_out_person, name="sign-out-person"),
    path("people/<uuid:person_id>/active/", people.set_active, name="set-active"),
]
