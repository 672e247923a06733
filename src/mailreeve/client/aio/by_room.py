"""Which rooms has the API? Each is loaded when it is asked for. Made by tools/make_client.py."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from mailreeve.client.aio.api import AsyncApi

if TYPE_CHECKING:
    from mailreeve.client.functions.account import AsyncAccountFunctions
    from mailreeve.client.functions.administrators import AsyncAdministratorsFunctions
    from mailreeve.client.functions.anti_spoofing import AsyncAntiSpoofingFunctions
    from mailreeve.client.functions.anti_spoofing_bypass import AsyncAntiSpoofingBypassFunctions
    from mailreeve.client.functions.archive import AsyncArchiveFunctions
    from mailreeve.client.functions.audit import AsyncAuditFunctions
    from mailreeve.client.functions.bulk import AsyncBulkFunctions
    from mailreeve.client.functions.digest import AsyncDigestFunctions
    from mailreeve.client.functions.domains import AsyncDomainsFunctions
    from mailreeve.client.functions.explain import AsyncExplainFunctions
    from mailreeve.client.functions.groups import AsyncGroupsFunctions
    from mailreeve.client.functions.held import AsyncHeldFunctions
    from mailreeve.client.functions.imports import AsyncImportsFunctions
    from mailreeve.client.functions.lint import AsyncLintFunctions
    from mailreeve.client.functions.login import AsyncLoginFunctions
    from mailreeve.client.functions.managed_senders import AsyncManagedSendersFunctions
    from mailreeve.client.functions.managed_urls import AsyncManagedUrlsFunctions
    from mailreeve.client.functions.outgoing import AsyncOutgoingFunctions
    from mailreeve.client.functions.overview import AsyncOverviewFunctions
    from mailreeve.client.functions.permitted_senders import AsyncPermittedSendersFunctions
    from mailreeve.client.functions.purging import AsyncPurgingFunctions
    from mailreeve.client.functions.replay import AsyncReplayFunctions
    from mailreeve.client.functions.roles import AsyncRolesFunctions
    from mailreeve.client.functions.sign_in import AsyncSignInFunctions
    from mailreeve.client.functions.spam_scanning import AsyncSpamScanningFunctions
    from mailreeve.client.functions.sync import AsyncSyncFunctions
    from mailreeve.client.functions.threat_logs import AsyncThreatLogsFunctions
    from mailreeve.client.functions.tracking import AsyncTrackingFunctions
    from mailreeve.client.functions.users import AsyncUsersFunctions
    from mailreeve.client.functions.web_allows import AsyncWebAllowsFunctions
    from mailreeve.client.functions.web_log import AsyncWebLogFunctions
    from mailreeve.client.functions.web_places import AsyncWebPlacesFunctions
    from mailreeve.client.functions.web_proxies import AsyncWebProxiesFunctions
    from mailreeve.client.functions.web_zones import AsyncWebZonesFunctions


class AsyncFunctions(AsyncApi):
    """A method for every function, by room."""

    @cached_property
    def account(self) -> AsyncAccountFunctions:
        """The functions of account."""
        from mailreeve.client.functions.account import AsyncAccountFunctions

        return AsyncAccountFunctions(self)

    @cached_property
    def administrators(self) -> AsyncAdministratorsFunctions:
        """The functions of administrators."""
        from mailreeve.client.functions.administrators import AsyncAdministratorsFunctions

        return AsyncAdministratorsFunctions(self)

    @cached_property
    def anti_spoofing(self) -> AsyncAntiSpoofingFunctions:
        """The functions of anti spoofing."""
        from mailreeve.client.functions.anti_spoofing import AsyncAntiSpoofingFunctions

        return AsyncAntiSpoofingFunctions(self)

    @cached_property
    def anti_spoofing_bypass(self) -> AsyncAntiSpoofingBypassFunctions:
        """The functions of anti spoofing bypass."""
        from mailreeve.client.functions.anti_spoofing_bypass import AsyncAntiSpoofingBypassFunctions

        return AsyncAntiSpoofingBypassFunctions(self)

    @cached_property
    def archive(self) -> AsyncArchiveFunctions:
        """The functions of archive."""
        from mailreeve.client.functions.archive import AsyncArchiveFunctions

        return AsyncArchiveFunctions(self)

    @cached_property
    def audit(self) -> AsyncAuditFunctions:
        """The functions of audit."""
        from mailreeve.client.functions.audit import AsyncAuditFunctions

        return AsyncAuditFunctions(self)

    @cached_property
    def bulk(self) -> AsyncBulkFunctions:
        """The functions of bulk."""
        from mailreeve.client.functions.bulk import AsyncBulkFunctions

        return AsyncBulkFunctions(self)

    @cached_property
    def digest(self) -> AsyncDigestFunctions:
        """The functions of digest."""
        from mailreeve.client.functions.digest import AsyncDigestFunctions

        return AsyncDigestFunctions(self)

    @cached_property
    def domains(self) -> AsyncDomainsFunctions:
        """The functions of domains."""
        from mailreeve.client.functions.domains import AsyncDomainsFunctions

        return AsyncDomainsFunctions(self)

    @cached_property
    def explain(self) -> AsyncExplainFunctions:
        """The functions of explain."""
        from mailreeve.client.functions.explain import AsyncExplainFunctions

        return AsyncExplainFunctions(self)

    @cached_property
    def groups(self) -> AsyncGroupsFunctions:
        """The functions of groups."""
        from mailreeve.client.functions.groups import AsyncGroupsFunctions

        return AsyncGroupsFunctions(self)

    @cached_property
    def held(self) -> AsyncHeldFunctions:
        """The functions of held."""
        from mailreeve.client.functions.held import AsyncHeldFunctions

        return AsyncHeldFunctions(self)

    @cached_property
    def imports(self) -> AsyncImportsFunctions:
        """The functions of imports."""
        from mailreeve.client.functions.imports import AsyncImportsFunctions

        return AsyncImportsFunctions(self)

    @cached_property
    def lint(self) -> AsyncLintFunctions:
        """The functions of lint."""
        from mailreeve.client.functions.lint import AsyncLintFunctions

        return AsyncLintFunctions(self)

    @cached_property
    def login(self) -> AsyncLoginFunctions:
        """The functions of login."""
        from mailreeve.client.functions.login import AsyncLoginFunctions

        return AsyncLoginFunctions(self)

    @cached_property
    def managed_senders(self) -> AsyncManagedSendersFunctions:
        """The functions of managed senders."""
        from mailreeve.client.functions.managed_senders import AsyncManagedSendersFunctions

        return AsyncManagedSendersFunctions(self)

    @cached_property
    def managed_urls(self) -> AsyncManagedUrlsFunctions:
        """The functions of managed urls."""
        from mailreeve.client.functions.managed_urls import AsyncManagedUrlsFunctions

        return AsyncManagedUrlsFunctions(self)

    @cached_property
    def outgoing(self) -> AsyncOutgoingFunctions:
        """The functions of outgoing."""
        from mailreeve.client.functions.outgoing import AsyncOutgoingFunctions

        return AsyncOutgoingFunctions(self)

    @cached_property
    def overview(self) -> AsyncOverviewFunctions:
        """The functions of overview."""
        from mailreeve.client.functions.overview import AsyncOverviewFunctions

        return AsyncOverviewFunctions(self)

    @cached_property
    def permitted_senders(self) -> AsyncPermittedSendersFunctions:
        """The functions of permitted senders."""
        from mailreeve.client.functions.permitted_senders import AsyncPermittedSendersFunctions

        return AsyncPermittedSendersFunctions(self)

    @cached_property
    def purging(self) -> AsyncPurgingFunctions:
        """The functions of purging."""
        from mailreeve.client.functions.purging import AsyncPurgingFunctions

        return AsyncPurgingFunctions(self)

    @cached_property
    def replay(self) -> AsyncReplayFunctions:
        """The functions of replay."""
        from mailreeve.client.functions.replay import AsyncReplayFunctions

        return AsyncReplayFunctions(self)

    @cached_property
    def roles(self) -> AsyncRolesFunctions:
        """The functions of roles."""
        from mailreeve.client.functions.roles import AsyncRolesFunctions

        return AsyncRolesFunctions(self)

    @cached_property
    def sign_in(self) -> AsyncSignInFunctions:
        """The functions of sign in."""
        from mailreeve.client.functions.sign_in import AsyncSignInFunctions

        return AsyncSignInFunctions(self)

    @cached_property
    def spam_scanning(self) -> AsyncSpamScanningFunctions:
        """The functions of spam scanning."""
        from mailreeve.client.functions.spam_scanning import AsyncSpamScanningFunctions

        return AsyncSpamScanningFunctions(self)

    @cached_property
    def sync(self) -> AsyncSyncFunctions:
        """The functions of sync."""
        from mailreeve.client.functions.sync import AsyncSyncFunctions

        return AsyncSyncFunctions(self)

    @cached_property
    def threat_logs(self) -> AsyncThreatLogsFunctions:
        """The functions of threat logs."""
        from mailreeve.client.functions.threat_logs import AsyncThreatLogsFunctions

        return AsyncThreatLogsFunctions(self)

    @cached_property
    def tracking(self) -> AsyncTrackingFunctions:
        """The functions of tracking."""
        from mailreeve.client.functions.tracking import AsyncTrackingFunctions

        return AsyncTrackingFunctions(self)

    @cached_property
    def users(self) -> AsyncUsersFunctions:
        """The functions of users."""
        from mailreeve.client.functions.users import AsyncUsersFunctions

        return AsyncUsersFunctions(self)

    @cached_property
    def web_allows(self) -> AsyncWebAllowsFunctions:
        """The functions of web allows."""
        from mailreeve.client.functions.web_allows import AsyncWebAllowsFunctions

        return AsyncWebAllowsFunctions(self)

    @cached_property
    def web_log(self) -> AsyncWebLogFunctions:
        """The functions of web log."""
        from mailreeve.client.functions.web_log import AsyncWebLogFunctions

        return AsyncWebLogFunctions(self)

    @cached_property
    def web_places(self) -> AsyncWebPlacesFunctions:
        """The functions of web places."""
        from mailreeve.client.functions.web_places import AsyncWebPlacesFunctions

        return AsyncWebPlacesFunctions(self)

    @cached_property
    def web_proxies(self) -> AsyncWebProxiesFunctions:
        """The functions of web proxies."""
        from mailreeve.client.functions.web_proxies import AsyncWebProxiesFunctions

        return AsyncWebProxiesFunctions(self)

    @cached_property
    def web_zones(self) -> AsyncWebZonesFunctions:
        """The functions of web zones."""
        from mailreeve.client.functions.web_zones import AsyncWebZonesFunctions

        return AsyncWebZonesFunctions(self)
