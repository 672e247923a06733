"""The item and answer of the account endpoint (api.md section 3.9)."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct


class FindAccount(Struct, frozen=True, rename="camel"):
    """Which account to show. One client sends these as filters; the caller's account shows if all of them fit."""

    account_code: str | None = None
    account_name: str | None = None
    admin_email: str | None = None
    region: str | None = None
    user_count: int | None = None


class AskNothing(Struct, frozen=True):
    """An item that says nothing."""


class SupportAnswer(Struct, frozen=True, rename="camel"):
    """Whom to ask for help: the account's administrator. What belongs to a contract with a service is empty, for
    there is none here (api.md section 3.9)."""

    mailto_link: str
    support_jurisdiction: str
    hosting_jurisdiction: str
    main_product: str = "Mailreeve"
    partner_name: str = ""
    support_package: str = ""
    customer_development_manager: str = ""
    customer_advocate: str = ""
    renewal_date: str = ""
    office_phone: str = ""


class Notification(Struct, frozen=True, rename="camel"):
    """A notice for those who see the dashboard."""

    id: str
    message: str


class Product(Struct, frozen=True):
    """A product that the account has."""

    id: str
    name: str


class PackagesAnswer(Struct, frozen=True):
    """The products of an account. There is one: nothing is sold apart here."""

    products: Sequence[Product]


class AccountAnswer(Struct, frozen=True, rename="camel"):
    """An account, with every member that the live service or a client names.

    The defaults are the honest answers for what this server does not have: an archive and its retention, inherited
    policies, support and packages to buy.
    """

    account_code: str
    account_name: str
    admin_email: str
    contact_email: str
    mimecast_id: str
    domain: str
    user_count: int
    region: str
    gateway: bool = True
    type: str = "full"
    archive: bool = False
    max_retention: int = 0
    max_retention_confirmed: bool = False
    min_retention_enabled: bool = False
    automated_segment_purge: bool = False
    policy_inheritance: bool = False
    search_reason: bool = False
    content_administrator_default_view: str = "Metadata"
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
    packages: Sequence[str] = ()
    umbrella_accounts: Sequence[str] = ()
