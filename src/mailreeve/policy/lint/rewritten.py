"""Which policies and lists are about an address that mail does not have when they are asked, because of
alteration?

Policies see addresses as they were written: what a definition makes of them comes after (behaviour.md D-20). Only
the personal list is that of the recipient whom the mail goes to in the end (D-46). So a policy that names the new
address never meets mail to the old one, and the list of an address that is always rewritten is never asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mailreeve.formats.addresses import Address, Domain, fold_local
from mailreeve.policy.index.definitions import ROOT, Route, apply_pattern
from mailreeve.policy.index.personal import list_key
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.lint.findings import NAMED, Finding, FindingKind, Subject, SubjectKind
from mailreeve.policy.model.policies import AddressType, Definition, Routing, ScopedPolicy
from mailreeve.policy.model.policy_types import PolicyType
from mailreeve.policy.model.targets import Target, TargetType
from mailreeve.policy.model.wording import definition_words, listed, quoted, target_words

_INBOUND: Final = Route(Routing.INBOUND)
_TO: Final = frozenset((AddressType.ENVELOPE_TO, AddressType.ALL))
_FROM: Final = frozenset((AddressType.ENVELOPE_FROM, AddressType.FROM, AddressType.ALL))
_NAMING: Final = (TargetType.INDIVIDUAL_EMAIL_ADDRESS, TargetType.EMAIL_DOMAIN)


def lint_rewritten(policies: PolicySet) -> Iterator[Finding]:
    """What alteration keeps from lists and policies."""
    if not policies.definitions:
        return
    yield from _lists(policies)
    yield from _policies(policies)


def _lists(policies: PolicySet) -> Iterator[Finding]:
    """The lists that are never asked. Certain where a list is named: nothing leads to it but an address with a
    tag."""
    # Whatever set is chosen, the root is asked where that has nothing to say.
    sets = {policy.set_id for policy in policies.alteration.policies if policy.scope.terms.enabled}
    sizes: dict[str, int] = {}
    first: dict[str, Subject] = {}
    for entry in policies.managed.entries:
        owner = entry.recipient
        sizes[owner] = sizes.get(owner, 0) + 1
        if owner not in first:
            first[owner] = Subject(PolicyType.MANAGED_SENDERS, entry.id, f"the list of {owner}")
    for owner in sorted(sizes):
        address = _address(owner)
        new = _always_to(policies, address, sets)
        if new is None or policies.identities.stand_ins(owner) or _led_to(policies, address):
            continue
        words = f"{sizes[owner]} entries are" if sizes[owner] > 1 else "an entry is"
        yield Finding(
            FindingKind.LIST_NOT_ASKED,
            (first[owner],),
            f"{words[0].upper()}{words[1:]} kept for {owner}, but mail to it is rewritten to {new} before a"
            " personal list is asked",
            f"Make {owner} an alias of {new}, which takes the list over, or add the entries there.",
            sizes[owner],
        )


def _always_to(policies: PolicySet, address: Address, sets: set[str]) -> Address | None:
    """To whom mail to the address always goes instead, by whichever set; None where it may stay with the list."""
    internal = policies.directory.internal_domains
    found: Address | None = None
    for set_id in (ROOT, *sorted(sets)):
        definition = policies.definitions.find(set_id, AddressType.ENVELOPE_TO, address, _INBOUND, internal)
        if definition is None:
            if set_id == ROOT:
                return None
            continue
        new = apply_pattern(definition.new, address)
        if list_key(policies.identities, new) == list_key(policies.identities, address):
            return None
        found = found or new
    return found


def _led_to(policies: PolicySet, address: Address) -> bool:
    """Whether a definition may have mail to another one go to the address."""
    return any(
        one.address_type in _TO
        and (one.new.local or one.new.domain)
        and fold_local(one.new.local) in ("", fold_local(address.local))
        and one.new.domain in ("", address.domain)
        and not _looks_for(one, address)
        for one in policies.definitions.every()
    )


def _looks_for(definition: Definition, address: Address) -> bool:
    original = definition.original
    return original.domain == address.domain and fold_local(original.local) in ("", fold_local(address.local))


def _policies(policies: PolicySet) -> Iterator[Finding]:
    """The policies that name what a definition writes, and so are not about what it looks for."""
    written: dict[str, list[Definition]] = {}
    for definition in policies.definitions.every():
        name = _written(definition)
        if name:
            written.setdefault(name, []).append(definition)
    if not written:
        return
    for type_, index in policies.scoped.items():
        for policy in index.policies:
            if policy.scope.terms.enabled:
                yield from _policy(policies, type_, policy, written)


def _policy(
    policies: PolicySet, type_: PolicyType, policy: ScopedPolicy, written: dict[str, list[Definition]]
) -> Iterator[Finding]:
    for target, fields in ((policy.scope.to, _TO), (policy.scope.from_, _FROM)):
        if target.type not in _NAMING:
            continue
        missed = [
            one
            for one in written.get(target.value, ())
            if one.address_type in fields and not _is_met(policies, target, one)
        ]
        if not missed:
            continue
        side = "to" if fields is _TO else "from"
        words = listed((f'"{definition_words(one)}"' for one in missed), 2)
        definitions = tuple(
            Subject(SubjectKind.ALTERATION_DEFINITION, one.id, definition_words(one))
            for one in missed[: NAMED - 1]
        )
        yield Finding(
            FindingKind.BEFORE_ALTERATION,
            (Subject(type_, policy.id, policy.description), *definitions),
            f"{quoted(policy.description)} is about mail {side}"
            f" {target_words(target, policies.directory.group_names)}, but not about mail that {words}"
            f" {'rewrites' if len(missed) == 1 else 'rewrite'} to that: policies see addresses as they were"
            " written",
            "Name the original address as well, in a policy of its own or by a group, if that is meant.",
        )


def _written(definition: Definition) -> str:
    """What a policy would name that is meant to meet what the definition writes: an address, or a domain where the
    local part stays; empty where neither says so."""
    new, original = definition.new, definition.original
    if not new.domain or new == original:
        return ""
    if new.local:
        return f"{fold_local(new.local)}@{new.domain}"
    return new.domain if new.domain != original.domain else ""


def _is_met(policies: PolicySet, target: Target, definition: Definition) -> bool:
    """Whether the policy is about the original all the same: because it is an alias of whom the policy names."""
    original = definition.original
    if not (original.local and original.domain):
        return original.domain == target.value
    key = f"{fold_local(original.local)}@{original.domain}"
    return target.key in policies.identities.keys(_address(key))


def _address(key: str) -> Address:
    local, _, domain = key.rpartition("@")
    return Address(local, Domain(domain), key)
