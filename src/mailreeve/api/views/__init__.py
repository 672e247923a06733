"""The paths of the API 2.0 that public clients call for objects which the API 1.0 has as well (ADR 0078)."""
