"""How do sentences name targets, types and layers? One vocabulary for all that explains."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

from mailreeve.policy.model.identities import Renamed, StandIn, StandInKind
from mailreeve.policy.model.policies import ALL_ELSE, Definition, WebEntry, WebPolicy, WebPolicyKind
from mailreeve.policy.model.policy_types import POLICY_TYPES, SETTLED_IN, Layer
from mailreeve.policy.model.targets import BELOW, Target, TargetType

KIND_WORDS: Final[dict[TargetType, str]] = {
    TargetType.EVERYONE: "everyone",
    TargetType.INTERNAL_ADDRESSES: "internal addresses",
    TargetType.EXTERNAL_ADDRESSES: "external addresses",
    TargetType.FREE_MAIL_DOMAINS: "free-mail domains",
    TargetType.EMAIL_DOMAIN: "domain",
    TargetType.PROFILE_GROUP: "group",
    TargetType.ADDRESS_ATTRIBUTE_VALUE: "attribute value",
    TargetType.INDIVIDUAL_EMAIL_ADDRESS: "individual address",
    TargetType.HEADER_DISPLAY_NAME: "display name",
}
"""What kind of target it is, in words."""

LAYER_WORDS: Final[dict[Layer, str]] = {
    Layer.RELAY: "the relay check",
    Layer.RECIPIENT_VALIDATION: "recipient validation",
    Layer.MESSAGE_LIMITS: "the limits of a message",
    Layer.DEFAULT: "no layer",
    **{layer: POLICY_TYPES[type_].words for layer, type_ in SETTLED_IN.items()},
    Layer.VIRUS: "the check for viruses",
    Layer.MALFORMED: "the check for malformed mail",
}


def quoted(description: str) -> str:
    """A policy as sentences name it."""
    return f'"{description}"' if description else "the policy without a description"


def target_words(target: Target, group_names: Mapping[str, str]) -> str:
    """Whom the target names."""
    value = target.value
    match target.type:
        case TargetType.EMAIL_DOMAIN:
            return domain_words(value)
        case TargetType.INDIVIDUAL_EMAIL_ADDRESS:
            return value
        case TargetType.PROFILE_GROUP:
            return f"the group {quoted(group_names.get(value, '(unknown)'))}"
        case TargetType.ADDRESS_ATTRIBUTE_VALUE:
            return f'users with the attribute value "{value}"'
        case TargetType.HEADER_DISPLAY_NAME:
            return f'the display name "{value}"'
        case _:
            return KIND_WORDS[target.type]


def domain_words(key: str) -> str:
    """A domain, or one with everything below it."""
    return f"the domain {key[1:]} and everything below it" if key[:1] == BELOW else f"the domain {key}"


def stand_in_words(stand_in: StandIn) -> str:
    """How an address stands for another one."""
    if stand_in.kind is StandInKind.ALIAS:
        return f"{stand_in.address} is an alias of {stand_in.of}"
    return f"{stand_in.address} is {stand_in.of} with a tag"


def renamed_words(renamed: Renamed) -> str:
    """What a user's address was before."""
    return f"{renamed.address} was {listed(reversed(renamed.former), 3)}"


def moment_words(at: float) -> str:
    """A point in time, given in POSIX seconds."""
    try:
        return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (OverflowError, ValueError):
        return "a time that cannot be read"


def definition_words(definition: Definition) -> str:
    """What the definition rewrites, as its writers put it."""
    original, new = definition.original, definition.new
    return f"{original.local or '*'}@{original.domain or '*'} -> {new.local or '*'}@{new.domain or '*'}"


def listed(words: Iterable[str], most: int = 5) -> str:
    """`a, b and c`; of many the first few and the number of the others."""
    every = list(words)
    if len(every) > most:
        return f"{', '.join(every[:most])} and {len(every) - most} more"
    if len(every) < 2:
        return "".join(every)
    return f"{', '.join(every[:-1])} and {every[-1]}"


def web_list_words(description: str, kind: WebPolicyKind) -> str:
    """A web list, a temporary allow, which is told by the reason that was given, or a managed URL."""
    return f"the {kind} {quoted(description)}"


def web_policy_words(policy: WebPolicy) -> str:
    """What decides about web requests, where lists are spoken of: one by its name alone, what is none in full."""
    name = policy.description
    return quoted(name) if policy.kind is WebPolicyKind.LIST else web_list_words(name, policy.kind)


def web_entry_words(entry: WebEntry | None) -> str:
    """What settled a web request in a list: an entry, or its default deny, where that is None or stands for it."""
    if entry is None or entry is ALL_ELSE:
        return "the default deny"
    return f"{entry.action} {entry.type} {entry.value}"
