"""The customer's pages, below ``/p/<brand>/``."""

from django.urls import path

from cases.portal.views import (
    ask,
    authority,
    brand,
    corrections,
    document,
    enter,
    external,
    inquiry,
    login,
    mine,
    pack,
    questions,
)

app_name = "portal"

urlpatterns = [
    path("", brand.home, name="home"),
    path("theme.css", brand.theme, name="theme"),
    path("language/", brand.language, name="language"),
    path("ask/", ask.ask, name="ask"),
    path("asked/<str:receipt>/", ask.asked, name="asked"),
    path("follow/", enter.enter, name="enter"),
    path("r/<str:token>/", enter.follow, name="follow"),
    path("code/", enter.code, name="code"),
    path("code/again/", enter.resend, name="resend"),
    path("code/text/", enter.text, name="text"),
    path("leave/", enter.leave, name="leave"),
    path("request/", mine.mine, name="mine"),
    path("request/prove/", mine.prove, name="prove"),
    path("request/prove/text/", mine.prove_by_text, name="prove-text"),
    path("request/questions/", questions.questions, name="questions"),
    path("request/questions/begin/", questions.begin, name="questions-begin"),
    path("request/login/", login.login, name="login"),
    path("request/login/back/", login.back, name="login-back"),
    path("request/message/", mine.message, name="message"),
    path("request/authority/", authority.authority, name="authority"),
    path("request/document/", document.document, name="document"),
    path("request/check/", external.external, name="external"),
    path("request/check/back/", external.back, name="external-back"),
    path("provider/messages/", external.message, name="external-message"),
    path("request/<uuid:case_id>/corrections/", corrections.corrections, name="corrections"),
    path("request/<uuid:case_id>/withdraw/", mine.withdraw, name="withdraw"),
    path("request/<uuid:case_id>/recipients/", mine.recipients, name="recipients"),
    path("request/<uuid:case_id>/complain/", mine.complain, name="complain"),
    path("answer/<uuid:delivery_id>/", pack.pack, name="pack"),
    path("answer/<uuid:delivery_id>/code/", pack.send, name="pack-code"),
    path("answer/<uuid:delivery_id>/fetch/", pack.fetch, name="pack-fetch"),
    path("source/", inquiry.inquiry, name="inquiry"),
    path("source/<str:token>/", inquiry.open_link, name="inquiry-open"),
    path("<path:rest>", brand.missing, name="missing"),
]
