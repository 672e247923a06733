"""The typed client against a real server: every capability, pages, quota, certificates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from mailreeve.client import (
    ApiError,
    Client,
    Conditions,
    Credentials,
    DefinitionItem,
    OAuthCredentials,
    Policy,
    Target,
    Unreachable,
    WebEntry,
    WebTarget,
)


@pytest.fixture
def client(server):
    with server.client() as connected:
        yield connected


def test_blocked_sender_policy_lives_and_dies(client) -> None:
    group = client.call("directory/create-group", {"description": "client group"})[0]["id"]
    policy = Policy(
        "lives and dies",
        Target.group(group),
        Target.internal(),
        from_part="both",
        to_date=datetime(2040, 1, 1, tzinfo=UTC),
        bidirectional=True,
        comment="why",
        conditions=Conditions(("10.0.0.0/8",)),
    )
    made = client.blocked_senders.create(policy)
    assert client.blocked_senders.get(made.id) == made
    assert (made.policy.from_.group_id, made.policy.to_date) == (group, policy.to_date)
    assert (made.policy.to_eternal, made.policy.from_eternal) == (False, True)
    changed = client.blocked_senders.update(
        made.id, msgspec.structs.replace(made.policy, enabled=False), "no_action"
    )
    assert (changed.id, changed.option, changed.policy.enabled) == (made.id, "no_action", False)
    assert changed.policy.to_date == policy.to_date
    assert made.id in {p.id for p in client.blocked_senders.every(page_size=2)}
    client.blocked_senders.delete(made.id)
    with pytest.raises(ApiError) as caught:
        client.blocked_senders.get(made.id)
    assert (caught.value.code, caught.value.field) == ("err_policy_not_found", "id")


def test_web_list_keeps_ids_over_an_update(client) -> None:
    entries = [WebEntry("block", "domain", "a.client.test"), WebEntry("allow", "url", "http://b.client.test/x")]
    made = client.web_lists.create("client", entries, [Policy("all", Target.everyone(), Target.everyone())])
    changed = client.web_lists.update(
        made.id, "client", [*made.urls, WebEntry("block", "domain", "c.test")], made.policies
    )
    assert changed.urls[:2] == made.urls
    assert changed.policies[0].id == made.policies[0].id
    assert client.web_lists.get(made.id) == changed
    more = [*changed.policies, WebTarget(Policy("one", Target.address("ann@corp.test"), Target.everyone()))]
    assert len(client.web_lists.update(made.id, "client", changed.urls, more).policies) == 2
    assert client.web_lists.delete(made.id).id == made.id
    assert made.id not in {w.id for w in client.web_lists.every()}


def test_address_alteration_from_set_to_policy(client) -> None:
    alteration = client.address_alteration
    top = alteration.create_set("client top")
    below = alteration.create_set("client below", top.id)
    assert [f.id for f in alteration.sets(top.id, depth=2)[0].folders] == [below.id]
    ids = alteration.create_definitions([DefinitionItem("*@corp.test", "*@corp.test", "envelope_to")], below.id)
    (kept,) = alteration.definitions(folder_id=below.id)
    assert (kept.id, kept.original_address, kept.address_type) == (ids[0], "*@corp.test", "envelope_to")
    policy = alteration.create_policy(below.id, Policy("client"))
    moved = alteration.update_policy(policy.id, top.id, Policy("client", override=True))
    assert (moved.address_alteration_set_id, moved.policy.override) == (top.id, True)
    assert alteration.policy(policy.id) == moved
    assert policy.id in {p.id for p in alteration.policies()}
    alteration.delete_policy(policy.id)
    assert alteration.policy(policy.id) is None
    alteration.delete_definition(kept.id)
    assert alteration.definitions(folder_id=below.id) == []


def test_delegate_right_is_given_found_and_taken(client) -> None:
    for name in ("holder", "mailbox"):
        client.call("user/create-user", {"emailAddress": f"{name}@corp.test", "name": name})
    right = client.delegates.add("holder@corp.test", "mailbox@corp.test")
    assert right.success
    assert [(u.id, u.email_address, u.name) for u in client.delegates.find("holder@corp.test")] == [
        (right.id, "mailbox@corp.test", "mailbox")
    ]
    assert client.delegates.find("mailbox@corp.test") == []
    client.delegates.remove(right.id)
    assert client.delegates.find("holder@corp.test") == []


def test_every_page_is_fetched_and_no_row_twice(client) -> None:
    made = {
        client.blocked_senders.create(Policy(f"p{n}", Target.domain(f"p{n}.test"), Target.everyone())).id
        for n in range(7)
    }
    pages = list(client.pages("policy/blockedsenders/get-policy", page_size=3))
    rows = [row["id"] for page in pages for row in page.data]
    assert made <= set(rows)
    assert len(rows) == len(set(rows)) == pages[0].total
    assert all(len(page.data) == 3 for page in pages[:-1])


def test_call_over_quota_is_carried_out_once_the_window_is_over(fresh_server) -> None:
    """The client waits as long as the server says, and the server then keeps its word."""
    live = fresh_server(MAILREEVE_RATE_LIMIT="2", MAILREEVE_RATE_WINDOW_MS="500")
    with live.client() as client:
        for _ in range(6):
            assert client.call("account/get-account")


def test_no_server_is_unreachable(server) -> None:
    keys = Credentials(**{n: server.credentials[n] for n in Credentials.__struct_fields__})
    with Client("http://127.0.0.1:1", keys) as client, pytest.raises(Unreachable):
        client.call("account/get-account")


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1, signed by itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mailreeve test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return cert_file, key_file


def test_certificate_is_checked_against_the_given_file(fresh_server, tmp_path: Path) -> None:
    """A certificate that nobody vouches for is refused, unless its file is given or checking is turned off."""
    cert_file, key_file = make_certificate(tmp_path)
    live = fresh_server("--tls-cert", str(cert_file), "--tls-key", str(key_file))
    assert live.http.startswith("https://")
    with live.client() as client, pytest.raises(Unreachable, match="CERTIFICATE_VERIFY_FAILED"):
        client.call("account/get-account")
    with live.client(ca_file=str(cert_file)) as client:
        assert client.call("account/get-account")
    with live.client(verify=False) as client:
        assert client.call("account/get-account")
    oauth = OAuthCredentials(live.credentials["client_id"], live.credentials["client_secret"])
    with Client(live.http, oauth, ca_file=str(cert_file)) as client:
        assert client.call("account/get-account")
