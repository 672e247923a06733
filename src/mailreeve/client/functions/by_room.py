"""Which rooms has the API? Each is loaded when it is asked for. Made by tools/make_client.py."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from mailreeve.client.api import Api

if TYPE_CHECKING:
    from mailreeve.client.functions.account import AccountFunctions
    from mailreeve.client.functions.administrators import AdministratorsFunctions
    from mailreeve.client.functions.anti_spoofing import AntiSpoofingFunctions
    from mailreeve.client.functions.anti_spoofing_bypass import AntiSpoofingBypassFunctions
    from mailreeve.client.functions.archive import ArchiveFunctions
    from mailreeve.client.functions.audit import AuditFunctions
    from mailreeve.client.functions.bulk import BulkFunctions
    from mailreeve.client.functions.digest import DigestFunctions
    from mailreeve.client.functions.domains import DomainsFunctions
    from mailreeve.client.functions.explain import ExplainFunctions
    from mailreeve.client.functions.groups import GroupsFunctions
    from mailreeve.client.functions.held import HeldFunctions
    from mailreeve.client.functions.imports import ImportsFunctions
    from mailreeve.client.functions.lint import LintFunctions
    from mailreeve.client.functions.login import LoginFunctions
    from mailreeve.client.functions.managed_senders import ManagedSendersFunctions
    from mailreeve.client.functions.managed_urls import ManagedUrlsFunctions
    from mailreeve.client.functions.outgoing import OutgoingFunctions
    from mailreeve.client.functions.overview import OverviewFunctions
    from mailreeve.client.functions.permitted_senders import PermittedSendersFunctions
    from mailreeve.client.functions.purging import PurgingFunctions
    from mailreeve.client.functions.replay import ReplayFunctions
    from mailreeve.client.functions.roles import RolesFunctions
    from mailreeve.client.functions.sign_in import SignInFunctions
    from mailreeve.client.functions.spam_scanning import SpamScanningFunctions
    from mailreeve.client.functions.sync import SyncFunctions
    from mailreeve.client.functions.threat_logs import ThreatLogsFunctions
    from mailreeve.client.functions.tracking import TrackingFunctions
    from mailreeve.client.functions.users import UsersFunctions
    from mailreeve.client.functions.web_allows import WebAllowsFunctions
    from mailreeve.client.functions.web_log import WebLogFunctions
    from mailreeve.client.functions.web_places import WebPlacesFunctions
    from mailreeve.client.functions.web_proxies import WebProxiesFunctions
    from mailreeve.client.functions.web_zones import WebZonesFunctions


class Functions(Api):
    """A method for every function, by room."""

    @cached_property
    def account(self) -> AccountFunctions:
        """The functions of account."""
        from mailreeve.client.functions.account import AccountFunctions

        return AccountFunctions(self)

    @cached_property
    def administrators(self) -> AdministratorsFunctions:
        """The functions of administrators."""
        from mailreeve.client.functions.administrators import AdministratorsFunctions

        return AdministratorsFunctions(self)

    @cached_property
    def anti_spoofing(self) -> AntiSpoofingFunctions:
        """The functions of anti spoofing."""
        from mailreeve.client.functions.anti_spoofing import AntiSpoofingFunctions

        return AntiSpoofingFunctions(self)

    @cached_property
    def anti_spoofing_bypass(self) -> AntiSpoofingBypassFunctions:
        """The functions of anti spoofing bypass."""
        from mailreeve.client.functions.anti_spoofing_bypass import AntiSpoofingBypassFunctions

        return AntiSpoofingBypassFunctions(self)

    @cached_property
    def archive(self) -> ArchiveFunctions:
        """The functions of archive."""
        from mailreeve.client.functions.archive import ArchiveFunctions

        return ArchiveFunctions(self)

    @cached_property
    def audit(self) -> AuditFunctions:
        """The functions of audit."""
        from mailreeve.client.functions.audit import AuditFunctions

        return AuditFunctions(self)

    @cached_property
    def bulk(self) -> BulkFunctions:
        """The functions of bulk."""
        from mailreeve.client.functions.bulk import BulkFunctions

        return BulkFunctions(self)

    @cached_property
    def digest(self) -> DigestFunctions:
        """The functions of digest."""
        from mailreeve.client.functions.digest import DigestFunctions

        return DigestFunctions(self)

    @cached_property
    def domains(self) -> DomainsFunctions:
        """The functions of domains."""
        from mailreeve.client.functions.domains import DomainsFunctions

        return DomainsFunctions(self)

    @cached_property
    def explain(self) -> ExplainFunctions:
        """The functions of explain."""
        from mailreeve.client.functions.explain import ExplainFunctions

        return ExplainFunctions(self)

    @cached_property
    def groups(self) -> GroupsFunctions:
        """The functions of groups."""
        from mailreeve.client.functions.groups import GroupsFunctions

        return GroupsFunctions(self)

    @cached_property
    def held(self) -> HeldFunctions:
        """The functions of held."""
        from mailreeve.client.functions.held import HeldFunctions

        return HeldFunctions(self)

    @cached_property
    def imports(self) -> ImportsFunctions:
        """The functions of imports."""
        from mailreeve.client.functions.imports import ImportsFunctions

        return ImportsFunctions(self)

    @cached_property
    def lint(self) -> LintFunctions:
        """The functions of lint."""
        from mailreeve.client.functions.lint import LintFunctions

        return LintFunctions(self)

    @cached_property
    def login(self) -> LoginFunctions:
        """The functions of login."""
        from mailreeve.client.functions.login import LoginFunctions

        return LoginFunctions(self)

    @cached_property
    def managed_senders(self) -> ManagedSendersFunctions:
        """The functions of managed senders."""
        from mailreeve.client.functions.managed_senders import ManagedSendersFunctions

        return ManagedSendersFunctions(self)

    @cached_property
    def managed_urls(self) -> ManagedUrlsFunctions:
        """The functions of managed urls."""
        from mailreeve.client.functions.managed_urls import ManagedUrlsFunctions

        return ManagedUrlsFunctions(self)

    @cached_property
    def outgoing(self) -> OutgoingFunctions:
        """The functions of outgoing."""
        from mailreeve.client.functions.outgoing import OutgoingFunctions

        return OutgoingFunctions(self)

    @cached_property
    def overview(self) -> OverviewFunctions:
        """The functions of overview."""
        from mailreeve.client.functions.overview import OverviewFunctions

        return OverviewFunctions(self)

    @cached_property
    def permitted_senders(self) -> PermittedSendersFunctions:
        """The functions of permitted senders."""
        from mailreeve.client.functions.permitted_senders import PermittedSendersFunctions

        return PermittedSendersFunctions(self)

    @cached_property
    def purging(self) -> PurgingFunctions:
        """The functions of purging."""
        from mailreeve.client.functions.purging import PurgingFunctions

        return PurgingFunctions(self)

    @cached_property
    def replay(self) -> ReplayFunctions:
        """The functions of replay."""
        from mailreeve.client.functions.replay import ReplayFunctions

        return ReplayFunctions(self)

    @cached_property
    def roles(self) -> RolesFunctions:
        """The functions of roles."""
        from mailreeve.client.functions.roles import RolesFunctions

        return RolesFunctions(self)

    @cached_property
    def sign_in(self) -> SignInFunctions:
        """The functions of sign in."""
        from mailreeve.client.functions.sign_in import SignInFunctions

        return SignInFunctions(self)

    @cached_property
    def spam_scanning(self) -> SpamScanningFunctions:
        """The functions of spam scanning."""
        from mailreeve.client.functions.spam_scanning import SpamScanningFunctions

        return SpamScanningFunctions(self)

    @cached_property
    def sync(self) -> SyncFunctions:
        """The functions of sync."""
        from mailreeve.client.functions.sync import SyncFunctions

        return SyncFunctions(self)

    @cached_property
    def threat_logs(self) -> ThreatLogsFunctions:
        """The functions of threat logs."""
        from mailreeve.client.functions.threat_logs import ThreatLogsFunctions

        return ThreatLogsFunctions(self)

    @cached_property
    def tracking(self) -> TrackingFunctions:
        """The functions of tracking."""
        from mailreeve.client.functions.tracking import TrackingFunctions

        return TrackingFunctions(self)

    @cached_property
    def users(self) -> UsersFunctions:
        """The functions of users."""
        from mailreeve.client.functions.users import UsersFunctions

        return UsersFunctions(self)

    @cached_property
    def web_allows(self) -> WebAllowsFunctions:
        """The functions of web allows."""
        from mailreeve.client.functions.web_allows import WebAllowsFunctions

        return WebAllowsFunctions(self)

    @cached_property
    def web_log(self) -> WebLogFunctions:
        """The functions of web log."""
        from mailreeve.client.functions.web_log import WebLogFunctions

        return WebLogFunctions(self)

    @cached_property
    def web_places(self) -> WebPlacesFunctions:
        """The functions of web places."""
        from mailreeve.client.functions.web_places import WebPlacesFunctions

        return WebPlacesFunctions(self)

    @cached_property
    def web_proxies(self) -> WebProxiesFunctions:
        """The functions of web proxies."""
        from mailreeve.client.functions.web_proxies import WebProxiesFunctions

        return WebProxiesFunctions(self)

    @cached_property
    def web_zones(self) -> WebZonesFunctions:
        """The functions of web zones."""
        from mailreeve.client.functions.web_zones import WebZonesFunctions

        return WebZonesFunctions(self)
