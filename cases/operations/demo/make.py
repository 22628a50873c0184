"""Makes the demonstration; as often as one likes, and only what is not there yet."""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.utils import timezone

from cases.models import Case, SubjectRequest
from cases.operations.apply import apply
from cases.operations.demo import crm, help_desk, people, words
from cases.operations.demo.people import Customer, Tongue
from cases.operations.demo.stage import Stage, play
from cases.operations.demo.stories import Scene, scenes
from cases.workflow import reminders
from dsar import env
from dsar.lib.tenancy import unit_of_work
from dsar.vault import keyring
from dsar.vault.models import KeyPurpose
from identity.access import all_controllers
from identity.models import Controller, TotpDevice, User
from identity.providers.external.simulator import service as simulator

FILE = Path(__file__).parent / "desk.yaml"
TONGUES: Mapping[str, Tongue] = {"meridian": people.ENGLISH, "nordlicht": people.GERMAN}
PASSWORD = "the demonstration desk"  # noqa: S105  Known to everybody, which is why it takes DSAR_DEMO.
TOTP_SECRET = "64656d6f6e7374726174696f6e206f6e6c792121"  # noqa: S105  "demonstration only!!"
IN_THE_CHAT = 400
IN_THE_CRM = "meridian"

CAST: Mapping[str, Mapping[str, str]] = {
    "meridian": {"agent": "amy@desk.example", "reviewer": "rhys@meridian.example"},
    "nordlicht": {"agent": "lena@desk.example", "reviewer": "rieke@nordlicht.example"},
}
HANDLERS = ("hanna@desk.example", "tom@desk.example")
DPO = "dana@desk.example"


@dataclass(frozen=True)
class Made:
    """What the demonstration holds now, and how long it took to make, in seconds."""

    requests: int
    cases: int
    by_state: Mapping[str, int]
    by_outcome: Mapping[str, int]
    customers: Mapping[str, int]
    seconds: float


def make(told: Callable[[str], None] = lambda _line: None) -> Made:
    """Make customers' databases, configuration, staff and cases."""
    with help_desk.help_desk() as address:
        return _make(address, told)


def _make(address: str, told: Callable[[str], None]) -> Made:
    started, now = time.monotonic(), timezone.now()
    customers = {slug: people.customers(tongue, now.date()) for slug, tongue in TONGUES.items()}
    told("customer databases")
    values = {**_values(customers, now), "DEMO_CRM_URL": address, "DEMO_CRM_KEY": help_desk.KEY}
    known = customers[IN_THE_CRM][:IN_THE_CHAT:2]
    help_desk.fill(address, known, words.CHAT_AGENT[IN_THE_CRM], now.date())
    apply(FILE, now, values=values)
    with unit_of_work(all_controllers()):
        _second_factors(now)
        stages = [_stage(slug, customers[slug], values, now) for slug in TONGUES]
    told("requests and cases")
    play((scene.stage, tale(scene)) for stage in stages for scene, tale in scenes(stage) if _is_new(scene))
    _remind(stages, now)
    with unit_of_work([stage.controller.pk for stage in stages]):
        return _made(customers, time.monotonic() - started)


def _remind(stages: Iterable[Stage], now: datetime) -> None:
    """What staff would have been told of by the last noon; nothing is told twice."""
    noon = now.replace(hour=12, minute=0) - timedelta(days=now.hour < 12)
    for stage in stages:
        with unit_of_work([stage.controller.pk]):
            reminders.remind(stage.controller.pk, noon)


def _values(customers: Mapping[str, Sequence[Customer]], now: datetime) -> dict[str, str]:
    """What desk.yaml asks the environment for."""
    values = {
        "DEMO_PASSWORD": PASSWORD,
        "DEMO_CHAT_TOKEN": crm.chat_token(),
        "DEMO_SIMULATOR_URL": env.text("DSAR_SIMULATOR_URL", "http://127.0.0.1:8090"),
        "DEMO_SIMULATOR_TOKEN": simulator.TOKEN,
        "DEMO_SIMULATOR_KEY": simulator.KEY,
    }
    for slug, tongue in TONGUES.items():
        values |= crm.prepare(slug, tongue, customers[slug], now.date()).values(slug)
        if slug == IN_THE_CRM:
            continue
        greeting = words.SAID[slug]["greeting"][0]
        archive = crm.chat(customers[slug][:IN_THE_CHAT:2], greeting, words.CHAT_AGENT[slug])
        values[f"DEMO_{slug.upper()}_CHAT"] = archive
    return values


def _stage(slug: str, customers: Sequence[Customer], values: Mapping[str, str], now: datetime) -> Stage:
    controller = Controller.objects.get(slug=slug)

    def fail_chat(fails: bool) -> None:
        """The archive's token changes, or the help desk moves; a while later an operator states it here."""
        moved = (
            {"DEMO_CHAT_TOKEN": "expired", "DEMO_CRM_URL": f"{values['DEMO_CRM_URL']}/old"} if fails else {}
        )
        apply(FILE, timezone.now(), values={**values, **moved})

    return Stage(
        controller=controller,
        agent=_member(CAST[slug]["agent"]),
        handlers=[_member(email) for email in HANDLERS],
        dpo=_member(DPO),
        reviewer=_member(CAST[slug]["reviewer"]),
        people=customers,
        today=now,
        fail_chat=fail_chat,
        draw=random.Random(TONGUES[slug].seed),  # noqa: S311  Times of day are no secret.
    )


def _member(email: str) -> User:
    return User.objects.get(email=email)


def _second_factors(now: datetime) -> None:
    """Everybody has the same authenticator secret, which demo_code reads out."""
    key = keyring.shared_key(KeyPurpose.STAFF, None, now)
    for person in User.objects.filter(is_principal=False, is_active=True):
        if not TotpDevice.objects.filter(user=person).exists():
            TotpDevice.objects.create(user=person, key=key, secret=TOTP_SECRET, confirmed=True, name="app")


def _is_new(scene: Scene) -> bool:
    with unit_of_work([scene.stage.controller.pk]):
        return not SubjectRequest.objects.filter(submission=scene.submission).exists()


def _made(customers: Mapping[str, Sequence[Customer]], seconds: float) -> Made:
    cases = list(Case.objects.counted().values_list("state", "outcome"))
    return Made(
        requests=SubjectRequest.objects.filter(is_drill=False).count(),
        cases=len(cases),
        by_state=dict(sorted(Counter(state for state, _outcome in cases).items())),
        by_outcome=dict(sorted(Counter(outcome for _state, outcome in cases if outcome).items())),
        customers={slug: len(held) for slug, held in customers.items()},
        seconds=round(seconds, 1),
    )
