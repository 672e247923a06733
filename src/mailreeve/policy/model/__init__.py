"""What a policy, a message and a decision are: immutable values, and who an address is to them."""
