"""An address and whatever stands for it meet the same verdict, whatever becomes of the account (D-53, D-18).

Aliases come and go, groups are given members of all kinds, a domain turns internal, users go and are made anew.
Left out are policies that name an alias or a tag themselves, or the domain of aliases alone: those have a test of
their own.
"""

from __future__ import annotations

from effort import examples
from hypothesis import Phase, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from policy_parts import parts

from mailreeve.formats.addresses import Domain, parse_address
from mailreeve.formats.authors import HeaderFrom
from mailreeve.policy.decide.mail import decide_mail
from mailreeve.policy.decide.web import decide_web
from mailreeve.policy.index.policy_set import PolicySet
from mailreeve.policy.model.authentication import SUPPOSED
from mailreeve.policy.model.facts import Directory, DirectoryChanges, GroupPlace, MessageFacts, User, WebFacts
from mailreeve.policy.model.identities import Identities
from mailreeve.policy.model.policies import (
    AlterationPolicy,
    BlockedOption,
    BlockedSenderPolicy,
    Changes,
    FromPart,
    ManagedAction,
    ManagedSender,
    PermittedSenderPolicy,
    Scope,
    WebAction,
    WebEntry,
    WebEntryType,
    WebPolicy,
)
from mailreeve.policy.model.targets import Target, TargetType

T = TargetType
CORP, OLD = Domain("corp.test"), Domain("old.test")
PRIMARIES = ("ann@corp.test", "bob@corp.test", "box@corp.test")  # the last one is nobody's
ALIASES = ("a.1@old.test", "sales+eu@corp.test", "a2@corp.test")
GROUPS = ("inner", "outer", "other")
STRANGER = parse_address("x@bad.test")
TARGETS = (
    *(Target.of(kind) for kind in (T.EVERYONE, T.INTERNAL_ADDRESSES, T.EXTERNAL_ADDRESSES)),
    *(Target.of(T.EMAIL_DOMAIN, name) for name in (CORP, "bad.test")),
    *(Target.of(T.PROFILE_GROUP, group) for group in GROUPS),
    Target.of(T.ADDRESS_ATTRIBUTE_VALUE, "sales", "1"),
    *(Target.of(T.INDIVIDUAL_EMAIL_ADDRESS, key) for key in (*PRIMARIES, STRANGER.key)),
)
targets = st.sampled_from(TARGETS)
scopes = st.builds(
    Scope.of,
    from_=targets,
    to=targets,
    from_part=st.sampled_from(FromPart),
    override=st.booleans(),
    bidirectional=st.booleans(),
)
MEMBERS = (*PRIMARIES, *ALIASES, "ann+t@corp.test", "box+t@corp.test", "a2+t@corp.test", "b+t@old.test", CORP)
members = st.sampled_from(MEMBERS)
numbers = st.integers(0, 3)
held = st.lists(st.sampled_from(GROUPS), max_size=2, unique=True).map(tuple)


class Someone(RuleBasedStateMachine):
    """An account whose directory and policies change, and the set that its changes have led to."""

    def __init__(self) -> None:
        super().__init__()
        self.users = {key: User(key) for key in PRIMARIES[:2]}
        self.internal = frozenset({CORP})
        self.policies = PolicySet.build(
            account_id="account",
            revision=0,
            directory=Directory(
                internal_domains=self.internal,
                users=self.users,
                parents={"inner": "outer"},
                group_names={group: group for group in GROUPS},
            ),
        )

    def change(self, **named: object) -> None:
        self.policies = self.policies.changed(revision=self.policies.revision + 1, **parts(**named))

    @initialize()
    def two_domains(self):
        """The aliases' domain is ours from the start, most of the time."""
        self.turn_domain()

    @rule()
    def turn_domain(self):
        """Without it there are no aliases in it either."""
        self.internal ^= {OLD}
        gone = {key: None for key in self.users if key.endswith(OLD)}
        self.users = {key: user for key, user in self.users.items() if key not in gone}
        self.change(directory=DirectoryChanges(internal_domains=self.internal, users=gone))

    @rule(alias=st.sampled_from(ALIASES), primary=st.sampled_from(PRIMARIES[:2]))
    def add_alias(self, alias, primary):
        if primary in self.users and (OLD in self.internal or not alias.endswith(OLD)):
            self.users[alias] = self.users[primary]
            self.change(directory=DirectoryChanges(users={alias: self.users[primary]}))

    @rule(alias=st.sampled_from(ALIASES))
    def remove_alias(self, alias):
        self.users.pop(alias, None)
        self.change(directory=DirectoryChanges(users={alias: None}))

    @rule(primary=st.sampled_from(PRIMARIES[:2]), value=st.sampled_from((None, "sales", "other")))
    def put_user(self, primary, value):
        """Made, made anew, or with another attribute, which is that of all addresses."""
        user = User(primary, {"1": value} if value else {})
        theirs = {key: user for key, one in self.users.items() if one.primary == primary} | {primary: user}
        self.users |= theirs
        self.change(directory=DirectoryChanges(users=theirs))

    @rule(primary=st.sampled_from(PRIMARIES[:2]))
    def delete_user(self, primary):
        gone = dict.fromkeys(key for key, one in self.users.items() if one.primary == primary)
        self.users = {key: user for key, user in self.users.items() if key not in gone}
        self.change(directory=DirectoryChanges(users=gone))

    @rule(member=members, groups=held)
    def put_member(self, member, groups):
        self.change(directory=DirectoryChanges(members={member: groups}))

    @rule(group=st.sampled_from(GROUPS), parent=st.sampled_from((None, "outer")))
    def move_group(self, group, parent):
        place = GroupPlace(group, None if parent == group else parent)
        self.change(directory=DirectoryChanges(groups={group: place}))

    @rule(number=numbers, scope=scopes, option=st.sampled_from(BlockedOption))
    def put_blocked(self, number, scope, option):
        self.change(blocked=Changes([BlockedSenderPolicy(f"b{number}", "", scope, option, 1.0)]))

    @rule(number=numbers, scope=scopes)
    def put_permitted(self, number, scope):
        self.change(permitted=Changes([PermittedSenderPolicy(f"p{number}", "", scope, 1.0)]))

    @rule(number=numbers, scope=scopes)
    def put_alteration(self, number, scope):
        self.change(alteration=Changes([AlterationPolicy(f"a{number}", "", scope, f"S{number}", 1.0)]))

    @rule(number=numbers, who=targets, action=st.sampled_from(WebAction))
    def put_list(self, number, who, action):
        entry = WebEntry(f"e{number}", WebEntryType.DOMAIN, "x.test", action)
        self.change(web=Changes([WebPolicy(f"w{number}", "", (Scope(who),), (entry,), 1.0)]))

    @rule(
        recipient=st.sampled_from(PRIMARIES),
        sender=st.sampled_from((*PRIMARIES, CORP, STRANGER.key)),
        action=st.sampled_from(ManagedAction),
    )
    def put_entry(self, recipient, sender, action):
        entry = ManagedSender(f"{recipient} {sender}", recipient, sender, action)
        self.change(managed=Changes([entry]))

    @invariant()
    def all_stand_ins_fare_alike(self):
        """As envelope sender, author and recipient, and as a user on the web."""
        for primary in PRIMARIES:
            addresses = [primary, *(key for key, user in self.users.items() if user.primary == primary)]
            addresses += [key.replace("@", "+tag@") for key in addresses]
            addresses += [f"{key.partition('@')[0]}+x+y@{key.partition('@')[2]}" for key in addresses[:1]]
            first, *others = [self.fates(key) for key in dict.fromkeys(addresses)]
            event(f"stand-ins: {min(len(others), 4)}")
            for other, address in zip(others, list(dict.fromkeys(addresses))[1:], strict=True):
                assert other == first, f"{address} is not as {primary}"

    @invariant()
    def is_who_the_directory_made_anew_says(self):
        """Of all that can occur, named or not."""
        identities = self.policies.identities
        anew = Identities(identities.directory)
        for text in (*PRIMARIES, *ALIASES, *MEMBERS[:-1], "box+u@corp.test", "a2+u@corp.test", "new@old.test"):
            address = parse_address(text)
            assert set(identities.keys(address)) == set(anew.keys(address)), text
            assert identities.user(address) == anew.user(address)
            assert identities.way(address) == anew.way(address)
        for target in TARGETS:
            assert identities.can_match(target) is anew.can_match(target)

    def fates(self, key: str) -> list[object]:
        """What becomes of mail to and from the address, and of a web request."""
        someone, bob = parse_address(key), parse_address("bob@corp.test")
        header = (HeaderFrom(someone),)
        mail = [
            MessageFacts(STRANGER, someone, 5.0, (HeaderFrom(STRANGER),), source_trusted=True),
            MessageFacts(someone, bob, 5.0, None, source_trusted=True),
            MessageFacts(someone, bob, 5.0, header, authentication=SUPPOSED, source_trusted=True),
            MessageFacts(STRANGER, bob, 5.0, header, source_trusted=True),
            MessageFacts(someone, STRANGER, 5.0, header, source_trusted=True),
        ]
        decisions = [decide_mail(self.policies, facts) for facts in mail]
        web = decide_web(self.policies, WebFacts("http://x.test/", 5.0, someone))
        return [
            *((one.action, one.reply, one.layer, one.spam_checks, one.stage, one.winners) for one in decisions),
            (web.verdict, web.policy_id),
        ]


TestSomeone = Someone.TestCase
TestSomeone.settings = settings(
    max_examples=examples(60),
    stateful_step_count=25,
    deadline=None,
    # Shrinking many steps takes longer than reading them.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
