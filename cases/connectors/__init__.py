"""Connectors to source systems: plain data in, pages of records out; see README.md in this folder."""
