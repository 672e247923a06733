"""Anti-spoofing policies: what becomes of mail from outside that claims to be from inside (ADR 0061)."""
