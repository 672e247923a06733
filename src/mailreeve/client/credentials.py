"""Who is calling? The keys of an application and its user, a user with a password, or an OAuth client."""

from __future__ import annotations

import base64
import binascii
import os
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

C = TypeVar("C", bound=Struct)


class Credentials(Struct, frozen=True):
    """The four keys of a signed call. `secret_key` is base64 text, as it was issued."""

    app_id: str
    app_key: str
    access_key: str
    secret_key: str

    def __post_init__(self) -> None:
        try:
            base64.b64decode(self.secret_key, validate=True)
        except (binascii.Error, ValueError) as problem:
            # The value stays out of the message.
            raise ValueError("secret_key is not base64 text") from problem

    def __repr__(self) -> str:
        return f"Credentials(app_id={self.app_id!r})"

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Credentials:
        """The keys in the JSON file that `mailreeve init --json` printed. Raises `ValueError`."""
        return _load(path, cls)


class OAuthCredentials(Struct, frozen=True):
    """The id and secret with which an application fetches access tokens."""

    client_id: str
    client_secret: str

    def __repr__(self) -> str:
        return f"OAuthCredentials(client_id={self.client_id!r})"

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> OAuthCredentials:
        """As `Credentials.load`, from the same file."""
        return _load(path, cls)


class LoginCredentials(Struct, frozen=True):
    """A user's address and password, with the keys of the application through which the user signs in. `scheme` is
    `Basic-Cloud` for a password that the service keeps, `Basic-Ad` for one of a directory."""

    app_id: str
    app_key: str
    email_address: str
    password: str
    scheme: str = "Basic-Cloud"

    def __repr__(self) -> str:
        return f"LoginCredentials(app_id={self.app_id!r}, email_address={self.email_address!r})"

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> LoginCredentials:
        """The members of a JSON file. Raises `ValueError`."""
        return _load(path, cls)


class Application(Struct, frozen=True):
    """An application without a user, which may ask how users sign in."""

    app_id: str


AnyCredentials = Application | Credentials | OAuthCredentials | LoginCredentials


def _load(path: str | os.PathLike[str], into: type[C]) -> C:
    try:
        return msgspec.json.decode(Path(path).read_bytes(), type=into)
    except msgspec.DecodeError as problem:
        raise ValueError(f"{os.fspath(path)} does not hold the credentials: {problem}") from problem
