"""Who is calling, for which account, and from where? Handed in with every call and every transaction."""

from __future__ import annotations

from msgspec import Struct

from mailreeve.access.permissions import Permission


class Caller(Struct, frozen=True):
    """An authenticated caller. Everything it does is bound to `account_id`.

    `actor` is how the audit log names it: the user's address, or the application's name for a call
    that acts as the application itself. `user_id` is empty for the latter. `application` is the name of the
    application that is used, and `app_id` the id that it goes by; both are empty for a command line. `in_person`
    says that the user may do with it all that the user may do: only then does it open the user's own mailbox, and
    those that were opened to the user. Keys that were made for less do not. `binding_id` is which of the user's
    keys are used; it is empty for a token, and for a password. `reached_at` is where the caller found us, such as
    `https://mail.example.com`, for who asks where to call.
    """

    account_id: str
    actor: str
    application_id: str
    permissions: frozenset[Permission]
    user_id: str = ""
    application: str = ""
    app_id: str = ""
    in_person: bool = False
    binding_id: str = ""
    reached_at: str = ""

    def may(self, any_of: tuple[Permission, ...]) -> bool:
        """Whether one of the permissions is held. An empty tuple asks for none."""
        return not any_of or not self.permissions.isdisjoint(any_of)


class Origin(Struct, frozen=True):
    """Who asks for a change, for the audit log: the user, and the application that was used, by its name and its
    id. `acting_for` is set where a delegate acts for another."""

    actor: str
    source_ip: str = ""
    request_id: str = ""
    acting_for: str = ""
    application: str = ""
    app_id: str = ""
