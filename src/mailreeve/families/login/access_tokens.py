"""What is in an access token? JSON that is signed with a key of the installation (RFC 7519).

`Authenticator` loads this module with the first token: most calls are signed, and the library takes its time to
load (ADR 0069).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

_ALGORITHM: Final = "HS256"


class AccessTokens:
    """Tokens under one key."""

    def __init__(self, key: bytes) -> None:
        self._key = OctKey.import_key(key)

    def written(self, claims: Mapping[str, object]) -> str:
        """A token with these claims."""
        return jwt.encode({"alg": _ALGORITHM}, dict(claims), self._key)

    def claims(self, token: str) -> Mapping[str, object]:
        """The claims of a token. Raises `ValueError` for one that is none of ours."""
        try:
            return jwt.decode(token, self._key, algorithms=[_ALGORITHM]).claims
        except JoseError as problem:
            raise ValueError(f"no token of ours: {problem}") from problem
