"""The heart: scopes, matching, decisions, traces. Pure functions over immutable values; no I/O, no clock."""
