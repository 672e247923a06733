"""The mail doors: milter and SMTP, and the plan that both carry out."""
