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
