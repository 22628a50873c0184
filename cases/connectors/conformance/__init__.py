"""The conformance kit: what every connector keeps, as fifteen points that anybody can try on their own connector."""
