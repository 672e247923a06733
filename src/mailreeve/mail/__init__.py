"""The mail doors: SMTP today, and the plan that each carries out."""
