"""Blocked sender policies: refuse a sender, or exempt one (api.md section 3.2, behaviour.md section 3)."""
