"""The handler's desk: queue, case, review."""

from django.urls import URLPattern, path

from cases.console.views import (
    desk_act,
    desk_case,
    desk_close,
    desk_files,
    desk_item,
    desk_queue,
    desk_review,
)

CASE = "cases/<uuid:case_id>/"

urlpatterns: list[URLPattern] = [
    path("queue/", desk_queue.queue, name="queue"),
    path("absence/", desk_queue.absence, name="absence"),
    path(CASE, desk_case.case, name="case"),
    path(f"{CASE}sources/", desk_case.sources, name="sources"),
    path(f"{CASE}do/<slug:name>/", desk_act.act, name="act"),
    path(f"{CASE}do/<slug:name>/<uuid:target_id>/", desk_act.act, name="act-on"),
    path(f"{CASE}close/", desk_close.close, name="close"),
    path(f"{CASE}review/", desk_review.review, name="review"),
    path(f"{CASE}review/decide/", desk_review.decide_items, name="decide-items"),
    path(f"{CASE}review/add/", desk_item.add, name="add-item"),
    path(f"{CASE}review/submit/", desk_close.submit, name="submit"),
    path(f"{CASE}items/<uuid:item_id>/", desk_item.item, name="item"),
    path(f"{CASE}items/<uuid:item_id>/redact/", desk_item.redact, name="redact"),
    path(f"{CASE}items/<uuid:item_id>/file/", desk_files.item_file, name="item-file"),
    path(f"{CASE}letters/<uuid:letter_id>/", desk_files.letter, name="letter"),
    path(f"{CASE}files/<uuid:file_id>/", desk_files.request_file, name="case-file"),
    path(f"{CASE}pack/<uuid:file_id>/", desk_files.pack_file, name="pack-file"),
]
