"""The functions about signing in, those of the API (api.md section 2.4) and ours."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from msgspec import UNSET, UnsetType

from mailreeve.families.login.sign_in import operations, rows
from mailreeve.families.login.sign_in.check import SCHEME
from mailreeve.families.login.sign_in.types import (
    ChangedPassword,
    Discover,
    Discovered,
    MyKey,
    MyKeys,
    NewPassword,
    Region,
    RevokeMyKey,
    SignedIn,
    SignedOut,
    SignIn,
    SignOut,
)
from mailreeve.families.machinery.call import Call
from mailreeve.wire import fields
from mailreeve.wire.endpoint import Admission, endpoint
from mailreeve.wire.pagination import Page


@endpoint("login/discover-authentication", most=1, admits=Admission.APPLICATION)
def discover_authentication(call: Call, item: Discover) -> Discovered:
    """Say how users sign in, and where to call."""
    fields.address(item.email_address, "emailAddress")
    return Discovered(
        authenticate=[SCHEME],
        email_address=item.email_address,
        email_token=operations.token_of(call, item.email_address),
        region=Region("local", call.installation.public_url or call.caller.reached_at),
    )


@endpoint("login/login", writes=True, most=1, admits=Admission.PASSWORD)
def login(call: Call, item: SignIn) -> SignedIn:
    """Get keys for a password, or more time for those there are."""
    given = operations.sign_in(call, item)
    return SignedIn(
        access_key=given.access_key,
        secret_key=given.secret_key,
        binding_type="one_step",
        duration=given.duration,
        extend_on_validate=False,
        last_user_token=operations.token_of(call, given.user.address),
        username=given.user.address,
    )


@endpoint("login/logout", writes=True, most=1)
def logout(call: Call, item: SignOut) -> SignedOut:
    """Give keys back: those of the call, or others of the caller."""
    return SignedOut(operations.sign_out(call, item.access_key))


@endpoint(
    "ext/change-password",
    writes=True,
    most=1,
    prepare=operations.prepare_password,
    admits=Admission.PASSWORD,
)
def change_password(call: Call, new: NewPassword) -> ChangedPassword:
    """Change one's own password, the one of the Authorization header."""
    user = operations.change_password(call, new)
    return ChangedPassword(user.address, fields.written(call.work.now))


@endpoint("ext/get-my-keys")
def get_my_keys(call: Call, item: MyKeys) -> Page[MyKey]:
    """List the caller's own keys; nothing secret."""
    page = rows.page(call.work, call.page, call.caller.user_id)
    return page.showing(
        [
            MyKey(
                access_key=one.access_key,
                app_id=one.app_id,
                application=one.application,
                created=fields.written(one.created_at),
                is_this=one.id == call.caller.binding_id,
                signed_in=_moment(one.signed_in_at),
                expires=_moment(one.expires_at),
                last_used=_moment(one.last_used_at),
                last_used_from=one.last_used_from or UNSET,
            )
            for one in page.rows
        ]
    )


@endpoint("ext/revoke-my-key", writes=True)
def revoke_my_key(call: Call, item: RevokeMyKey) -> SignedOut:
    """Make one of the caller's own keys void."""
    return SignedOut(operations.sign_out(call, item.access_key))


def _moment(value: datetime | None) -> str | UnsetType:
    return UNSET if value is None else fields.written(value)


ENDPOINTS: Final = (discover_authentication, login, logout, change_password, get_my_keys, revoke_my_key)
