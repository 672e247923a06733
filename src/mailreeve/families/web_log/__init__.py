"""What web requests came to: records of decisions, and what people asked to be let through to."""
