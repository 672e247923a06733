"""Which functions of the API 1.0 are known, offered here or not? Those of `catalogue.toml`."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files


@cache
def functions() -> frozenset[str]:
    """Their paths, without `/api/`. Read when first asked: only whoever calls what is not offered needs it."""
    return frozenset(path for family in families() for path in family["paths"])


def families() -> list[dict[str, dict[str, str]]]:
    """The catalogue itself, under its headings: `title`, and `paths` with what each is for."""
    found: list[dict[str, dict[str, str]]] = tomllib.loads(
        files("mailreeve.api").joinpath("catalogue.toml").read_text("utf-8")
    )["family"]
    return found
