"""Bring controllers, teams, staff and source systems in line with a file: all of it, or nothing."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import models, transaction
from pydantic import ValidationError as WireWrong

from cases import queries
from cases.collection import order
from cases.connectors import registry
from cases.connectors.base import ConfigurationError
from cases.connectors.dataset import DatasetError
from cases.law import loader as law
from cases.models import Instruction, KeepingRule, Recipient, SourceSystem
from cases.operations.reading import Document, FileWrong, Place, Problem, dotted, read, suggestion
from cases.operations.schema import (
    LOGIN_LEVELS,
    Brand,
    Configuration,
    DrillPerson,
    Facts,
    Hidden,
    Keeping,
    Kept,
    Login,
    Member,
    Portable,
    Provider,
    ProviderSecrets,
    RecipientEntry,
    Reminders,
    SignOn,
    Sms,
    Source,
    Strict,
    TeamEntry,
    validated,
)
from cases.permissions import BY_OPERATOR
from cases.retention import chosen
from cases.workflow import level, recipient_settings, retention, sources
from dsar import env
from dsar.audit.actions import Action
from dsar.audit.record import OPERATOR, Codes, record
from dsar.env import MissingSetting
from dsar.jobs.queue import enqueue
from dsar.lib.tenancy import serve, served, unit_of_work
from dsar.lib.uuid7 import uuid7
from dsar.vault import keyring
from dsar.vault.models import KeyPurpose
from identity import assurance
from identity.access import all_controllers
from identity.models import (
    Controller,
    CustomerLogin,
    IdentityProvider,
    Membership,
    SignOnGroup,
    SignOnProvider,
    SmsGateway,
    Team,
    TeamController,
    User,
)
from identity.policy.form import PolicyEntry
from identity.providers.external import wire
from identity.sms import description

CREATED, UPDATED, UNCHANGED, REMOVED = "created", "updated", "unchanged", "removed"


@dataclass(frozen=True)
class Change:
    """What became of one object. ``fields`` names what changed, never a value."""

    kind: str
    name: str
    what: str
    fields: tuple[str, ...] = ()
    note: str = ""

    def __str__(self) -> str:
        told = f" ({', '.join(self.fields)})" if self.fields and self.what == UPDATED else ""
        return f"{self.what:<9} {self.kind} {self.name}{told}{f': {self.note}' if self.note else ''}"


def apply(
    path: Path, now: datetime, *, dry_run: bool = False, values: Mapping[str, str] | None = None
) -> list[Change]:
    """Apply the file in one transaction and say what became of each object in it.

    What the file does not name stays as it is. ``values`` are known besides the environment's. Raises
    FileWrong, and nothing is changed then.
    """
    document = read(path)
    configuration = validated(document)
    with unit_of_work(all_controllers()):
        work = _Work(document, now, values or {})
        changes = work.reconcile(configuration)
        if work.problems:
            raise FileWrong(work.problems)
        _record_summary(changes, now)
        if dry_run:
            transaction.set_rollback(True)
        return changes


def _record_summary(changes: Sequence[Change], now: datetime) -> None:
    counts: Codes = {
        what: sum(each.what == what for each in changes) for what in (CREATED, UPDATED, UNCHANGED)
    }
    record(Action.CONFIGURATION_APPLIED, OPERATOR, now, data=counts)


@dataclass
class _Work:
    """One application of one file: problems and changes as they are met."""

    document: Document
    now: datetime
    values: Mapping[str, str]
    problems: list[Problem] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)

    def reconcile(self, configuration: Configuration) -> list[Change]:
        for index, brand in enumerate(configuration.controllers):
            self._controller(("controllers", index), brand)
        for index, team in enumerate(configuration.teams):
            self._team(("teams", index), team)
        for index, member in enumerate(configuration.staff):
            self._member(("staff", index), member)
        for index, provider in enumerate(configuration.sign_on):
            self._sign_on(("sign_on", index), provider)
        return self.changes

    # -- controllers -----------------------------------------------------------------------------

    def _controller(self, place: Place, entry: Brand) -> None:
        controller = Controller.objects.filter(slug=entry.slug).first()
        is_new = controller is None
        if controller is None:
            controller = Controller(id=uuid7(), slug=entry.slug, languages=[entry.language])
            serve([*served(), controller.pk])
        changed = self._set(
            controller,
            place,
            _fields_of(
                entry,
                leave_out={
                    "customer_login",
                    "identity_provider",
                    "sms_gateway",
                    "sources",
                    "instruction",
                    "identity",
                    "keeping",
                    "recipients",
                    "retention",
                },
            ),
        )
        if entry.language not in (controller.languages or [entry.language]):
            self._wrong((*place, "languages"), f"it lacks the brand's own language, “{entry.language}”.")
        if not self._save(controller, place, is_new, changed):
            return
        self._note("controller", controller.slug, controller.pk, is_new, changed, controller_id=controller.pk)
        self._versioned(controller, entry)
        if entry.customer_login is not None:
            self._customer_login((*place, "customer_login"), controller, entry.customer_login)
        if entry.identity_provider is not None:
            self._identity_provider((*place, "identity_provider"), controller, entry.identity_provider)
        if entry.sms_gateway is not None:
            self._sms_gateway((*place, "sms_gateway"), controller, entry.sms_gateway)
        self._sources((*place, "sources"), controller, entry.sources)
        for index, recipient in enumerate(entry.recipients):
            self._recipient((*place, "recipients", index), controller, recipient)
        if entry.keeping is not None:
            self._keeping((*place, "keeping"), controller, entry.keeping)

    def _versioned(self, controller: Controller, entry: Brand) -> None:
        """What is never changed, but issued anew."""
        if entry.instruction is not None:
            self._instruct(controller, entry.instruction)
        if entry.identity is not None:
            self._set_policy(controller, entry.identity)
        if entry.retention is not None:
            self._set_periods(controller, entry.retention)

    def _instruct(self, controller: Controller, rules: Mapping[str, str]) -> None:
        """A version is never changed: other rules are a new one."""
        present = queries.instruction_in_force(controller.pk)
        name = f"of {controller.slug}"
        if present is not None and present.rules == rules:
            self.changes.append(Change("instruction", name, UNCHANGED, note=f"version {present.version}"))
            return
        version = present.version + 1 if present else 1
        issued = Instruction.objects.create(
            controller=controller, version=version, rules=dict(rules), issued_at=self.now
        )
        what = UPDATED if present else CREATED
        self.changes.append(Change("instruction", name, what, ("rules",), f"version {version}"))
        codes: Codes = {"instruction": str(issued.pk), "version": version}
        record(Action.INSTRUCTION_ISSUED, OPERATOR, self.now, controller_id=controller.pk, data=codes)

    def _set_policy(self, controller: Controller, entry: PolicyEntry) -> None:
        """As with instructions: other rules are a new version, and cases keep naming the one they came under."""
        present, wanted = assurance.policy_in_force(controller.pk), entry.stored()
        name = f"of {controller.slug}"
        if present is not None and PolicyEntry.model_validate(present.content) == entry:
            note = f"version {present.version}"
            self.changes.append(Change("identity policy", name, UNCHANGED, note=note))
            return
        issued = assurance.issue_policy(controller, wanted, OPERATOR, self.now)
        enqueue(
            level.REFRESH,
            controller_id=controller.pk,
            key=f"levels:{issued.pk}",
            args={"policy": str(issued.pk)},
            now=self.now,
        )
        what = UPDATED if present else CREATED
        self.changes.append(Change("identity policy", name, what, ("rules",), f"version {issued.version}"))

    def _set_periods(self, controller: Controller, entry: Mapping[str, Kept]) -> None:
        """As with instructions: other periods are a new version, and what a file names no more is as usual again."""
        wanted = {code: {"keep": one.keep, "because": one.because.strip()} for code, one in entry.items()}
        present, name = chosen.in_force(controller.pk), f"of {controller.slug}"
        if wanted == (present.content if present else {}):
            note = f"version {present.version}" if present else "as usual"
            self.changes.append(Change("retention", name, UNCHANGED, note=note))
            return
        issued = retention.issue_periods(controller, wanted, BY_OPERATOR, self.now)
        what = UPDATED if present else CREATED
        self.changes.append(Change("retention", name, what, ("periods",), f"version {issued.version}"))

    def _customer_login(self, place: Place, controller: Controller, entry: Login) -> None:
        login = CustomerLogin.objects.filter(controller=controller).first()
        is_new = login is None
        if login is None:
            key = keyring.shared_key(KeyPurpose.CONTROLLER, controller.pk, self.now)
            login = CustomerLogin(controller=controller, key=key)
        wanted = _fields_of(entry, leave_out={"client_secret", "level", "level_by_acr"})
        if is_new or "level" in entry.model_fields_set:
            wanted["level"] = LOGIN_LEVELS[entry.level]
        if "level_by_acr" in entry.model_fields_set:
            wanted["level_by_acr"] = {acr: LOGIN_LEVELS[word] for acr, word in entry.level_by_acr.items()}
        if is_new:
            wanted = {"scopes": entry.scopes} | wanted
        if entry.client_secret is not None:
            wanted["client_secret"] = self._fetched((*place, "client_secret"), entry.client_secret)
        self._check_issuer(place, entry)
        changed = self._set(login, place, wanted)
        if self._save(login, place, is_new, changed):
            self._note(
                "customer login",
                f"of {controller.slug}",
                login.pk,
                is_new,
                changed,
                controller_id=controller.pk,
            )

    def _identity_provider(self, place: Place, controller: Controller, entry: Provider) -> None:
        provider = IdentityProvider.objects.filter(controller=controller).first()
        is_new = provider is None
        if provider is None:
            key = keyring.shared_key(KeyPurpose.CONTROLLER, controller.pk, self.now)
            provider = IdentityProvider(controller=controller, key=key)
        options = self._filled((*place, "options"), entry.options)
        wanted = {
            "name": entry.name,
            "is_active": entry.is_active,
            "options": options,
            "secrets": self._provider_secrets((*place, "secrets"), entry.secrets),
        }
        self._check_form((*place, "options"), options, wire.parsed)
        changed = self._set(provider, place, wanted)
        if self._save(provider, place, is_new, changed):
            self._note(
                "identity provider",
                f"of {controller.slug}",
                provider.pk,
                is_new,
                changed,
                controller_id=controller.pk,
            )

    def _sms_gateway(self, place: Place, controller: Controller, entry: Sms) -> None:
        gateway = SmsGateway.objects.filter(controller=controller).first()
        is_new = gateway is None
        if gateway is None:
            key = keyring.shared_key(KeyPurpose.CONTROLLER, controller.pk, self.now)
            gateway = SmsGateway(controller=controller, key=key)
        options = self._filled((*place, "options"), entry.options)
        wanted: dict[str, Any] = {"is_active": entry.is_active, "options": options}
        if entry.secrets is not None:
            wanted["secrets"] = {"token": self._fetched((*place, "secrets", "token"), entry.secrets.token)}
        self._check_form((*place, "options"), options, description.parsed)
        changed = self._set(gateway, place, wanted)
        if self._save(gateway, place, is_new, changed):
            self._note(
                "sms gateway",
                f"of {controller.slug}",
                gateway.pk,
                is_new,
                changed,
                controller_id=controller.pk,
            )

    def _filled(self, place: Place, options: Mapping[str, Any]) -> dict[str, Any]:
        """The options; what stands at the top of them may be in the environment."""
        return {
            name: self._fetched((*place, name), Hidden.model_validate(value))
            if isinstance(value, dict) and value.keys() in ({"env"}, {"file"})
            else value
            for name, value in options.items()
        }

    def _provider_secrets(self, place: Place, entry: ProviderSecrets) -> dict[str, Any]:
        keys = [
            self._fetched((*place, "webhook_keys", index), key)
            for index, key in enumerate(entry.webhook_keys)
        ]
        return {"token": self._fetched((*place, "token"), entry.token), "webhook_keys": keys}

    def _check_form(
        self, place: Place, options: Mapping[str, Any], parsed: Callable[[Mapping[str, Any]], object]
    ) -> None:
        """The description's own form, told with its place."""
        try:
            parsed(options)
        except WireWrong as error:
            for one in error.errors(include_url=False, include_context=False, include_input=False):
                said = str(one["msg"]).removeprefix("Value error, ")
                self._wrong((*place, *one["loc"]), f"{said.rstrip('.')}.")

    # -- source systems --------------------------------------------------------------------------

    def _source(self, place: Place, controller: Controller, entry: Source) -> None:
        source = SourceSystem.objects.filter(controller=controller, slug=entry.slug).first()
        is_new = source is None
        if source is None:
            key = keyring.shared_key(KeyPurpose.CONTROLLER, controller.pk, self.now)
            source = SourceSystem(controller=controller, slug=entry.slug, key=key)
        plain = _fields_of(
            entry, leave_out={"options", "secrets", "erasing_secrets", "dataset", "test_persons"}
        )
        wanted = plain | self._wanted_of_source(place, controller, entry)
        changed = self._set(source, place, wanted)
        if not self._at(place):
            self._try_out(place, source)
        if self._at(place):
            return
        if is_new:
            source.save(force_insert=True)
        elif changed:
            # How it stands is written by workers meanwhile, and is none of the file's business.
            source.save(update_fields=changed)
            if sources.SPOKEN & set(changed):
                sources.settings_changed(source, self.now)
        self._note(
            "source",
            f"{controller.slug}/{source.slug}",
            source.pk,
            is_new,
            changed,
            controller_id=controller.pk,
            action=Action.SOURCE_CHANGED,
        )

    def _sources(self, place: Place, controller: Controller, entries: Sequence[Source]) -> None:
        for index, source in enumerate(entries):
            self._source((*place, index), controller, source)
        self._check_order(place, controller, entries)

    def _check_order(self, place: Place, controller: Controller, entries: Sequence[Source]) -> None:
        """Of all sources of the brand, those that the file does not name among them."""
        after = dict(SourceSystem.objects.filter(controller=controller).values_list("slug", "erase_after"))
        for index, entry in enumerate(entries):
            for number, slug in enumerate(entry.erase_after):
                if slug not in after:
                    said = f"there is no source “{slug}”.{suggestion(slug, after)}"
                    self._wrong((*place, index, "erase_after", number), said)
        if circle := order.circle(after):
            self._wrong(place, f"these would each have to come first: {' → '.join(circle)}.")

    def _wanted_of_source(self, place: Place, controller: Controller, entry: Source) -> dict[str, Any]:
        """What has to be fetched first: values from the environment, files, keyed hashes."""
        given = entry.model_fields_set
        wanted: dict[str, Any] = {}
        if "options" in given:
            wanted["options"] = {
                name: self._fetched((*place, "options", name), value) for name, value in entry.options.items()
            }
        if "secrets" in given:
            wanted["secrets"] = {
                name: self._fetched((*place, "secrets", name), value) for name, value in entry.secrets.items()
            }
        if "erasing_secrets" in given:
            wanted["erasing_secrets"] = {
                name: self._fetched((*place, "erasing_secrets", name), value)
                for name, value in entry.erasing_secrets.items()
            }
        if entry.dataset is not None:
            wanted["dataset"] = self._text((*place, "dataset"), entry.dataset)
        if "test_persons" in given:
            wanted["test_persons"] = self._hashes((*place, "test_persons"), controller, entry.test_persons)
        return wanted

    def _hashes(self, place: Place, controller: Controller, persons: Sequence[DrillPerson]) -> list[str]:
        found: set[str] = set()
        for index, person in enumerate(persons):
            known = person.model_dump(exclude_none=True)
            hashes = hashes_of(controller, self.now, **known)
            if len(hashes) < len(known) or not known:
                self._wrong((*place, index), "an address or number in it cannot be read.")
            found |= hashes
        return sorted(found)

    def _try_out(self, place: Place, source: SourceSystem) -> None:
        """What the connector says to its settings; nothing is contacted."""
        try:
            registry.build(source.connector, source.options, source.secrets, source.dataset or None).close()
        except DatasetError as error:
            for problem in error.problems:
                self._wrong((*place, "dataset"), str(problem))
        except ConfigurationError as error:
            self._wrong(place, error.params["problem"])

    def _keeping(self, place: Place, controller: Controller, entries: Sequence[Keeping]) -> None:
        """Exactly those of the file: a rule that it does not name ends."""
        named = [entry.slug for entry in entries]
        for rule in KeepingRule.objects.filter(controller=controller).exclude(slug__in=named):
            self.changes.append(Change("keeping rule", f"{controller.slug}/{rule.slug}", REMOVED))
            codes: Codes = {"kind": "keeping rule", "id": str(rule.pk), "what": REMOVED}
            pk = controller.pk
            record(Action.CONFIGURATION_APPLIED, OPERATOR, self.now, controller_id=pk, data=codes)
            rule.delete()
        for index, entry in enumerate(entries):
            self._keeping_rule((*place, index), controller, entry)

    def _keeping_rule(self, place: Place, controller: Controller, entry: Keeping) -> None:
        rule = KeepingRule.objects.filter(controller=controller, slug=entry.slug).first()
        is_new = rule is None
        rule = rule or KeepingRule(controller=controller, slug=entry.slug)
        sources_ = {one.slug: one for one in SourceSystem.objects.filter(controller=controller)}
        if entry.source and entry.source not in sources_:
            said = f"there is no source “{entry.source}”.{suggestion(entry.source, sources_)}"
            self._wrong((*place, "source"), said)
        codes = [one.code for one in law.grounds_for("erasure_exception", controller.regime)]
        if entry.exception and entry.exception not in codes:
            said = f"there is no exception “{entry.exception}”.{suggestion(entry.exception, codes)}"
            self._wrong((*place, "exception"), said)
        wanted = entry.model_dump(exclude={"slug", "source", "category"})
        wanted |= {"source": sources_.get(entry.source or ""), "category": entry.category or ""}
        changed = self._set(rule, place, wanted)
        if self._save(rule, place, is_new, changed):
            name = f"{controller.slug}/{rule.slug}"
            self._note("keeping rule", name, rule.pk, is_new, changed, controller_id=controller.pk)

    # -- recipients ------------------------------------------------------------------------------

    def _recipient(self, place: Place, controller: Controller, entry: RecipientEntry) -> None:
        recipient = Recipient.objects.filter(controller=controller, slug=entry.slug).first()
        is_new = recipient is None
        if recipient is None:
            recipient = recipient_settings.new(controller, self.now)
        wanted = _fields_of(entry, leave_out={"secrets"}) | ({"finds_by": entry.finds_by} if is_new else {})
        if entry.secrets is not None:
            given = {name: getattr(entry.secrets, name) for name in entry.secrets.model_fields_set}
            fetched = {
                name: self._fetched((*place, "secrets", name), value)
                for name, value in given.items()
                if value
            }
            wanted["secrets"] = {**recipient.secrets, **fetched}
        changed = self._set(recipient, place, wanted)
        for problem in recipient_settings.wrong(recipient):
            self._wrong((*place, problem.name), problem.message)
        if self._save(recipient, place, is_new, changed):
            self._note(
                "recipient",
                f"{controller.slug}/{recipient.slug}",
                recipient.pk,
                is_new,
                changed,
                controller_id=controller.pk,
                action=Action.RECIPIENT_CHANGED,
            )

    # -- teams and staff -------------------------------------------------------------------------

    def _team(self, place: Place, entry: TeamEntry) -> None:
        team = Team.objects.filter(name=entry.name).first()
        is_new = team is None
        team = team or Team.objects.create(name=entry.name)
        known = {controller.slug: controller for controller in Controller.objects.all()}
        for index, slug in enumerate(entry.serves):
            if slug not in known:
                self._wrong(
                    (*place, "serves", index), f"there is no controller “{slug}”.{suggestion(slug, known)}"
                )
        wanted = {known[slug].pk for slug in entry.serves if slug in known}
        present = set(TeamController.objects.filter(team=team).values_list("controller_id", flat=True))
        TeamController.objects.filter(team=team, controller_id__in=present - wanted).delete()
        TeamController.objects.bulk_create(
            TeamController(team=team, controller_id=pk) for pk in sorted(wanted - present)
        )
        self._note("team", team.name, team.pk, is_new, ["serves"] if wanted != present else [])

    def _member(self, place: Place, entry: Member) -> None:
        email = entry.email.strip().lower()
        person = User.objects.filter(email__iexact=email).first()
        if person is not None and person.is_principal:
            self._wrong((*place, "email"), "this address belongs to a principal of drills.")
            return
        is_new = person is None
        person = person or User(email=email, password="")
        wanted = {"email": email, "full_name": entry.name}
        changed = self._set(
            person, place, wanted | _chosen(entry, {"language", "is_active"}), {"full_name": "name"}
        )
        changed += self._first_password(place, person, entry.password)
        if not self._save(person, place, is_new, changed):
            return
        if "memberships" in entry.model_fields_set:
            changed += self._memberships(place, person, entry)
        note = "" if person.has_usable_password() else "has no password yet: manage.py invite"
        self._note("staff", email, person.pk, is_new, changed, note=note)

    def _first_password(self, place: Place, person: User, hidden: Hidden | None) -> list[str]:
        """The file's password is the first one: what somebody chose later is theirs."""
        if person.has_usable_password() and person.password:
            return []
        text = self._fetched((*place, "password"), hidden) if hidden else None
        try:
            if text is not None:
                validate_password(text, person)
        except ValidationError as error:
            self._wrong((*place, "password"), " ".join(error.messages))
            return []
        had = bool(person.password)
        person.set_password(text)
        return ["password"] if text is not None or not had else []

    def _memberships(self, place: Place, person: User, entry: Member) -> list[str]:
        """Exactly those of the file: one that it does not name ends."""
        teams = {team.name: team for team in Team.objects.all()}
        wanted: dict[tuple[UUID, str], tuple[list[str], list[str]]] = {}
        for index, held in enumerate(entry.memberships):
            if held.team not in teams:
                said = f"there is no team “{held.team}”.{suggestion(held.team, teams)}"
                self._wrong((*place, "memberships", index, "team"), said)
                continue
            wanted[teams[held.team].pk, held.role] = (sorted(held.extra), sorted(held.withheld))
        present = {
            (held.team_id, held.role): (sorted(held.extra), sorted(held.withheld))
            for held in Membership.objects.filter(user=person, granted_by=None)
        }
        for key in present.keys() - wanted.keys():
            Membership.objects.filter(user=person, team_id=key[0], role=key[1], granted_by=None).delete()
        for key, (extra, withheld) in wanted.items():
            if present.get(key) != (extra, withheld):
                Membership.objects.update_or_create(
                    user=person,
                    team_id=key[0],
                    role=key[1],
                    defaults={"extra": extra, "withheld": withheld, "granted_by": None},
                )
        return ["memberships"] if wanted != present else []

    # -- single sign-on --------------------------------------------------------------------------

    def _sign_on(self, place: Place, entry: SignOn) -> None:
        provider = SignOnProvider.objects.filter(slug=entry.slug).first()
        is_new = provider is None
        if provider is None:
            key = keyring.shared_key(KeyPurpose.STAFF, None, self.now)
            provider = SignOnProvider(slug=entry.slug, key=key)
        wanted = _fields_of(entry, leave_out={"client_secret", "second_factor", "groups"})
        if is_new:
            wanted = {"scopes": entry.scopes} | wanted
        if "second_factor" in entry.model_fields_set:
            wanted["second_factor_acr"] = entry.second_factor.acr
            wanted["second_factor_amr"] = entry.second_factor.amr
        if entry.client_secret is not None:
            wanted["client_secret"] = self._fetched((*place, "client_secret"), entry.client_secret)
        self._check_issuer(place, entry)
        changed = self._set(provider, place, wanted)
        if not self._save(provider, place, is_new, changed):
            return
        if "groups" in entry.model_fields_set:
            changed += self._groups(place, provider, entry)
        self._note("sign_on", provider.slug, provider.pk, is_new, changed)

    def _check_issuer(self, place: Place, entry: SignOn | Login) -> None:
        if not entry.issuer.startswith("https://") and not entry.allow_private:
            self._wrong((*place, "issuer"), "it must be https, but for a private network (allow_private).")

    def _groups(self, place: Place, provider: SignOnProvider, entry: SignOn) -> list[str]:
        """Exactly those of the file; who is in a group that it does not name loses its role at the next sign-in."""
        teams = {team.name: team for team in Team.objects.all()}
        wanted: dict[tuple[str, UUID, str], tuple[list[str], list[str]]] = {}
        for index, one in enumerate(entry.groups):
            if one.team not in teams:
                said = f"there is no team “{one.team}”.{suggestion(one.team, teams)}"
                self._wrong((*place, "groups", index, "team"), said)
                continue
            wanted[one.group, teams[one.team].pk, one.role] = (sorted(one.extra), sorted(one.withheld))
        present = {
            (one.group, one.team_id, one.role): (sorted(one.extra), sorted(one.withheld))
            for one in provider.groups.all()
        }
        if wanted == present:
            return []
        provider.groups.all().delete()
        SignOnGroup.objects.bulk_create(
            SignOnGroup(
                provider=provider, group=group, team_id=team, role=role, extra=extra, withheld=withheld
            )
            for (group, team, role), (extra, withheld) in wanted.items()
        )
        return ["groups"]

    # -- what they share -------------------------------------------------------------------------

    def _set(
        self,
        row: models.Model,
        place: Place,
        wanted: Mapping[str, Any],
        named: Mapping[str, str] | None = None,
    ) -> list[str]:
        """Set what differs, and return the names of it. The model's own rules are checked on the way."""
        changed = [name for name, value in wanted.items() if getattr(row, name) != value]
        for name in changed:
            setattr(row, name, wanted[name])
        others = {each.name for each in row._meta.fields} - wanted.keys()
        try:
            row.clean_fields(exclude={*others, *_NOT_CLEANED})
        except ValidationError as error:
            for name, messages in error.message_dict.items():
                self._wrong((*place, (named or {}).get(name, name)), " ".join(messages))
        return changed

    def _save(self, row: models.Model, place: Place, is_new: bool, changed: Sequence[str]) -> bool:
        """Save what is right; False where something is wrong, so that what hangs on it is left alone."""
        if self._at(place):
            return False
        if is_new or changed:
            row.save(force_insert=is_new)
        return True

    def _note(
        self,
        kind: str,
        name: str,
        pk: UUID,
        is_new: bool,
        changed: Iterable[str],
        *,
        controller_id: UUID | None = None,
        action: Action = Action.CONFIGURATION_APPLIED,
        note: str = "",
    ) -> None:
        fields = tuple(dict.fromkeys(changed))
        what = CREATED if is_new else UPDATED if fields else UNCHANGED
        self.changes.append(Change(kind, name, what, fields, note))
        if what != UNCHANGED:
            codes: Codes = {"kind": kind, "id": str(pk), "what": what, "fields": list(fields)}
            record(action, OPERATOR, self.now, controller_id=controller_id, data=codes)

    def _fetched(self, place: Place, value: Any) -> Any:
        """A value of the file, or what the environment or another file holds for it."""
        if not isinstance(value, Hidden):
            return value
        if value.env is None:
            return self._text(place, str(value.file)).strip()
        try:
            return self.values.get(value.env) or env.text(value.env)
        except MissingSetting as missing:
            self._wrong(place, str(missing))
            return ""

    def _text(self, place: Place, name: str) -> str:
        """The content of a file, found from where the configuration lies."""
        try:
            return (self.document.path.parent / name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is not text"
            self._wrong(place, f"the file {name} cannot be read: {why}.")
            return ""

    def _wrong(self, place: Place, message: str) -> None:
        self.problems.append(self.document.problem(place, message))

    def _at(self, place: Place) -> list[Problem]:
        return [problem for problem in self.problems if problem.place.startswith(dotted(place))]


# Sealed or structured: the file's form was checked by its schema, and Django knows nothing better of them.
_NOT_CLEANED = {
    "secrets",
    "erasing_secrets",
    "erase_after",
    "parts",
    "strategies",
    "options",
    "facts",
    "portable",
    "statement",
    "data_kinds",
    "test_persons",
    "dataset",
    "languages",
    "issuer",
    "client_secret",
}


def hashes_of(controller: Controller, now: datetime, **known: str) -> set[str]:
    """Keyed hashes of what a person is known by, as a source keeps those of its test persons."""
    return {f"{kind}:{blind.hex()}" for kind, blind in queries.blind_identifiers(controller, now, **known)}


def _fields_of(entry: Strict, leave_out: set[str]) -> dict[str, Any]:
    return {name: _plain(getattr(entry, name)) for name in entry.model_fields_set if name not in leave_out}


def _chosen(entry: Strict, names: set[str]) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in names & entry.model_fields_set}


def _plain(value: Any) -> Any:
    return value.model_dump(exclude_unset=True) if isinstance(value, Facts | Portable | Reminders) else value
