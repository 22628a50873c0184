"""A one-time code, sent to an address or a number."""
