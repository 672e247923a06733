"""Spam scanning policies: what is done about what a spam engine finds, and about malformed mail."""
