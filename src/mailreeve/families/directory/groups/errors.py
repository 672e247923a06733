"""Errors of groups and their members."""

from __future__ import annotations

from typing import Final

from mailreeve.wire.errors import Fault

GROUP_NOT_FOUND: Final = Fault("err_folder_not_found", "Group not found")
GROUP_IN_USE: Final = Fault("err_folder_in_use", "The group is in use")
GROUP_LIMIT: Final = Fault("err_folder_limit", "The account holds too many groups")
GROUP_CYCLE: Final = Fault("err_folder_cycle", "A group cannot be placed below itself")
GROUP_DEPTH: Final = Fault("err_folder_depth", "Groups are nested too deep")
GROUP_MEMBER_EXISTS: Final = Fault("err_folder_group_member_already_exists", "Group member already exists")
GROUP_MEMBER_NOT_FOUND: Final = Fault("err_folder_email_address_not_found", "Error email address not found")
