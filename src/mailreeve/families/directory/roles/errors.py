"""Errors of roles."""

from __future__ import annotations

from typing import Final

from mailreeve.wire.errors import Fault

ROLE_NOT_FOUND: Final = Fault("err_role_not_found", "There is no such role")
ROLE_EXISTS: Final = Fault("err_role_already_exists", "A role has this name already")
ROLE_BUILT_IN: Final = Fault("err_role_built_in", "Built-in roles cannot be changed")
ROLE_IN_USE: Final = Fault("err_role_in_use", "The role is in use")
ROLE_LIMIT: Final = Fault("err_role_limit", "The account holds too many roles")
PERMISSION_UNKNOWN: Final = Fault("err_role_unknown_permission", "There is no such permission")
