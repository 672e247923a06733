"""The doors through which web requests are decided."""
