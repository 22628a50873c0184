"""What an agent opens during a conversation."""

from django.urls import path

from cases.console.views import (
    agent_check,
    agent_correct,
    agent_find,
    agent_home,
    agent_log,
    agent_questions,
    agent_read_out,
    agent_request,
    agent_text,
    outbox,
)

REQUEST = "requests/<uuid:request_id>/"
CASE = f"{REQUEST}<uuid:case_id>/"

urlpatterns = [
    path("", agent_home.home, name="home"),
    path("log/", agent_log.log, name="log"),
    path("log/who/", agent_log.who, name="log-who"),
    path("log/words/", agent_log.words, name="log-words"),
    path("log/card/", agent_log.is_it_a_request, name="log-card"),
    path("requests/", agent_find.requests, name="requests"),
    path(REQUEST, agent_request.show, name="request"),
    path(f"{REQUEST}read-out/", agent_read_out.read_out, name="read-out"),
    path(f"{REQUEST}check/", agent_check.check, name="call-check"),
    path(f"{REQUEST}text-code/", agent_text.text, name="text-code"),
    path(f"{REQUEST}text-code/send/", agent_text.send, name="text-code-send"),
    path(f"{REQUEST}questions/", agent_questions.questions, name="questions"),
    path(f"{REQUEST}questions/begin/", agent_questions.begin, name="questions-begin"),
    path(f"{REQUEST}letter/", agent_read_out.acknowledgement, name="acknowledgement"),
    path(f"{REQUEST}note/", agent_request.note, name="request-note"),
    path(f"{REQUEST}resend/", agent_request.resend, name="request-resend"),
    path(f"{REQUEST}file/", agent_request.add_file, name="request-file"),
    path(f"{REQUEST}correct/<slug:what>/", agent_correct.correct, name="correct"),
    path(f"{CASE}withdraw/", agent_request.withdraw, name="withdraw"),
    path(f"{CASE}recipients/", agent_request.name_recipients, name="name-recipients"),
    path(f"{CASE}complain/", agent_request.complain, name="complain"),
    path("outbox/", outbox.outbox, name="outbox"),
]
