"""What may a caller do? The permission names that the API publishes, and the roles made of them.

The names are spelled as the source documents and the catalogue have them (behaviour.md section 9.2,
D-37): they are what a refused caller reads in the answer. A role is a named set of permissions
(behaviour.md section 9.1); the sets below are ours, since no source lists them in full.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final


class Permission(StrEnum):
    """A permission, spelled `Menu | Item | Level`."""

    ACCOUNT_DASHBOARD_READ = "Account | Dashboard | Read"
    ACCOUNT_LOGS_READ = "Account | Logs | Read"
    ACCOUNT_MONITORING_HELD_EDIT = "Account | Monitoring | Held | Edit"
    ACCOUNT_MONITORING_HELD_SUMMARY_READ = "Account | Monitoring | Held Summary | Read"
    ARCHIVE_RETENTION_EDIT = "Archive | Retention | Edit"
    ARCHIVE_READ = "Archive | Read"
    ARCHIVE_SEARCH_CONTENT_VIEW = "Archive | Search Content View"
    ARCHIVE_SEARCH_LOGS_READ = "Archive | Search Logs | Read"
    ARCHIVE_SEARCH_READ = "Archive | Search | Read"
    ARCHIVE_VIEW_LOGS_READ = "Archive | View Logs | Read"
    DIRECTORIES_ATTRIBUTES_READ = "Directories | Attributes | Read"
    DIRECTORIES_GROUPS_EDIT = "Directories | Groups | Edit"
    DIRECTORIES_GROUPS_READ = "Directories | Groups | Read"
    DIRECTORIES_IMPORT_EDIT = "Directories | Import | Edit"
    DIRECTORIES_IMPORT_READ = "Directories | Import | Read"
    DIRECTORIES_INTERNAL_CREATE_ALTERNATE_ADDRESS = "Directories | Internal | Create Alternate Address"
    DIRECTORIES_INTERNAL_EDIT = "Directories | Internal | Edit"
    DIRECTORIES_INTERNAL_PURGE_ADDRESS = "Directories | Internal | Purge Address"
    DIRECTORIES_INTERNAL_READ = "Directories | Internal | Read"
    DIRECTORIES_INTERNAL_REGISTER_NEW_DOMAIN = "Directories | Internal | Register New Domain"
    DIRECTORIES_INTERNAL_REMOVE_ADDRESS_FROM_PURGE_LIST = "Directories | Internal | Remove Address from Purge List"
    DIRECTORIES_ROLES_EDIT = "Directories | Roles | Edit"
    DIRECTORIES_ROLES_READ = "Directories | Roles | Read"
    GATEWAY_MANAGED_SENDERS_EDIT = "Gateway | Managed Senders | Edit"
    GATEWAY_POLICIES_EDIT = "Gateway | Policies | Edit"
    GATEWAY_POLICIES_READ = "Gateway | Policies | Read"
    GATEWAY_TRACKING_READ = "Gateway | Tracking | Read"
    MONITORING_HELD_READ = "Monitoring | Held | Read"
    MONITORING_HELD_CONTENT_VIEW = "Monitoring | Held | Content View"
    MONITORING_ATTACHMENT_PROTECTION_READ = "Monitoring | Attachment Protection | Read"
    MONITORING_IMPERSONATION_PROTECTION_READ = "Monitoring | Impersonation Protection | Read"
    MONITORING_PROCESSING_READ = "Monitoring | Processing | Read"
    MONITORING_REJECTIONS_READ = "Monitoring | Rejections | Read"
    MONITORING_URL_PROTECTION_READ = "Monitoring | URL Protection | Read"
    SERVICES_API_APPLICATIONS_EDIT = "Services | API Applications | Edit"
    SERVICES_API_APPLICATIONS_READ = "Services | API Applications | Read"
    SERVICES_DIRECTORY_SYNC_EDIT = "Services | Directory Sync | Edit"
    SERVICES_DIRECTORY_SYNC_READ = "Services | Directory Sync | Read"
    SERVICES_TARGETED_THREAT_PROTECTION_URL_PROTECT_EDIT = (
        "Services | Targeted Threat Protection - URL Protect | Edit"
    )
    SERVICES_TARGETED_THREAT_PROTECTION_URL_PROTECT_READ = (
        "Services | Targeted Threat Protection - URL Protect | Read"
    )
    SERVICES_URL_PROTECTION_EDIT = "Services | URL Protection | Edit"
    WEB_SECURITY_POLICIES_EDIT = "Web Security | Policies | Edit"
    WEB_SECURITY_POLICIES_READ = "Web Security | Policies | Read"


class Role(StrEnum):
    """The built-in roles. A user without a role calls what is about the own mailbox alone."""

    SUPER_ADMINISTRATOR = "Super Administrator"
    FULL_ADMINISTRATOR = "Full Administrator"
    BASIC_ADMINISTRATOR = "Basic Administrator"
    HELP_DESK = "Help Desk"
    GATEWAY_ADMINISTRATOR = "Gateway Administrator"


PROTECTED: Final = frozenset(
    {
        Permission.ARCHIVE_RETENTION_EDIT,
        Permission.ARCHIVE_READ,
        Permission.ARCHIVE_SEARCH_CONTENT_VIEW,
        Permission.ARCHIVE_SEARCH_LOGS_READ,
        Permission.ARCHIVE_SEARCH_READ,
        Permission.ARCHIVE_VIEW_LOGS_READ,
        Permission.MONITORING_HELD_CONTENT_VIEW,
    }
)
"""What lets somebody read other people's mail, or decide how long it is kept: of the built-in roles the highest
alone has it (behaviour.md section 9.1)."""

_READS: Final = frozenset(p for p in Permission if p.value.endswith("| Read")) - PROTECTED

ROLE_PERMISSIONS: Final[dict[Role, frozenset[Permission]]] = {
    # Everything, now and later.
    Role.SUPER_ADMINISTRATOR: frozenset(Permission),
    # Everything but taking in a new domain, which widens the account itself, and what others write and are
    # written.
    Role.FULL_ADMINISTRATOR: frozenset(Permission)
    - {Permission.DIRECTORIES_INTERNAL_REGISTER_NEW_DOMAIN}
    - PROTECTED,
    # Day-to-day policy and group work; behaviour.md section 9.1 names it as the minimum for web security.
    Role.BASIC_ADMINISTRATOR: _READS
    | {
        Permission.ACCOUNT_MONITORING_HELD_EDIT,
        Permission.DIRECTORIES_GROUPS_EDIT,
        Permission.GATEWAY_MANAGED_SENDERS_EDIT,
        Permission.GATEWAY_POLICIES_EDIT,
        Permission.SERVICES_TARGETED_THREAT_PROTECTION_URL_PROTECT_EDIT,
        Permission.SERVICES_URL_PROTECTION_EDIT,
        Permission.WEB_SECURITY_POLICIES_EDIT,
    },
    # Sees everything, mends one person's list, releases held mail, changes no policy.
    Role.HELP_DESK: _READS | {Permission.ACCOUNT_MONITORING_HELD_EDIT, Permission.GATEWAY_MANAGED_SENDERS_EDIT},
    # Mail policies only: nothing of the web, no users.
    Role.GATEWAY_ADMINISTRATOR: frozenset(
        {
            Permission.ACCOUNT_DASHBOARD_READ,
            Permission.ACCOUNT_MONITORING_HELD_EDIT,
            Permission.ACCOUNT_MONITORING_HELD_SUMMARY_READ,
            Permission.DIRECTORIES_GROUPS_EDIT,
            Permission.DIRECTORIES_GROUPS_READ,
            Permission.DIRECTORIES_INTERNAL_READ,
            Permission.GATEWAY_MANAGED_SENDERS_EDIT,
            Permission.GATEWAY_POLICIES_EDIT,
            Permission.GATEWAY_POLICIES_READ,
            Permission.GATEWAY_TRACKING_READ,
            Permission.MONITORING_HELD_READ,
            Permission.MONITORING_PROCESSING_READ,
            Permission.MONITORING_REJECTIONS_READ,
        }
    ),
}

_ROLES: Final = {role.value.casefold(): role for role in Role}
_PERMISSIONS: Final = {permission.value: permission for permission in Permission}


def built_in(name: str) -> Role | None:
    """The built-in role of that name, in any case, or None."""
    return _ROLES.get(name.casefold())


def known(names: Iterable[str]) -> frozenset[Permission]:
    """The permissions of these names. What is none, as another version may have stored, permits nothing."""
    return frozenset(_PERMISSIONS[name] for name in names if name in _PERMISSIONS)
