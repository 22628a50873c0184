"""Speaks Odoo's JSON-2: one POST for each method of a model, with named arguments and a bearer key."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from cases.connectors.base import (
    JSON,
    ConfigurationError,
    ContractBroken,
    PermissionDenied,
    Setup,
    Transient,
)
from cases.connectors.options import Settings
from cases.connectors.web import Answer, Meaning, Web, refused

Domain: TypeAlias = list[Any]
Row: TypeAlias = Mapping[str, Any]

ROUTE = "/json/2/{model}/{method}"
# Archived records hide from every search that does not ask for them.
CONTEXT: Mapping[str, JSON] = {"active_test": False, "lang": "en_US"}
# What is changed is not tracked, as that would keep the old value, and nobody is written to about it.
WRITING: Mapping[str, JSON] = {
    "lang": "en_US",
    "tracking_disable": True,
    "mail_notrack": True,
    "no_mail_to_attendees": True,
    "dont_notify": True,
}
DESCRIBED = ("type", "readonly", "required", "selection", "depends")
MOST_LISTED = 100_000  # ids of the person's records of one model
# What Python raises where Odoo was asked for something that it does not have.
_MISTAKES = frozenset(
    {"builtins.ValueError", "builtins.KeyError", "builtins.TypeError", "builtins.AttributeError"}
)


def _denied(answer: Answer) -> PermissionDenied:
    return PermissionDenied(what=answer.request)


def _mistake(answer: Answer) -> ContractBroken:
    return ContractBroken(what=f"an error of Odoo's own in answer to {answer.request}")


def _not_there(_answer: Answer) -> ConfigurationError:
    return ConfigurationError("there is no Odoo 19 or newer with this database at the address.")


MEANINGS = (
    Meaning(_denied, [403]),
    # Somebody else holds the record just now; it is not that it was changed.
    Meaning(lambda _answer: Transient(), [409]),
    # A refusal that offers another way stands as an error of the server's.
    Meaning(refused, [500], "name", {"odoo.exceptions.RedirectWarning"}),
    Meaning(_mistake, [500], "name", _MISTAKES),
)


class Odoo:
    """One database of one Odoo."""

    def __init__(self, settings: Settings, setup: Setup) -> None:
        self.address = settings.text("base_url")
        self.database = settings.text("database")
        headers = {"Authorization": f"bearer {settings.secret('api_key')}"}
        if self.database:
            headers["X-Odoo-Database"] = self.database
        self._web = Web.of(settings, setup, headers=headers, meanings=MEANINGS)

    def ask(self, model: str, method: str, **arguments: Any) -> Any:
        """Call a method that changes nothing."""
        return self._web.read("POST", _route(model, method), json=_body(arguments)).data

    def tell(self, model: str, method: str, ids: Sequence[int], **arguments: Any) -> Answer:
        """Call a method that changes records; once. That some are gone, or a refusal in words, is an answer."""
        body = {"context": dict(WRITING), "ids": [*ids], **arguments}
        return self._web.write("POST", _route(model, method), json=body, accept=(404, 422))

    def version(self) -> str:
        """Return the version, which Odoo tells everybody. Raises ConfigurationError where there is no Odoo."""
        answer = self._web.read("GET", "/web/version", accept=(401, 403, 404))
        said = answer.at("version")
        if not isinstance(said, str):
            raise _not_there(answer)
        return said

    def rows(
        self,
        model: str,
        domain: Domain,
        fields: Iterable[str],
        *,
        limit: int | None = None,
        order: str = "id",
    ) -> list[Row]:
        """Return the fields of the records that a domain describes."""
        found = self.ask(model, "search_read", domain=domain, fields=[*fields], limit=limit, order=order)
        if not isinstance(found, list) or not all(isinstance(row, dict) and "id" in row for row in found):
            raise ContractBroken(what=f"something that is no list of {model}")
        return found

    def ids(self, model: str, domain: Domain) -> list[int]:
        """Return the ids of the records that a domain describes."""
        found = self.ask(model, "search", domain=domain, order="id", limit=MOST_LISTED)
        if not isinstance(found, list) or not all(isinstance(one, int) for one in found):
            raise ContractBroken(what=f"something that is no list of {model}")
        return found

    def may(self, model: str, operation: str, ids: Sequence[int] = ()) -> bool:
        """Say whether the account may do this to records of a model; of these, where some are named."""
        return bool(self.ask(model, "has_access", ids=[*ids], operation=operation))

    def described(self, model: str) -> Mapping[str, Row]:
        """Return what Odoo says of each field of a model that the account may read."""
        found = self.ask(model, "fields_get", attributes=[*DESCRIBED])
        if not isinstance(found, dict):
            raise ContractBroken(what=f"something that is no list of fields of {model}")
        return found

    def count(self, model: str, domain: Domain) -> int:
        """Return how many records a domain describes."""
        found = self.ask(model, "search_count", domain=domain)
        if not isinstance(found, int):
            raise ContractBroken(what=f"something that is no count of {model}")
        return found

    def names(self, model: str, ids: Sequence[int]) -> dict[int, str]:
        """Return what records are called."""
        rows = self.rows(model, [["id", "in", [*ids]]], ["display_name"]) if ids else []
        return {row["id"]: str(row["display_name"]) for row in rows}

    def file(self, attachment: int) -> Iterator[bytes]:
        """Yield the content of an attachment, which comes as base64 within JSON, in constant memory."""
        body = _body({"ids": [attachment], "fields": ["datas"]})
        yield from decoded(self._web.stream("POST", _route("ir.attachment", "read"), json=body))

    def close(self) -> None:
        self._web.close()


def decoded(chunks: Iterator[bytes], name: bytes = b'"datas"') -> Iterator[bytes]:
    """Yield what the base64 text of this name within a JSON answer stands for, piece by piece."""
    rest = b""
    pieces = _text_of(chunks, name)
    for piece in pieces:
        # JSON may write a slash with a backslash before it, which is no sign of base64.
        rest += piece.replace(b"\\", b"")
        whole = len(rest) // 4 * 4
        yield _plain(rest[:whole])
        rest = rest[whole:]
    if rest:
        raise ContractBroken(what="a file that ends too early")


def _text_of(chunks: Iterator[bytes], name: bytes) -> Iterator[bytes]:
    """Yield the text that follows this name, up to its closing quotation mark."""
    held = b""
    for chunk in chunks:
        held += chunk
        begin = held.find(b'"', held.find(name) + len(name)) if name in held else -1
        if begin >= 0:
            yield from _until_mark(held[begin + 1 :], chunks)
            return
        if name in held and b"false" in held[held.find(name) :]:
            return  # an attachment without content
        held = held[-256:]
    raise ContractBroken(what="an attachment without content")


def _until_mark(held: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    while b'"' not in held:
        yield held
        more = next(chunks, None)
        if more is None:
            raise ContractBroken(what="a file that ends too early")
        held = more
    yield held.partition(b'"')[0]


def _plain(text: bytes) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        pass
    raise ContractBroken(what="a file that is not in base64")


def _route(model: str, method: str) -> str:
    """Models and methods are no personal data, so that an error may name them."""
    return ROUTE.format(model=model, method=method)


def _body(arguments: Mapping[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in arguments.items() if value is not None}
    return {"context": dict(CONTEXT), **given}


# --- Domains, which Odoo writes with the operators before what they join ---------------------------------------


def any_of(domains: Iterable[Domain]) -> Domain:
    """Join domains by "or"; nothing joined fits nothing."""
    parts = [all_of([one]) for one in domains]
    if not parts:
        return [["id", "=", 0]]
    return ["|"] * (len(parts) - 1) + [leaf for part in parts for leaf in part]


def all_of(domains: Iterable[Domain]) -> Domain:
    """Join domains by "and", with every operator written out."""
    leaves = [_closed(one) for one in domains if one]
    return ["&"] * (len(leaves) - 1) + [leaf for part in leaves for leaf in part]


def _closed(domain: Domain) -> Domain:
    """Write out the "and" that Odoo reads between the terms of a domain."""
    open_terms = 0
    for leaf in domain:
        open_terms += {"|": -1, "&": -1, "!": 0}.get(leaf, 1) if isinstance(leaf, str) else 1
    return ["&"] * (open_terms - 1) + domain


def beneath(path: str, domain: Domain) -> Domain:
    """Return the domain as it reads for records from which this path leads to those that it describes."""
    return [leaf if isinstance(leaf, str) else [f"{path}.{leaf[0]}", *leaf[1:]] for leaf in domain]


def like(value: str) -> str:
    """Return the text with the signs that stand for others taken at their word."""
    return value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
