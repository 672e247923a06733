"""A policy set, indexed so that a decision looks at few policies of many."""
