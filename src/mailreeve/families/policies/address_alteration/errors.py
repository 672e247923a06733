"""Errors of address alteration."""

from __future__ import annotations

from typing import Final

from mailreeve.wire.errors import Fault

ALTERATION_SET_NOT_FOUND: Final = Fault("err_address_alteration_set_not_found", "Address alteration set not found")
ALTERATION_SET_LIMIT: Final = Fault("err_address_alteration_set_limit", "The account holds too many sets")
ALTERATION_DEFINITION_NOT_FOUND: Final = Fault(
    "err_address_alteration_definition_not_found", "Address alteration definition not found"
)
ALTERATION_DEFINITION_EXISTS: Final = Fault(
    "err_address_alteration_definition_exists", "The same definition is in this set already"
)
ALTERATION_LIMIT: Final = Fault("err_address_alteration_limit", "The account holds too many definitions")
