"""Permitted sender policies: let mail from a sender pass the spam checks (behaviour.md section 2.8)."""
