"""What can be done about zones? Their keys, and what is told of them."""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

from msgspec import Struct

from mailreeve.families.directory.account import rows as accounts
from mailreeve.families.web_zones import rows
from mailreeve.families.web_zones.naming import ZonePlace, key_name, places, room_in, zone_name
from mailreeve.families.web_zones.types import UnsaidAnswer, ZoneAnswer, ZonesAnswer
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.zone.names import ZoneNames
from mailreeve.policy.zone.rules import ZoneRules
from mailreeve.policy.zone.unsaid import OF_TARGETS, WORDS, unsaid
from mailreeve.store.changes import Part
from mailreeve.store.secrets import Vault
from mailreeve.store.transactions import Work
from mailreeve.wire import fields
from mailreeve.wire.tokens import KIND_OF_WEB, Ids

ALGORITHM: Final = "hmac-sha256"
SECRET_OCTETS: Final = 32
MOST_UNSAID: Final = 200
"""So many lists and reasons are named for each zone."""

KEY_KIND: Final = "zone key"
_NAME: Final = re.compile(r"(?=.{1,40}\Z)[a-z0-9]+(?:-[a-z0-9]+)*")


class ZoneKeyError(ValueError):
    """A key cannot be made or found. The message says why."""


class ZoneKey(Struct, frozen=True):
    """A key as a resolver is told it. `secret` is in base64."""

    name: str
    algorithm: str
    secret: str


class _Noted(Struct, frozen=True):
    """What the audit log says of a key."""

    name: str


def make_key(work: Work, vault: Vault, name: str) -> ZoneKey:
    """A new key. Raises `ZoneKeyError`."""
    if not _NAME.fullmatch(name):
        raise ZoneKeyError(f"{name!r}: a key's name has letters a to z, digits and single hyphens, 40 at most")
    if rows.key_named(work, name) is not None:
        raise ZoneKeyError(f"there is a key {name} already; show it, or choose another name")
    secret = secrets.token_bytes(SECRET_OCTETS)
    row = rows.add_key(work, name, vault.seal(secret, work.account_id))
    work.changed(Part.ZONE_KEYS, "create", KEY_KIND, row.id, after=_Noted(name))
    return _told(work, name, secret)


def show_key(work: Work, vault: Vault, name: str) -> ZoneKey:
    """A key that there is. Raises `ZoneKeyError`."""
    return _told(work, name, vault.open(_found(work, name).secret, work.account_id))


def delete_key(work: Work, name: str) -> None:
    """Remove a key: from now on nothing is fetched with it. Raises `ZoneKeyError`."""
    row = _found(work, name)
    rows.delete_key(work, row.id)
    work.changed(Part.ZONE_KEYS, "delete", KEY_KIND, row.id, before=_Noted(name))


def settle(work: Work, place: ZonePlace, names: ZoneNames, style: str) -> rows.ZoneRow:
    """The serial of a zone that has these names and is written in a `style`: the one that it had, where it is what
    it was then. It is to be durable before anybody sees the zone. Takes no revision."""
    digest = blake2b(f"{names.digest} {style}".encode(), digest_size=32).hexdigest()
    return rows.settle(work, place.location_id, place.label, digest, len(names.names), names.revision)


def status(work: Work, policies: PolicySet, ids: Ids) -> ZonesAnswer:
    """The zones of the account, and what each cannot say."""
    code = accounts.get(work).code
    known = rows.zones(work)
    served = {row.label: row for row in known}
    found = places(policies, known)
    everywhere = [place.networks for place in found if place.location_id]
    answers = []
    for place in found:
        name = zone_name(place.label, code)
        rules = ZoneRules(policies, work.now.timestamp(), place.networks, room_in(name))
        row = served.get(place.label)
        left = [
            UnsaidAnswer(
                id=ids.seal(
                    KIND_OF_WEB[policies.web.policy(one.policy_id).kind],
                    one.policy_id,
                    policies.account_id,
                ),
                description=one.description,
                reason=one.reason,
                what="targets" if one.reason in OF_TARGETS else "entries",
                why=WORDS[one.reason],
                count=one.count,
                examples=one.examples,
            )
            for one in unsaid(rules, place.networks, everywhere)
        ]
        answers.append(
            ZoneAnswer(
                name=name,
                location=place.location,
                serial=None if row is None else row.serial,
                names=None if row is None else row.names,
                changed=None if row is None else fields.written(row.changed_at),
                not_said=left[:MOST_UNSAID],
                not_said_count=len(left),
            )
        )
    return ZonesAnswer(answers, [key_name(row.name, code) for row in rows.keys(work)], policies.revision)


def key_names(work: Work) -> Sequence[str]:
    """The names of the account's keys."""
    return [row.name for row in rows.keys(work)]


def _found(work: Work, name: str) -> rows.KeyRow:
    row = rows.key_named(work, name)
    if row is None:
        raise ZoneKeyError(f"there is no key {name}")
    return row


def _told(work: Work, name: str, secret: bytes) -> ZoneKey:
    full = key_name(name, accounts.get(work).code)
    return ZoneKey(full, ALGORITHM, base64.b64encode(secret).decode())
