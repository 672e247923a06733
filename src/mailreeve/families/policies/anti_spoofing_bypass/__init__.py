"""Anti-spoofing bypass policies: which mail that claims to be from inside may come from outside (api.md 3.4.4)."""
