"""What the explanation says of a message is what becomes of it, over many drawn policies and messages.

Every round sets policies and personal lists drawn with a fixed seed, explains a batch of drawn messages, and then
sends each of them. The door and the endpoint have to agree in every case (design.md sections 1 and 7). The same
behind a server that says what it found about SPF, DKIM and DMARC.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random

from mailreeve.client import DefinitionItem, Policy

SEED = 20_261_122
ROUNDS = 15
MESSAGES = 12  # in each round

FORMER = "former.test"  # a second domain of the account, whose addresses are altered
FOLDED = "\r\n ".join(["N" * 60] * 18)
WORDS = "\r\n ".join(["=?utf-8?B?w5xuw69jw7Zkw6kgbsOkbcOp?="] * 40)
SENDERS = ["ann@a.test", "bob@a.test", "Ann+news@a.test", "cat@b.test", "eve@gmail.com", "staff@corp.test", ""]
AUTHORS = [
    None,
    "Ann <ann@a.test>",
    '"Big Boss" <cat@b.test>',
    "=?utf-8?q?Big_Boss?= <eve@gmail.com>",
    "Bøss <bob@a.test>",
    "Ann <ann@a.test>, Cat <cat@b.test>",
    "boss@corp.test",
    '"ann@a.test" <cat@b.test>',
    "ann@a.test <cat@b.test",
    "cat@b.test (no, ann@a.test)",
    "Team: ann@a.test, cat@b.test;",
    "nobody in particular",
    "",  # no From field at all
    "Jo <jo@former.test.>",
    "Jo <JO@Former.Test",
    f"{FOLDED} <jo@former.test>",
    f"{WORDS} <kim@former.test>",
    f"{'l' * 70}@former.test",
    "Jo (the old one) <jo(x)@former.test> (home)",
    '"jo"@former.test',
    '"kim jo"@former.test, Ann <ann@a.test>',
    "Old: jo@former.test, kim@former.test;",
    "=?utf-8?q?kim=40former.test?=",
    "kim@former.test jo@former.test",
    '"jo@former.test" <ann@a.test>',
    "\x85ann@a.test",
]
RECIPIENTS = ["u@corp.test", "v@corp.test", "u+tag@corp.test", f"jo@{FORMER}", f"kim@{FORMER}", "x@out.test"]
NAMES = ["Big Boss", "Bøss", "ann@a.test"]

# As in requests: a target's type with what it needs.
ADDRESSES = [{"type": "individual_email_address", "emailAddress": a} for a in (*SENDERS[:-1], *RECIPIENTS)]
DOMAINS = [{"type": "email_domain", "emailDomain": d} for d in ("a.test", "b.test", "corp.test", FORMER)]
CLASSES = [
    {"type": name} for name in ("everyone", "internal_addresses", "external_addresses", "free_mail_domains")
]
DISPLAY_NAMES = [{"type": "header_display_name", "headerDisplayName": name} for name in NAMES]


def drawn_policy(draw: Random, groups: list[str]) -> dict[str, object]:
    """An item of `create-policy` for blocked senders."""
    now = datetime.now(UTC)
    in_groups = [{"type": "profile_group", "groupId": group} for group in groups]
    policy: dict[str, object] = {
        "description": f"drawn {draw.random()}",
        "from": draw.choice(draw.choice([ADDRESSES, DOMAINS, CLASSES, DISPLAY_NAMES, in_groups])),
        "to": draw.choice(draw.choice([ADDRESSES, DOMAINS, CLASSES, in_groups])),
        "fromPart": draw.choice(["envelope_from", "envelope_from", "header_from", "both"]),
        "override": draw.random() < 0.2,
        "bidirectional": draw.random() < 0.2,
        "enabled": draw.random() < 0.9,
    }
    if policy["from"] == policy["to"] == {"type": "external_addresses"}:
        policy["to"] = {"type": "everyone"}  # what the account's own fixed policy covers is refused
    if draw.random() < 0.3:
        policy["conditions"] = {"sourceIPs": [draw.choice(["127.0.0.0/8", "192.0.2.0/24", "::/0"])]}
    if draw.random() < 0.15:
        policy["toDate"] = (now + timedelta(hours=draw.choice([-1, 1]))).isoformat()
    if draw.random() < 0.15:
        policy["fromDate"] = (now + timedelta(hours=draw.choice([-2, 2]))).isoformat()
    if policy.get("fromDate", "") >= policy.get("toDate", "9"):
        del policy["fromDate"]
    return {"option": draw.choice(["block_sender", "block_sender", "no_action"]), "policy": policy}


def drawn_entries(draw: Random) -> list[dict[str, str]]:
    """Items for personal lists, which stay: later rounds add to them and turn them."""
    senders = [*SENDERS[:-1], "a.test", "b.test", "gmail.com"]
    recipients = [to for to in RECIPIENTS if not to.endswith("@out.test")]
    return [
        {"sender": draw.choice(senders), "to": draw.choice(recipients), "action": draw.choice(["permit", "block"])}
        for _ in range(3)
    ]


def kind_of(told: dict, recipient: str) -> str:
    """What sort of case this was, for the tally at the end."""
    if told["verdict"] == "reject":
        return f"{told['layer']} at {told['stage']}"
    return f"delivered, {told['spamChecks']}{', altered' if told['recipient'] != recipient else ''}"


def test_door_and_explanation_agree_on_drawn_policies_and_messages(gate):
    """Code, text, stage, recipient and mark of 180 messages, some to several recipients."""
    draw = Random(SEED)
    gate.client.call("domain/create-domain", {"domain": FORMER})
    groups = [gate.group("ann@a.test", "b.test"), gate.group("eve@gmail.com", "u@corp.test")]
    alteration = gate.client.address_alteration
    folder = alteration.create_set("drawn").id
    in_set = [DefinitionItem(f"jo@{FORMER}", "boss@corp.test", "envelope_to")]
    in_root = [DefinitionItem(f"*@{FORMER}", "*@corp.test"), DefinitionItem("v@corp.test", "u@corp.test")]
    for made in (*alteration.create_definitions(in_set, folder), *alteration.create_definitions(in_root)):
        gate.ending.callback(alteration.delete_definition, made)
    altering = alteration.create_policy(folder, Policy("drawn")).id
    gate.ending.callback(alteration.delete_policy, altering)
    gate.permit_for_all("bob@a.test")

    tally: Counter[str] = Counter()
    for _ in range(ROUNDS):
        items = [drawn_policy(draw, groups) for _ in range(draw.randint(2, 5))]
        made = gate.client.call("policy/blockedsenders/create-policy", *items)
        gate.client.call("managedsender/permit-or-block-sender", *drawn_entries(draw))
        for _ in range(MESSAGES):
            sender, header_from = draw.choice(SENDERS), draw.choice(AUTHORS)
            recipients = draw.sample(RECIPIENTS, draw.choice([1, 1, 1, 3]))
            tally.update(one_message(gate, sender, header_from, recipients))
        gate.client.call("policy/blockedsenders/delete-policy", *({"id": row["id"]} for row in made))
    # A draw that never meets a case proves nothing about it.
    assert tally.keys() >= {
        "blocked_senders at rcpt",
        "blocked_senders at data",
        "managed_senders at rcpt",
        "managed_senders at data",
        "delivered, run",
        "delivered, skip",
        "delivered, run, altered",
        "delivered, skip, altered",
    }, tally


def one_message(gate, sender: str, header_from: str | None, recipients: list[str]) -> list[str]:
    """Explain a message, send it, compare for each recipient. Returns what sort of cases these were."""
    item = {"from": sender, "sourceIp": "127.0.0.1"} | ({} if header_from is None else {"headerFrom": header_from})
    explained = gate.client.call("ext/explain-message", *({**item, "to": to} for to in recipients))
    told = dict(zip(recipients, explained, strict=True))
    case = (sender, header_from, {to: (t["verdict"], t["stage"], t["smtpReply"]) for to, t in told.items()})
    sent = gate.send(sender, *recipients, header_from=header_from)
    at_rcpt = {to: t["smtpReply"] for to, t in told.items() if t["stage"] == "rcpt"}
    assert {to: str(said) for to, said in sent.refused.items()} == at_rcpt, case
    delivered = {to: t["recipient"] for to, t in told.items() if t["verdict"] == "deliver"}
    assert {to: copy.recipient for to, copy in sent.copies.items()} == delivered, case
    for box in delivered.values():
        # One mailbox gets one copy, and a spam engine looks at it if any of its recipients wants that.
        wanted = {told[to]["spamChecks"] for to, its in delivered.items() if its == box}
        marks = {sent.copies[to].spam_checks for to, its in delivered.items() if its == box}
        assert marks == {"run" if "run" in wanted else "skip"}, case
    for to, copy in sent.copies.items():
        # What is said to be altered is what was, and is not there any more but by its new address.
        (recorded,) = [o for o in gate.outcomes(copy.message["X-Mailreeve-Decision"]) if o["recipient"] == to]
        claimed = [(a["addressType"], a["originalAddress"], a["newAddress"]) for a in told[to]["alterations"]]
        assert claimed == [(a["field"], a["original"], a["new"]) for a in recorded["alterations"]], case
        value = dict(copy.message.raw_items()).get("From", "")
        assert all(new in value for kind, _, new in claimed if kind == "from"), (case, value)
        if not any(kind == "from" for kind, _, _ in claimed):
            assert f"@{FORMER}" not in value or value.startswith('"jo@former.test" <'), (case, value)
    at_data = [t["smtpReply"] for t in told.values() if t["stage"] == "data"]
    if delivered:
        assert sent.answer.code == 250, case
    elif at_data:
        assert str(sent.answer) == at_data[0], case
    else:
        assert sent.answer is None, case
    return [kind_of(t, to) for to, t in told.items()]


JUDGED_ROUNDS = 8
PERMITTED = {"sender": "cat@b.test", "action": "permit"}
RESULTS = ("pass", "fail", "softfail", "none")


def drawn_results(draw: Random) -> dict[str, tuple[str, str]]:
    """From some methods to what they came to, and the domain that it is about."""
    domains = ["a.test", "mail.a.test", "b.test", "corp.test", "gmail.com"]
    methods = [one for one in ("spf", "dkim", "dmarc") if draw.random() < 0.8]
    return {one: (draw.choice(RESULTS[: draw.choice([1, 4])]), draw.choice(domains)) for one in methods}


def test_they_agree_on_what_a_server_in_front_found(front):
    """Permits that count or not, and mail that claims to be from inside: delivered, marked, held or refused."""
    draw = Random(SEED)
    groups = [front.group("ann@a.test")]
    where = {"spf": "smtp.mailfrom", "dkim": "header.d", "dmarc": "header.from"}
    tally: Counter[str] = Counter()
    for number in range(JUDGED_ROUNDS):
        # In the first rounds nothing is let past it, so that each option is met.
        always = {"description": "always there", "from": CLASSES[1], "to": CLASSES[0], "override": number < 4}
        item = {"option": ("tag", "hold", "reject", "none")[number % 4], "policy": always}
        made = [("ext/antispoofing", front.client.call("ext/antispoofing/create-policy", item)[0]["id"])]
        for room, options in (
            ("ext/permittedsenders", [None]),
            ("ext/antispoofing", ["none", "tag", "hold", "reject"]),
            ("policy/antispoofing-bypass", ["enable_bypass", "disable_bypass"]),
        ):
            for _ in range(0 if number < 4 and room.startswith("policy") else draw.choice([1, 2])):
                policy = drawn_policy(draw, groups)["policy"] | {"fromPart": draw.choice(["both", "header_from"])}
                policy["from"] = draw.choice([*CLASSES[:2], *ADDRESSES[:3], *DOMAINS[:3]])
                policy["to"] = draw.choice([CLASSES[0], CLASSES[0], ADDRESSES[6]])
                policy["conditions"] = {}
                if room.startswith("policy") and draw.random() < 0.5:
                    policy["conditions"] = {"spfDomains": ["a.test", "corp.test"]}
                item = {"policy": policy} | ({} if options[0] is None else {"option": draw.choice(options)})
                (row,) = front.client.call(f"{room}/create-policy", item)
                made.append((room, row["id"]))
        entries = [entry for entry in drawn_entries(draw) if not entry["to"].endswith(FORMER)]
        front.client.call("managedsender/permit-or-block-sender", *entries, {**PERMITTED, "to": "v@corp.test"})
        for _ in range(MESSAGES):
            sender = draw.choice([*SENDERS, *["boss@corp.test"] * 3])
            author = draw.choice([None, "ann@a.test", "boss@corp.test", "ann@a.test, cat@b.test", ""])
            to, source = (
                draw.choice(["u@corp.test", "v@corp.test"]),
                draw.choice(["192.0.2.7"] * 4 + ["127.0.0.1"]),
            )
            results = drawn_results(draw)
            found = {name: result for name, (result, _) in results.items()}
            found |= {f"{name}Domain": domain for name, (_, domain) in results.items()}
            item = {"from": sender, "to": to, "sourceIp": source, **found}
            (told,) = front.client.call(
                "ext/explain-message", item | ({} if author is None else {"headerFrom": author})
            )
            said = {name: f"{result} {where[name]}={domain}" for name, (result, domain) in results.items()}
            sent = front.found(sender, to, author, results=said, source=source)
            case = (sender, author, to, source, results, told["steps"])
            if not results and told["layer"] != "managed_senders":
                # Nothing said is not the same as nothing found, where somebody is asked.
                tally["nothing found"] += 1
                continue
            tally[f"{told['verdict']} by {told['layer']}, {told['spamChecks']}"] += 1
            if told["verdict"] == "hold":
                assert (sent.answer.code, sent.copies) == (250, {}), case
                continue
            assert (told["verdict"], told["stage"], told["smtpReply"]) == sent.verdict(to), case
            for copy in sent.copies.values():
                spoofed = told["layer"] == "anti_spoofing"
                assert (copy.spam_checks, copy.message["X-Mailreeve-Spoofed"] == "yes") == (
                    told["spamChecks"],
                    spoofed,
                ), case
        for room, policy_id in made:
            front.client.call(f"{room}/delete-policy", {"id": policy_id})
    assert tally.keys() >= {
        "deliver by permitted_senders, skip",
        "deliver by managed_senders, skip",
        "deliver by default, run",
        "deliver by anti_spoofing, run",
        "hold by anti_spoofing, run",
        "reject by anti_spoofing, run",
        "reject by managed_senders, run",
    }, tally
