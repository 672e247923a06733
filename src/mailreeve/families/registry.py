"""Which families are there? The one place that lists them: endpoints, loaders, what they do when an address joins
a user, a new account's furniture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Column, select

from mailreeve.families.archive import endpoints as archive
from mailreeve.families.archive.following import ArchivedMail, join_mailbox
from mailreeve.families.archive.retention import archived_as
from mailreeve.families.archive.rows import archived_message
from mailreeve.families.audit import endpoints as audit
from mailreeve.families.bulk import endpoints as bulk
from mailreeve.families.delegates import endpoints as delegates
from mailreeve.families.delegates.following import DelegateRights
from mailreeve.families.digest import endpoints as digest
from mailreeve.families.digest.following import DigestReaders
from mailreeve.families.directory import facts as directory_facts
from mailreeve.families.directory.account import endpoints as account
from mailreeve.families.directory.administrators import endpoints as administrators
from mailreeve.families.directory.domains import endpoints as domains
from mailreeve.families.directory.groups import endpoints as groups
from mailreeve.families.directory.groups import rows as group_rows
from mailreeve.families.directory.groups import versions as group_versions
from mailreeve.families.directory.groups.following import GroupMemberships
from mailreeve.families.directory.imports import endpoints as imports
from mailreeve.families.directory.purging import endpoints as purging
from mailreeve.families.directory.purging.following import PurgeMarks
from mailreeve.families.directory.roles import endpoints as roles
from mailreeve.families.directory.sync import endpoints as directory_sync
from mailreeve.families.directory.users import endpoints as users
from mailreeve.families.directory.users import life_endpoints as user_life
from mailreeve.families.directory.web_places import endpoints as web_places
from mailreeve.families.directory.web_places import rows as web_place_rows
from mailreeve.families.directory.web_places import versions as web_place_versions
from mailreeve.families.directory.web_places.following import WebClients
from mailreeve.families.explain import endpoints as explain
from mailreeve.families.held import endpoints as held
from mailreeve.families.held.following import HeldMail
from mailreeve.families.held.rows import held_message
from mailreeve.families.keeping import rows as keeping_rows
from mailreeve.families.lint import endpoints as lint
from mailreeve.families.login import endpoints as login
from mailreeve.families.login.sign_in import endpoints as sign_in
from mailreeve.families.machinery.call import AddressFollower, AddressJoined, Versioned
from mailreeve.families.machinery.elsewhere import Elsewhere
from mailreeve.families.managed_senders import endpoints as managed_senders
from mailreeve.families.managed_senders import operations as managed_sender_operations
from mailreeve.families.managed_senders import rows as managed_sender_rows
from mailreeve.families.managed_senders import versions as managed_sender_versions
from mailreeve.families.managed_senders.following import PersonalLists
from mailreeve.families.outgoing import endpoints as outgoing
from mailreeve.families.outgoing import rows as outgoing_rows
from mailreeve.families.outgoing.rows import outgoing_message
from mailreeve.families.policies import scoped
from mailreeve.families.policies.address_alteration import rows as alteration_rows
from mailreeve.families.policies.address_alteration import versions as alteration_versions
from mailreeve.families.policies.address_alteration.following import AlterationDefinitions
from mailreeve.families.policies.blocked_senders import operations as blocked_sender_operations
from mailreeve.families.policies.managed_urls import endpoints as managed_urls
from mailreeve.families.policies.managed_urls import rows as managed_url_rows
from mailreeve.families.policies.overview import endpoints as overview
from mailreeve.families.policies.permitted_senders import rows as permitted_senders
from mailreeve.families.policies.scoped import ScopedPolicies
from mailreeve.families.policies.spam_scanning import rows as spam_scanning
from mailreeve.families.policies.web_allows import endpoints as web_allows
from mailreeve.families.policies.web_allows import rows as web_allow_rows
from mailreeve.families.policies.web_allows.following import WebAllows
from mailreeve.families.policies.web_lists import endpoints as web_lists
from mailreeve.families.policies.web_lists import rows as web_list_rows
from mailreeve.families.policies.web_lists import versions as web_list_versions
from mailreeve.families.policies.web_lists.following import WebLists
from mailreeve.families.replay import endpoints as replay
from mailreeve.families.threat_logs import endpoints as threat_logs
from mailreeve.families.tracking import endpoints as tracking
from mailreeve.families.web_log import clicks as web_clicks
from mailreeve.families.web_log import endpoints as web_log
from mailreeve.families.web_proxies import endpoints as web_proxies
from mailreeve.families.web_zones import endpoints as web_zones
from mailreeve.store.follow import Loader, Loaders, joined
from mailreeve.store.loading import stream_named
from mailreeve.store.records import ours
from mailreeve.store.transactions import Work
from mailreeve.wire.endpoint import Endpoint
from mailreeve.wire.tokens import Kind

ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    *managed_senders.ENDPOINTS,
    *scoped.ENDPOINTS,
    *web_lists.ENDPOINTS,
    *web_allows.ENDPOINTS,
    *managed_urls.ENDPOINTS,
    *web_proxies.ENDPOINTS,
    *web_places.ENDPOINTS,
    *overview.ENDPOINTS,
    *delegates.ENDPOINTS,
    *users.ENDPOINTS,
    *user_life.ENDPOINTS,
    *purging.ENDPOINTS,
    *imports.ENDPOINTS,
    *directory_sync.ENDPOINTS,
    *groups.ENDPOINTS,
    *domains.ENDPOINTS,
    *account.ENDPOINTS,
    *roles.ENDPOINTS,
    *administrators.ENDPOINTS,
    *login.ENDPOINTS,
    *sign_in.ENDPOINTS,
    *explain.ENDPOINTS,
    *lint.ENDPOINTS,
    *replay.ENDPOINTS,
    *bulk.ENDPOINTS,
    *tracking.ENDPOINTS,
    *archive.ENDPOINTS,
    *digest.ENDPOINTS,
    *web_log.ENDPOINTS,
    *web_clicks.ENDPOINTS,
    *threat_logs.ENDPOINTS,
    *audit.ENDPOINTS,
    *held.ENDPOINTS,
    *outgoing.ENDPOINTS,
    *web_zones.ENDPOINTS,
)

LOADERS: Final = Loaders(
    directory=Loader(directory_facts.load, directory_facts.load_some),
    scoped=scoped.LOADERS,
    managed=Loader(managed_sender_rows.load, managed_sender_rows.load_some),
    definitions=Loader(alteration_rows.LOADED_DEFINITIONS.every, alteration_rows.LOADED_DEFINITIONS.some),
    web=joined(
        Kind.WEB_POLICY,
        {
            Kind.WEB_POLICY: Loader(web_list_rows.load, web_list_rows.load_some),
            Kind.WEB_ALLOW: Loader(web_allow_rows.LOADED.every, web_allow_rows.LOADED.some),
            Kind.MANAGED_URL: Loader(managed_url_rows.LOADED.every, managed_url_rows.LOADED.some),
        },
    ),
    places=web_place_rows.load,
)

ADDRESS_JOINED: Final[tuple[AddressJoined, ...]] = (managed_sender_operations.join_lists, join_mailbox)
"""What the capabilities do when an address becomes a user's alias."""

ELSEWHERE: Final = Elsewhere(waiting=outgoing_rows.listed, archived=archived_as)
"""Who tells what is kept of a message beside its record."""

FOLLOWERS: Final[tuple[AddressFollower, ...]] = (
    GroupMemberships(),
    PersonalLists(),
    ScopedPolicies(),
    AlterationDefinitions(),
    WebLists(),
    WebAllows(),
    WebClients(),
    DelegateRights(),
    DigestReaders(),
    HeldMail(),
    ArchivedMail(),
    PurgeMarks(),
)
"""What follows when a user gets another address, or goes."""


VERSIONED: Final[tuple[Versioned, ...]] = (
    *scoped.VERSIONS,
    web_list_versions.VERSIONS,
    alteration_versions.SETS,
    alteration_versions.DEFINITIONS,
    group_versions.GROUPS,
    group_versions.MEMBERS,
    web_place_versions.LOCATIONS,
    managed_sender_versions.VERSIONS,
)
"""The kinds of object that can become again what they were."""

TABLES_OF_DOORS: Final = (keeping_rows.kept_attempt,)
"""Tables that no endpoint reads: whoever removes an account, or looks through all rows, has to know them too."""

BODY_COLUMNS: Final[tuple[Column[str], ...]] = (
    held_message.c.body,
    outgoing_message.c.body,
    archived_message.c.body,
)
"""The columns that name `bodies` of kept messages; empty where a row has none. Each is indexed after the
account."""


def bodies_named(work: Work, keys: Sequence[str] | None = None) -> set[str]:
    """Which of these bodies any row of the account names; without keys, all that rows name."""
    found: set[str] = set()
    for column in BODY_COLUMNS:
        query = select(column).where(ours(column.table), column != "")
        rows = work.run(query) if keys is None else stream_named(work, query, column, keys)
        found.update(row[0] for row in rows)
    return found


def seed_account(work: Work) -> None:
    """Give a new account the groups and policies that it starts with (behaviour.md section 3.2, D-14)."""
    blocked = group_rows.add_group(work, "Blocked Senders", None, system=True)
    permitted = group_rows.add_group(work, "Permitted Senders", None, system=True)
    exempt = group_rows.add_group(work, "Relay exemptions", None, system=True)
    blocked_sender_operations.create_defaults(work, blocked.id, exempt.id)
    permitted_senders.create_default(work, permitted.id)
    spam_scanning.create_default(work)
