"""What a policy set is made of, each part by a name of its own."""

from mailreeve.policy.model.policy_types import PolicyType

_TYPES = {
    "blocked": PolicyType.BLOCKED_SENDERS,
    "permitted": PolicyType.PERMITTED_SENDERS,
    "alteration": PolicyType.ADDRESS_ALTERATION,
    "spam": PolicyType.SPAM_SCANNING,
}


def parts(**named: object) -> dict[str, object]:
    """The parts as `PolicySet.build` and `changed` take them: policies of scoped types under one name."""
    scoped = {_TYPES[name]: part for name, part in named.items() if name in _TYPES}
    others = {name: part for name, part in named.items() if name not in _TYPES}
    return others | {"scoped": scoped} if scoped else others
