"""Commands for policies, and for what they stand on."""
