"""Which definition rewrites this address? The rewrite rules of an account, by set (behaviour.md section 5)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from mailreeve.policy.addresses import Address, Domain
from mailreeve.policy.policies import AddressPattern, AddressType, Definition, Routing

ROOT: Final = ""
"""The set id of the root folder, whose definitions need no policy."""


class Route(Struct, frozen=True, gc=False):
    """The direction of a message, as far as definitions distinguish it.

    Inbound is whatever goes to an internal recipient, outbound what an internal envelope sender
    writes to an external one. Between outsiders neither holds; nor does it for a bounce leaving,
    whose sender is nobody. Only definitions for `all` apply to those.
    """

    routing: Routing

    def takes(self, wanted: Routing) -> bool:
        """Whether a definition for this direction holds for the message."""
        return wanted is Routing.ALL or wanted is self.routing


class Definitions:
    """All definitions of an account. Immutable for its readers.

    Within one set the full address wins over `local@*`, and that over `*@domain` (behaviour.md
    section 5.3). Of definitions with the same pattern one for the very field wins over one for
    `all`, then one for the very direction over one for `all`, then the newest, which has the
    highest id: the same reading as for policies, narrow before wide and new before old.

    A set is used alone: a policy that names it does not put sets below it to work. Admins see the
    folders of sets as a way to keep order, and a policy names what it uses.
    """

    def __init__(self, definitions: Iterable[Definition] = ()) -> None:
        sets: dict[str, dict[tuple[str, str], list[Definition]]] = {}
        for definition in definitions:
            pattern = _pattern_key(definition.original)
            sets.setdefault(definition.set_id, {}).setdefault(pattern, []).append(definition)
        self._sets = {
            set_id: {
                pattern: tuple(sorted(rivals, key=_preference, reverse=True))
                for pattern, rivals in patterns.items()
            }
            for set_id, patterns in sets.items()
        }

    def __bool__(self) -> bool:
        return bool(self._sets)

    def find(
        self,
        set_id: str,
        field: AddressType,
        address: Address,
        route: Route,
        internal_domains: frozenset[Domain],
    ) -> Definition | None:
        """The definition of the set that rewrites this address in this field, if any.

        `local@*` stands for that local part in any of the account's own domains: alteration is for
        an organisation's own addresses, not for rewriting strangers (behaviour.md section 5.2).
        """
        patterns = self._sets.get(set_id)
        if patterns is None:
            return None
        local, _, domain = address.key.rpartition("@")
        keys = [(local, domain), ("", domain)]
        if address.domain in internal_domains:
            keys.insert(1, (local, ""))
        for key in keys:
            for definition in patterns.get(key, ()):
                if definition.address_type in (field, AddressType.ALL) and route.takes(definition.routing):
                    return definition
        return None


def apply_pattern(new: AddressPattern, address: Address) -> Address:
    """The rewritten address: an asterisk on the new side keeps that half (behaviour.md section 5.5)."""
    local = new.local or address.local
    domain = Domain(new.domain) if new.domain else address.domain
    return Address(local, domain, f"{local.lower()}@{domain}")


def _pattern_key(pattern: AddressPattern) -> tuple[str, str]:
    return pattern.local.lower(), pattern.domain


def _preference(definition: Definition) -> tuple[bool, bool, str]:
    return definition.address_type is not AddressType.ALL, definition.routing is not Routing.ALL, definition.id
