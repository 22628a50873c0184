"""The staff's own doors."""

from django.urls import path

from identity.views import (
    account,
    emergency,
    invitation,
    passkeys,
    people,
    policy,
    provider,
    second_factor,
    session,
    sign_on,
    signing_in,
)

app_name = "identity"

urlpatterns = [
    path("sign-in/", signing_in.sign_in, name="sign-in"),
    path("sign-in/passkey/", signing_in.sign_in_with_passkey, name="sign-in-passkey"),
    path("sign-on/<slug:slug>/", sign_on.sign_on, name="sign-on"),
    path("sign-on/<slug:slug>/back/", sign_on.back, name="sign-on-back"),
    path("sign-out/", signing_in.sign_out, name="sign-out"),
    path("invitation/", invitation.accept_invitation, name="accept-invitation"),
    path("invitation/<str:token>/", invitation.open_invitation, name="invitation"),
    path("second-factor/", second_factor.second_factor, name="second-factor"),
    path("second-factor/passkey/", second_factor.second_factor_passkey, name="second-factor-passkey"),
    path("recovery-code/", second_factor.recovery_code, name="recovery-code"),
    path("enrolment/", second_factor.enrolment, name="enrolment"),
    path("enrolment/passkey/", second_factor.passkey_enrolment, name="passkey-enrolment"),
    path("policies/", policy.policies, name="policies"),
    path("identity-providers/", provider.providers, name="providers"),
    path("identity-providers/<uuid:provider_id>/try/", provider.try_provider, name="try-provider"),
    path("account/", account.account, name="account"),
    path("account/passkeys/new/", passkeys.new_passkey, name="new-passkey"),
    path("account/passkeys/<int:passkey_id>/", passkeys.passkey, name="passkey"),
    path("account/passkeys/<int:passkey_id>/remove/", passkeys.remove_passkey, name="remove-passkey"),
    path("account/app/remove/", passkeys.remove_app, name="remove-app"),
    path("account/password/", account.password, name="password"),
    path("account/recovery-codes/", account.recovery_codes, name="recovery-codes"),
    path("account/new-app/", account.new_app, name="new-app"),
    path("account/sign-on/<slug:slug>/link/", sign_on.link, name="sign-on-link"),
    path("account/sign-on/<slug:slug>/unlink/", sign_on.unlink, name="sign-on-unlink"),
    path("account/sign-on/<slug:slug>/confirm/", sign_on.confirm, name="sign-on-confirm"),
    path("account/sessions/end/", session.end_session, name="end-session"),
    path("account/sessions/end-others/", session.end_other_sessions, name="end-other-sessions"),
    path("emergency/", emergency.emergency, name="emergency"),
    path("emergency/<uuid:emergency_id>/end/", emergency.end, name="end-emergency"),
    path("emergency/<uuid:emergency_id>/seen/", emergency.seen, name="see-emergency"),
    path("people/", people.people, name="people"),
    path("people/<uuid:person_id>/", people.person, name="person"),
    path("people/<uuid:person_id>/sign-out/", people.sign_out_person, name="sign-out-person"),
    path("people/<uuid:person_id>/active/", people.set_active, name="set-active"),
]
