"""The mail doors: SMTP today, on the reception that is the same for each."""
