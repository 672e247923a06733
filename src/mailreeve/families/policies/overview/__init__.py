"""All policies in one list, of whatever type: for people, who do not think in types."""
