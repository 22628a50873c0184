"""Deciding item by item, or group by group, and adding what a person found by hand."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from cases import corrections
from cases.law import loader as law
from cases.models import Case, Item, ItemDecision, Treatment
from cases.permissions import By
from cases.words import DISCLOSING, Right, State
from cases.workflow import plan
from cases.workflow.intake import Upload
from cases.workflow.perform import act, put_on_record, touch
from dsar.audit.actions import Action
from dsar.lib import crypto
from dsar.lib.errors import Refused
from dsar.vault import files, keyring
from identity.roles import Permission


@dataclass(frozen=True)
class Choice:
    """What is decided, and under which code. ``silent`` where the law forbids saying that it was withheld."""

    decision: ItemDecision
    exemption: str = ""
    silent: bool = False


@dataclass(frozen=True)
class Selection:
    """Some items by id, or a whole group; ``only_undecided`` leaves decided ones as they are."""

    ids: Sequence[UUID] = ()
    source_id: UUID | None = None
    collection: str = ""
    only_undecided: bool = False


def decide(
    case: Case, selection: Selection, choice: Choice, by: By, now: datetime, *, version: int | None = None
) -> int:
    """Decide about the selected items; returns how many. Raises Refused for a code that the law has not."""
    with transaction.atomic():
        case = _in_review(case, by, now, version)
        if corrections.is_by_value(case):
            raise Refused(_("This case is decided value by value: see its corrections."), "by_value")
        _check(case, choice)
        chosen = _opened(_selected(case, selection), selection, choice)
        _follow(case, chosen, choice, by, now)
        changed: int = chosen.update(
            decision=choice.decision,
            exemption=choice.exemption if choice.decision in _UNDER_A_CODE else "",
            is_silent=choice.silent,
            redactions=None,
            decided_by=by.person_id,
            decided_at=now,
        )
        touch(case)
        codes: dict[str, str | int] = {
            "decision": choice.decision,
            "exemption": choice.exemption,
            "count": changed,
        }
        put_on_record(
            case, Action.ITEMS_DECIDED, by, now, codes | ({"silent": True} if choice.silent else {})
        )
        return changed


def redact(
    item: Item, redactions: Mapping[str, Any], by: By, now: datetime, *, version: int | None = None
) -> None:
    """Disclose an item without some fields or passages, each under its exemption."""
    with transaction.atomic():
        case = _in_review(item.case, by, now, version)
        locked = Item.objects.select_for_update().get(pk=item.pk, case=case)
        locked.case = case
        if locked.file_id is not None:
            raise Refused(_("A file is disclosed or withheld as a whole."), "file_is_whole")
        marks = [*redactions.get("fields", []), *redactions.get("passages", [])]
        if not marks:
            raise Refused(_("Mark at least one field or passage."), "nothing_marked")
        for mark in marks:
            _may_be_marked(case, mark["code"])
        locked.decision, locked.exemption, locked.is_silent = ItemDecision.REDACT, "", False
        locked.redactions = dict(redactions)
        locked.decided_by_id, locked.decided_at = by.person_id, now
        locked.save(
            update_fields=["decision", "exemption", "is_silent", "redactions", "decided_by", "decided_at"]
        )
        touch(case)
        put_on_record(
            case,
            Action.ITEMS_DECIDED,
            by,
            now,
            {"decision": "redact", "marks": len(marks), "item": str(item.pk)},
        )


def add_item(case: Case, title: str, text: str, upload: Upload | None, by: By, now: datetime) -> Item:
    """Add by hand what no source gave: a scan, a recording, a note of what a colleague found."""
    with transaction.atomic():
        case = _in_review(case, by, now, None)
        if not title.strip() or not (text.strip() or upload):
            raise Refused(_("Give a title, and a file or a text."), "item_incomplete")
        item = Item(controller_id=case.controller_id, case=case, collection="added_by_hand")
        item.content = {
            "ref": str(item.pk),
            "data": {"title": title.strip(), "text": text.strip()},
            "via": ["staff"],
        }
        key = keyring.key(case.collected_key_id)
        item.ref_hash = crypto.blind(key, f"hand|{item.pk}")
        item.content_hash = hashlib.sha256(item.pk.bytes).digest()
        item.number = case.items.filter(source=None).count()
        item.decided_by_id = by.person_id
        if upload:
            item.file = files.store(
                upload.chunks,
                key_id=case.collected_key_id,
                controller_id=case.controller_id,
                name=upload.name,
                media_type=upload.media_type,
                now=now,
            )
        item.save()
        touch(case)
        put_on_record(case, Action.ITEM_ADDED, by, now, {"item": str(item.pk), "file": upload is not None})
        return item


def decide_by_rules(case: Case, by: By, now: datetime) -> int:
    """What the rules alone say: one's own data goes out (or is erased or corrected), others' stays withheld.

    Where there is a plan, what its rules propose.
    """
    if plan.live(case) is not None and case.right == Right.ERASURE:
        return plan.accept(case, plan.Lines(everything=True), by, now)
    decision = ItemDecision.DISCLOSE if case.right in DISCLOSING else ItemDecision.ACT
    return decide(case, Selection(only_undecided=True), Choice(decision), by, now)


_UNDER_A_CODE = (ItemDecision.WITHHOLD, ItemDecision.KEEP)


def _follow(case: Case, chosen: Any, choice: Choice, by: By, now: datetime) -> None:
    """The plan of an erasure says the same of a record as the record itself."""
    if case.right == Right.ERASURE and plan.live(case) is not None:
        kept = choice.decision in _UNDER_A_CODE
        wanted = plan.Treat(Treatment.KEEP if kept else Treatment.DELETE, choice.exemption if kept else "")
        plan.follow(case, list(chosen.values_list("pk", flat=True)), wanted, by, now)


def _in_review(case: Case, by: By, now: datetime, version: int | None) -> Case:
    case = act(case, Permission.WORK, by, now, version=version, name="decide_items")
    if case.state != State.REVIEW:
        raise Refused(_("Items are decided while the case is in review."), "not_in_review")
    return case


def _check(case: Case, choice: Choice) -> None:
    if choice.decision not in _CHOICES[case.right in DISCLOSING]:
        raise Refused(_("This cannot be decided about a record of such a case."), "wrong_decision")
    if choice.silent and choice.decision != ItemDecision.WITHHOLD:
        raise Refused(_("Only what is withheld can be silent."), "not_withheld")
    if choice.decision == ItemDecision.WITHHOLD:
        silence = _known(case, choice.exemption)
        if choice.silent and silence == "never":
            raise Refused(
                _("This exemption does not allow hiding that something was withheld."), "not_silent"
            )
        if not choice.silent and silence == "must":
            raise Refused(
                _("This exemption forbids saying that something was withheld: mark it as silent."), "silent"
            )
    kept = choice.decision == ItemDecision.KEEP
    if kept and choice.exemption not in {ground.code for ground in kept_under(case)}:
        raise Refused(_("Choose the exception under which this is kept."), "exception_missing")


# What is disclosed is marked by ``redact``; anything else would drop a record from the answer without a reason.
_CHOICES = {
    True: (ItemDecision.DISCLOSE, ItemDecision.WITHHOLD),
    False: (ItemDecision.ACT, ItemDecision.KEEP, ItemDecision.WITHHOLD),
}


def kept_under(case: Case) -> tuple[law.Ground, ...]:
    """The picklist for what stays as it is: exceptions to erasure, refusals to correct, and so on."""
    kinds: dict[str, law.GroundKind] = {
        "erasure": "erasure_exception",
        "rectification": "rectification_outcome",
        "objection": "objection_exception",
        "automated": "automated_exception",
    }
    return law.grounds_for(kinds.get(case.right, "refusal"), case.regime)


def _may_be_marked(case: Case, code: str) -> None:
    """A mark stands in the answer with its code, and is counted there."""
    if _known(case, code) == "must":
        raise Refused(
            _(
                "This exemption forbids saying that something was withheld: withhold the whole record in silence."
            ),
            "silent",
        )


def _known(case: Case, code: str) -> str:
    try:
        return law.exemption(code, case.regime).silence
    except law.UnknownLaw:
        raise Refused(_("Choose an exemption from the list."), "exemption_missing") from None


def _opened(chosen: Any, selection: Selection, choice: Choice) -> Any:
    """A whole group never opens what is withheld or redacted for another person: that is done item by item."""
    if selection.ids or choice.decision not in _OPENING:
        return chosen
    return chosen.exclude(decision=ItemDecision.REDACT).exclude(is_third_party=True)


_OPENING = (ItemDecision.DISCLOSE, ItemDecision.ACT)


def _selected(case: Case, selection: Selection) -> Any:
    items = case.items.all()
    if selection.ids:
        items = items.filter(pk__in=selection.ids)
    elif selection.collection:
        items = items.filter(source_id=selection.source_id, collection=selection.collection)
    elif not selection.only_undecided:
        raise Refused(_("Choose the items first."), "nothing_selected")
    return items.filter(decision=ItemDecision.UNDECIDED) if selection.only_undecided else items
