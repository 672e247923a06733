"""The functions of account. Made by tools/make_client.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from mailreeve.client.aio.api import AsyncApi
    from mailreeve.client.api import Api


class AccountAnswer(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={
        "account_code": "accountCode",
        "account_name": "accountName",
        "admin_email": "adminEmail",
        "contact_email": "contactEmail",
        "mimecast_id": "mimecastId",
        "user_count": "userCount",
        "max_retention": "maxRetention",
        "max_retention_confirmed": "maxRetentionConfirmed",
        "min_retention_enabled": "minRetentionEnabled",
        "automated_segment_purge": "automatedSegmentPurge",
        "policy_inheritance": "policyInheritance",
        "search_reason": "searchReason",
        "content_administrator_default_view": "contentAdministratorDefaultView",
        "admin_session_timeout": "adminSessionTimeout",
        "export_api": "exportApi",
        "exgest_allow_query": "exgestAllowQuery",
        "exgest_allow_extraction": "exgestAllowExtraction",
        "express_account": "expressAccount",
        "cybergraph_v2_enabled": "cybergraphV2Enabled",
        "database_code": "databaseCode",
        "mail_platform": "mailPlatform",
        "support_code": "supportCode",
        "contact_name": "contactName",
        "umbrella_accounts": "umbrellaAccounts",
    },
):
    """An account, with every member that the live service or a client names. The defaults are the honest
    answers for what this server does not have: an archive and its retention, inherited policies, support
    and packages to buy.
    """

    account_code: str = ""
    account_name: str = ""
    admin_email: str = ""
    contact_email: str = ""
    mimecast_id: str = ""
    domain: str = ""
    user_count: int = 0
    region: str = ""
    gateway: bool = False
    type: str = ""
    archive: bool = False
    max_retention: int = 0
    max_retention_confirmed: bool = False
    min_retention_enabled: bool = False
    automated_segment_purge: bool = False
    policy_inheritance: bool = False
    search_reason: bool = False
    content_administrator_default_view: str = ""
    admin_session_timeout: int = 0
    export_api: bool = False
    exgest_allow_query: bool = False
    exgest_allow_extraction: bool = False
    express_account: bool = False
    cybergraph_v2_enabled: bool = False
    database_code: str = ""
    mail_platform: str = ""
    passphrase: str = ""
    support_code: str = ""
    contact_name: str = ""
    telephone: str = ""
    packages: tuple[str, ...] = ()
    umbrella_accounts: tuple[str, ...] = ()


class Notification(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A notice for those who see the dashboard."""

    id: str = ""
    message: str = ""


class PackagesAnswer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The products of an account. There is one: nothing is sold apart here."""

    products: tuple[Product, ...] = ()


class Product(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A product that the account has."""

    id: str = ""
    name: str = ""


class SupportAnswer(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={
        "mailto_link": "mailtoLink",
        "support_jurisdiction": "supportJurisdiction",
        "hosting_jurisdiction": "hostingJurisdiction",
        "main_product": "mainProduct",
        "partner_name": "partnerName",
        "support_package": "supportPackage",
        "customer_development_manager": "customerDevelopmentManager",
        "customer_advocate": "customerAdvocate",
        "renewal_date": "renewalDate",
        "office_phone": "officePhone",
    },
):
    """Whom to ask for help: the account's administrator. What belongs to a contract with a service is empty,
    for there is none here.
    """

    mailto_link: str = ""
    support_jurisdiction: str = ""
    hosting_jurisdiction: str = ""
    main_product: str = ""
    partner_name: str = ""
    support_package: str = ""
    customer_development_manager: str = ""
    customer_advocate: str = ""
    renewal_date: str = ""
    office_phone: str = ""


class AccountFunctions:
    """What can be asked about account."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def get_account(
        self,
        *,
        account_code: str | None = None,
        account_name: str | None = None,
        admin_email: str | None = None,
        region: str | None = None,
        user_count: int | None = None,
    ) -> list[AccountAnswer]:
        """Describe the caller's account."""
        return self._api.all_of(
            AccountAnswer,
            "account/get-account",
            {
                "accountCode": account_code,
                "accountName": account_name,
                "adminEmail": admin_email,
                "region": region,
                "userCount": user_count,
            },
        )

    def get_support_info(self) -> SupportAnswer:
        """Say whom to ask for help."""
        return self._api.one_of(SupportAnswer, "account/get-support-info", {})

    def get_dashboard_notifications(self) -> list[Notification]:
        """List the notices of the operator. There is nobody here who gives any."""
        return self._api.all_of(Notification, "account/get-dashboard-notifications", {})

    def get_packages(self) -> PackagesAnswer:
        """List the products of the caller's account."""
        return self._api.one_of(PackagesAnswer, "provisioning/get-packages", {})


class AsyncAccountFunctions:
    """What can be asked about account."""

    def __init__(self, api: AsyncApi) -> None:
        self._api = api

    async def get_account(
        self,
        *,
        account_code: str | None = None,
        account_name: str | None = None,
        admin_email: str | None = None,
        region: str | None = None,
        user_count: int | None = None,
    ) -> list[AccountAnswer]:
        """Describe the caller's account."""
        return await self._api.all_of(
            AccountAnswer,
            "account/get-account",
            {
                "accountCode": account_code,
                "accountName": account_name,
                "adminEmail": admin_email,
                "region": region,
                "userCount": user_count,
            },
        )

    async def get_support_info(self) -> SupportAnswer:
        """Say whom to ask for help."""
        return await self._api.one_of(SupportAnswer, "account/get-support-info", {})

    async def get_dashboard_notifications(self) -> list[Notification]:
        """List the notices of the operator. There is nobody here who gives any."""
        return await self._api.all_of(Notification, "account/get-dashboard-notifications", {})

    async def get_packages(self) -> PackagesAnswer:
        """List the products of the caller's account."""
        return await self._api.one_of(PackagesAnswer, "provisioning/get-packages", {})
