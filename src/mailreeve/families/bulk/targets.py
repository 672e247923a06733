"""How is a policy target said in one cell?

`everyone`, `internal`, `external` and `free-mail` are words; `ann@example.com` is an address, `example.com` or
`@example.com` a domain; `group:Sales/EMEA` names a group by its path, `attribute:Department=Sales` a value of an
attribute, `name:The Chief` a display name. In an attribute's name `=` has a backslash before it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from mailreeve.families.bulk.paths import GroupPaths
from mailreeve.families.machinery.call import Call
from mailreeve.families.policies.references import DirectoryReferences
from mailreeve.policy.model.targets import TargetType
from mailreeve.policy.model.wording import quoted
from mailreeve.wire.errors import NOT_ALLOWED, refused
from mailreeve.wire.policy_target import AttributeItem, TargetDocument, TargetItem
from mailreeve.wire.tokens import Kind

_WORDS: Final[Mapping[str, TargetType]] = {
    "everyone": TargetType.EVERYONE,
    "internal": TargetType.INTERNAL_ADDRESSES,
    "external": TargetType.EXTERNAL_ADDRESSES,
    "free-mail": TargetType.FREE_MAIL_DOMAINS,
}
_WORD_OF: Final = {type_: word for word, type_ in _WORDS.items()}
_NAMES: Final = {type_.value: type_ for type_ in _WORD_OF}  # as the API calls them
_ATTRIBUTE: Final = re.compile(r"((?:[^\\=]|\\.)+)=(.+)", re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_SPECIAL: Final = re.compile(r"[\\=]")
_WITH_BACKSLASH: Final = r"\\\g<0>"


class Targets:
    """Reads and writes the targets of an account's policies."""

    def __init__(self, call: Call, paths: GroupPaths) -> None:
        self._call = call
        self._paths = paths
        self._references = DirectoryReferences(call)
        self._names: dict[str, str] = {}

    def read(self, text: str, field: str) -> TargetItem:
        """The target that the text means. Raises `ItemRefused` naming `field`."""
        plain = text.strip()
        kind, colon, rest = text.lstrip().partition(":")
        word = _WORDS.get(plain.casefold()) or _NAMES.get(plain)
        if word is not None:
            return TargetItem(word)
        match kind.casefold() if colon else "":
            case "group":
                key = self._paths.key(rest, field)
                return TargetItem(TargetType.PROFILE_GROUP, group_id=self._call.seal(Kind.GROUP, key))
            case "attribute":
                found = _ATTRIBUTE.fullmatch(rest)
                if found is None:
                    raise refused(NOT_ALLOWED, field, f"{quoted(plain)} is not attribute:NAME=VALUE")
                named = AttributeItem(value=found[2], name=_ESCAPED.sub(r"\1", found[1]))
                return TargetItem(TargetType.ADDRESS_ATTRIBUTE_VALUE, attribute=named)
            case "name":
                return TargetItem(TargetType.HEADER_DISPLAY_NAME, header_display_name=rest)
        local, at, _ = plain.rpartition("@")
        if local:
            return TargetItem(TargetType.INDIVIDUAL_EMAIL_ADDRESS, email_address=plain)
        if at or "." in plain:
            return TargetItem(TargetType.EMAIL_DOMAIN, email_domain=plain)
        words = f"[{','.join(_WORDS)},group:PATH,attribute:NAME=VALUE,name:TEXT]"
        raise refused(NOT_ALLOWED, field, f"Field must be an address, a domain, or one of {words}")

    def written(self, target: TargetDocument) -> str | None:
        """The text that means the target; None where there is none, as its group's path means several."""
        match target.type:
            case TargetType.INDIVIDUAL_EMAIL_ADDRESS:
                return target.shown
            case TargetType.EMAIL_DOMAIN:
                plain = target.shown.removeprefix("@")
                return plain if "." in plain else f"@{plain}"
            case TargetType.PROFILE_GROUP:
                path = self._paths.path(target.key)
                return None if path is None else f"group:{path}"
            case TargetType.ADDRESS_ATTRIBUTE_VALUE:
                name = self._attribute(target.attribute)
                if not name:
                    return None
                return f"attribute:{_SPECIAL.sub(_WITH_BACKSLASH, name)}={target.shown}"
            case TargetType.HEADER_DISPLAY_NAME:
                return f"name:{target.shown}"
            case _:
                return _WORD_OF[target.type]

    def _attribute(self, key: str) -> str:
        if key not in self._names:
            self._names[key] = self._references.attribute_name(key)
        return self._names[key]
