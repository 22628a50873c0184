"""The certificate of an erasure, correction or restriction: what was done and kept, where, why and when; no content."""
