"""Sets of rules that rewrite addresses, and the policies that apply them."""
