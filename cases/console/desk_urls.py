"""The handler's desk: queue, case, review."""

from django.urls import URLPattern, path

from cases.console.views import (
    calendar_feed,
    desk_act,
    desk_authority,
    desk_case,
    desk_clock,
    desk_close,
    desk_document,
    desk_doubts,
    desk_extend,
    desk_fields,
    desk_files,
    desk_item,
    desk_queue,
    desk_reminders,
    desk_review,
)

CASE = "cases/<uuid:case_id>/"

urlpatterns: list[URLPattern] = [
    path("queue/", desk_queue.queue, name="queue"),
    path("absence/", desk_queue.absence, name="absence"),
    path("reminders/", desk_reminders.reminder_list, name="reminders"),
    path("reminders/put-aside/", desk_reminders.put_aside, name="put-aside"),
    path("calendar-feed/", calendar_feed.calendar_feed, name="calendar-feed"),
    path("calendar-feed/close/", calendar_feed.close_calendar_feed, name="close-calendar-feed"),
    path("calendar/<str:token>/due.ics", calendar_feed.feed, name="due-calendar"),
    path(CASE, desk_case.case, name="case"),
    path(f"{CASE}clock/", desk_clock.clock, name="clock"),
    path(f"{CASE}clock/add/", desk_clock.add, name="clock-add"),
    path(f"{CASE}clock/<uuid:event_id>/correct/", desk_clock.correct, name="clock-correct"),
    path(f"{CASE}clock/<uuid:event_id>/remove/", desk_clock.remove, name="clock-remove"),
    path(f"{CASE}sources/", desk_case.sources, name="sources"),
    path(f"{CASE}do/<slug:name>/", desk_act.act, name="act"),
    path(f"{CASE}do/<slug:name>/<uuid:target_id>/", desk_act.act, name="act-on"),
    path(f"{CASE}close/", desk_close.close, name="close"),
    path(f"{CASE}extend/", desk_extend.extend, name="extend"),
    path(f"{CASE}doubts/", desk_doubts.doubts, name="doubts"),
    path(f"{CASE}fields/", desk_fields.fields, name="fields"),
    path(f"{CASE}review/", desk_review.review, name="review"),
    path(f"{CASE}review/decide/", desk_review.decide_items, name="decide-items"),
    path(f"{CASE}review/add/", desk_item.add, name="add-item"),
    path(f"{CASE}review/submit/", desk_close.submit, name="submit"),
    path(f"{CASE}items/<uuid:item_id>/", desk_item.item, name="item"),
    path(f"{CASE}items/<uuid:item_id>/redact/", desk_item.redact, name="redact"),
    path(f"{CASE}items/<uuid:item_id>/file/", desk_files.item_file, name="item-file"),
    path(f"{CASE}authority/", desk_authority.authority_of, name="authority"),
    path(f"{CASE}authority/<slug:act>/", desk_authority.authority_of, name="authority-act"),
    path(
        f"{CASE}authority/<uuid:authority_id>/pictures/<uuid:picture_id>/",
        desk_authority.picture,
        name="authority-picture",
    ),
    path(f"{CASE}documents/<uuid:document_id>/", desk_document.document, name="document"),
    path(f"{CASE}documents/<uuid:document_id>/<slug:act>/", desk_document.document, name="document-act"),
    path(
        f"{CASE}documents/<uuid:document_id>/pictures/<uuid:picture_id>/",
        desk_document.picture,
        name="document-picture",
    ),
    path(f"{CASE}letters/<uuid:letter_id>/", desk_files.letter, name="letter"),
    path(f"{CASE}files/<uuid:file_id>/", desk_files.request_file, name="case-file"),
    path(f"{CASE}pack/<uuid:file_id>/", desk_files.pack_file, name="pack-file"),
]
