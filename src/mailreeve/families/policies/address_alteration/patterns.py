"""Which addresses does a definition mean? `local@domain`, `*@domain` or `local@*` (behaviour.md section 5.2)."""

from __future__ import annotations

from typing import Final

from mailreeve.formats.addresses import AddressError, fold_local, parse_address, parse_domain
from mailreeve.policy.model.policies import AddressPattern
from mailreeve.wire.errors import BAD_ADDRESS, refused

_ANY: Final = ("", "*")  # One page of the vendor prints the asterisk, another leaves it out (api.md section 7.1).


def pattern(text: str, field: str) -> AddressPattern:
    """The pattern that the text stands for. An asterisk is a whole half or nothing. Raises `ItemRefused`."""
    local, at, domain = text.rpartition("@")
    try:
        if not at:
            raise AddressError("an address has the form local@domain")
        match local in _ANY, domain in _ANY:
            case True, True:
                raise AddressError("one half must be given")
            case True, False:
                return AddressPattern("", parse_domain(domain))
            case False, True:
                # A local part is valid or not by itself; any domain will do to have it checked.
                found = AddressPattern(parse_address(f"{local}@any.invalid").local, "")
            case _:
                address = parse_address(text)
                found = AddressPattern(address.local, address.domain)
        if "*" in found.local:
            raise AddressError("an asterisk stands for a whole half")
    except AddressError as problem:
        raise refused(BAD_ADDRESS, field, f"{BAD_ADDRESS.message}: {problem}") from problem
    return found


def folded(given: AddressPattern) -> AddressPattern:
    """The pattern without case, as originals are matched and compared."""
    return AddressPattern(fold_local(given.local), given.domain)
