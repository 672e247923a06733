"""The account endpoints (api.md section 3.9)."""

from __future__ import annotations

from typing import Final

from mailreeve.access.permissions import Permission
from mailreeve.families.directory.account import rows
from mailreeve.families.directory.account.operations import REGION
from mailreeve.families.directory.account.types import (
    AccountAnswer,
    AskNothing,
    FindAccount,
    Notification,
    PackagesAnswer,
    Product,
    SupportAnswer,
)
from mailreeve.families.directory.domains import rows as domains
from mailreeve.families.directory.users import rows as users
from mailreeve.families.machinery.call import Call
from mailreeve.wire.endpoint import endpoint
from mailreeve.wire.tokens import Kind


@endpoint("account/get-account", Permission.ACCOUNT_DASHBOARD_READ)
def get_account(call: Call, item: FindAccount) -> list[AccountAnswer]:
    """Describe the caller's account."""
    account = rows.get(call.work)
    first = domains.first(call.work)
    answer = AccountAnswer(
        account_code=account.code,
        account_name=account.name,
        admin_email=account.admin_email,
        contact_email=account.admin_email,
        mimecast_id=call.seal(Kind.ACCOUNT, account.id),
        domain="" if first is None else first.shown,
        user_count=users.count(call.work),
        region=REGION,
    )
    return [answer] if _fits(item, answer) else []


@endpoint("account/get-support-info", Permission.ACCOUNT_DASHBOARD_READ)
def get_support_info(call: Call, item: AskNothing) -> SupportAnswer:
    """Say whom to ask for help."""
    account = rows.get(call.work)
    return SupportAnswer(
        mailto_link=f"mailto:{account.admin_email}", support_jurisdiction=REGION, hosting_jurisdiction=REGION
    )


@endpoint("account/get-dashboard-notifications", Permission.ACCOUNT_DASHBOARD_READ)
def get_dashboard_notifications(call: Call, item: AskNothing) -> list[Notification]:
    """List the notices of the operator. There is nobody here who gives any."""
    return []


def _fits(asked: FindAccount, found: AccountAnswer) -> bool:
    texts = (
        (asked.account_code, found.account_code),
        (asked.account_name, found.account_name),
        (asked.admin_email, found.admin_email),
        (asked.region, found.region),
    )
    return asked.user_count in (None, found.user_count) and all(
        wanted is None or wanted.casefold() == text.casefold() for wanted, text in texts
    )


@endpoint("provisioning/get-packages")
def get_packages(call: Call, item: AskNothing) -> PackagesAnswer:
    """List the products of the caller's account."""
    return PackagesAnswer([Product("mailreeve", "Mailreeve")])


ENDPOINTS: Final = (get_account, get_support_info, get_dashboard_notifications, get_packages)
