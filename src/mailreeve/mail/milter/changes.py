"""What has to be changed in a message that a mail server holds, so that it is the copy we mean?

The server makes the changes one after the other, so their order counts. A field is named by its number among those
of its name, and what is taken out may or may not be counted afterwards: fields are changed from the last to the
first. New ones are put above all others, the last of them first.

A server that speaks milter shows fields only, so there is nothing here of the marks that `edits.apply` puts on
lines that are no field: Postfix takes such a line for the beginning of the body and puts an empty line before it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from mailreeve.families.machinery.copies import Routed
from mailreeve.formats.addresses import Sender
from mailreeve.formats.message import Message
from mailreeve.mail.edits import Edits, encoded
from mailreeve.mail.milter.packets import (
    add_recipient,
    change_header,
    change_sender,
    delete_recipient,
    insert_header,
)


class Envelope(Struct, frozen=True):
    """The envelope as the server has it: the sender, and by each recipient's address as it is spelt how it was
    written, perhaps in several ways."""

    sender: Sender
    paths: Mapping[str, tuple[bytes, ...]]


def envelope_changes(envelope: Envelope, sender: Sender, recipients: Iterable[Routed]) -> Iterator[bytes]:
    """Packets that leave the message from this sender and to these recipients alone, as they are delivered to."""
    if sender != envelope.sender:
        yield change_sender(_path(str(sender)))
    wanted = dict.fromkeys(str(recipient.effective) for recipient in recipients)
    for address, paths in envelope.paths.items():
        if address not in wanted:
            yield from map(delete_recipient, paths)
    for address in wanted:
        if address not in envelope.paths:
            yield add_recipient(_path(address))


def header_changes(message: Message, edits: Edits, *, keeps_space: bool) -> Iterator[bytes]:
    """Packets that make the header what `edits.apply` would. `keeps_space` says whether values have the space
    behind the colon."""
    replaced = dict(edits.replaced)
    numbers: Counter[str] = Counter()
    changes: list[bytes] = []
    for place, field in enumerate(message.fields):
        if not field.name:
            continue
        numbers[field.name] += 1
        name = field.raw[: len(field.name)]
        if edits.takes_out(place, field):
            changes.append(change_header(numbers[field.name], name, b""))
        elif place in replaced:
            value = _value(replaced[place][field.value_at :], keeps_space=keeps_space)
            changes.append(change_header(numbers[field.name], name, value))
    yield from reversed(changes)
    for name_, text in reversed(edits.added):
        value = _value(b" " + encoded(text, len(name_)).encode("ascii"), keeps_space=keeps_space)
        yield insert_header(0, name_.encode("ascii"), value)


def _path(address: str) -> bytes:
    return b"<" + address.encode("utf-8", "surrogateescape") + b">"


def _value(text: bytes, *, keeps_space: bool) -> bytes:
    """A value as servers have it: its lines end with a line feed alone, the last one with none."""
    value = text.replace(b"\r\n", b"\n").rstrip(b"\n")
    return value if keeps_space else value.removeprefix(b" ")
