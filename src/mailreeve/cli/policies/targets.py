"""How is it written, and how is it shown, whom a policy names?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mailreeve.cli import ids
from mailreeve.cli.options import misused
from mailreeve.client import Client, Target
from mailreeve.formats.networks import parse_network

FORMS: Final = (
    "an address, a domain, group:NAME, name:DISPLAY NAME, attribute:NAME=VALUE, everyone, internal, external or "
    "free-mail"
)
_PLAIN: Final = {
    "everyone": "everyone",
    "internal": "internal_addresses",
    "external": "external_addresses",
    "free-mail": "free_mail_domains",
}
_SHOWN: Final = {type_: word for word, type_ in _PLAIN.items()}


def target(api: Client, text: str, option: str) -> Target:
    """The target that a text names. It ends the command where there is no such group, or none can be meant."""
    kind, colon, value = text.partition(":")
    if not text.strip():
        misused(f"{option}: write {FORMS}")
    if text in _PLAIN:
        return Target(_PLAIN[text])  # type: ignore[arg-type] # one of those
    if colon and kind == "group":
        return Target.group(ids.resolve(api, ids.GROUP, value, option))
    if colon and kind == "name":
        return Target.display_name(value)
    if colon and kind == "attribute":
        name, equals, wanted = value.partition("=")
        if not equals:
            misused(f"{option} {text!r}: write attribute:NAME=VALUE")
        return Target.attribute_value(name, wanted)
    if "@" in text.removeprefix("@"):
        return Target.address(text)
    if _is_network(text):
        misused(f"{option} {text!r}: an IP address is no sender; --ip limits a policy to networks")
    if "." not in text:
        misused(f"{option} {text!r}: write {FORMS}")
    return Target.domain(text)


def _is_network(text: str) -> bool:
    try:
        parse_network(text)
    except ValueError:
        return False
    return True


def plain(text: str | None) -> str | None:
    """A side as the API has it looked for."""
    return None if text is None else _PLAIN.get(text, text)


def shown(target: Mapping[str, object]) -> str:
    """Whom a side names, in a word or two, as it may be written."""
    type_, value = str(target.get("type", "")), str(target.get("value", ""))
    match type_:
        case "profile_group":
            return f"group:{value}"
        case "header_display_name":
            return f"name:{value}"
        case "address_attribute_value":
            return f"attribute:{value}"
        case _:
            return value or _SHOWN.get(type_, type_)
