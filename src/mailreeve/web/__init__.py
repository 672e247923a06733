"""The doors for web requests: each turns what another program asks into one decision."""
