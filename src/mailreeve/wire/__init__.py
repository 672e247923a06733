"""The API's own protocol: envelopes, signatures, ids, errors, declared endpoints. No I/O."""
