"""What may a decision look at? These facts, the policy set, and nothing else. Time is a fact."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from mailreeve.formats.addresses import Address, Domain, Sender
from mailreeve.formats.authors import HeaderFrom
from mailreeve.formats.malformed import Flaw
from mailreeve.formats.networks import IPAddress
from mailreeve.policy.model.authentication import Authentication as Authentication  # one of the facts
from mailreeve.policy.model.content import SpamVerdict

MAX_HEADER_OCTETS: Final = 262_144
"""The longest header that is decided upon: more than any honest one has; it bounds the work of reading it."""


class MessageFacts(Struct, frozen=True, gc=False):
    """One message on its way to one recipient.

    `recipient` is the envelope recipient as the sender wrote it (D-20). `header_from` is None while
    the header is unknown, that is until the end of data; an empty tuple means that the message has
    no From header. `at` is in POSIX seconds. `authentication` is what SPF, DKIM and DMARC say; None
    where nobody was asked, and while that is still to come, that is until the end of data.

    `source_trusted` says whether the source counts as one of the relay networks. None leaves that to
    `source_ip`, and where no address is known the answer is no: a door that cannot say who is calling
    must not relay for them. Whoever asks in the abstract, without a source in mind, says True.

    `spam` is what a spam engine said of the content, None where none was asked. `flaws` are what is broken in the
    form of the message. Both come with the end of the data, as the header does.
    """

    sender: Sender
    recipient: Address
    at: float
    header_from: tuple[HeaderFrom, ...] | None = None
    source_ip: IPAddress | None = None
    authentication: Authentication | None = None
    source_trusted: bool | None = None
    spam: SpamVerdict | None = None
    flaws: tuple[Flaw, ...] = ()


class WebFacts(Struct, frozen=True, gc=False):
    """One web request: the URL as asked for, the browsing user if known, where from, and when.

    `is_stranger` says that somebody was authenticated whom the directory does not know: not the user either whose
    address `source_ip` is.
    """

    url: str
    at: float
    user: Address | None = None
    source_ip: IPAddress | None = None
    is_stranger: bool = False


class User(Struct, frozen=True, gc=False):
    """An internal user as the policies see one: the primary address's key and the attribute values.

    `attributes` maps an attribute's id to its value, case-folded (D-41). `former` are the keys of the primary
    addresses before this one, the newest last: they explain, and decide nothing.
    """

    primary: str
    attributes: Mapping[str, str] = {}
    former: tuple[str, ...] = ()


class Directory(Struct, frozen=True, gc=False):
    """What an account's directory says about addresses.

    - `internal_domains`: its registered domains
    - `known_only`: those of them that accept mail for known recipients only (api.md section 3.8)
    - `users`: from an address's key, primary or alias, to its user
    - `groups`: from an address's key, a domain, or one with all below it (`targets.BELOW`), to the ids of the
      groups that hold it as a member
    - `ends`: from such a member to those of its groups in which it is for a time only, and until when, in POSIX
      seconds; from that instant on it is in them no more
    - `parents`: from a group's id to its parent's, for nesting (D-03); absent for those at the root
    - `group_names`: from a group's id to its name, for explanations
    - `free_mail`: the free-mail domains in force, `free_mail_version` names the list (D-44)
    """

    internal_domains: frozenset[Domain] = frozenset()
    known_only: frozenset[Domain] = frozenset()
    users: Mapping[str, User] = {}
    groups: Mapping[str, tuple[str, ...]] = {}
    ends: Mapping[str, Mapping[str, float]] = {}
    parents: Mapping[str, str] = {}
    group_names: Mapping[str, str] = {}
    free_mail: frozenset[str] = frozenset()
    free_mail_version: str = ""


class GroupPlace(Struct, frozen=True, gc=False):
    """A group's name, and the group right above it, if any."""

    name: str
    parent: str | None


class DirectoryChanges(Struct, frozen=True):
    """What has become of single objects of a directory. Whatever is not named stays.

    - `internal_domains` and `known_only`: all of them, where any domain changed
    - `users`: from an address's key to its user, or to None if it is nobody's any more
    - `members`: from an address's key or a bare domain to all groups that hold it, none for a former member
    - `ends`: of these members, as in `Directory`
    - `groups`: from a group's id to its place, or to None if it is gone
    """

    internal_domains: frozenset[Domain] | None = None
    known_only: frozenset[Domain] | None = None
    users: Mapping[str, User | None] = {}
    members: Mapping[str, tuple[str, ...]] = {}
    ends: Mapping[str, Mapping[str, float]] = {}
    groups: Mapping[str, GroupPlace | None] = {}
