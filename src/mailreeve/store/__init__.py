"""Rows, transactions, revisions, audit: whatever is kept, in one transaction of one account at a time."""
