"""Logs of scans that are not done here, which clients fetch all the same: they are empty."""
