"""Identity documents: their machine-readable zone, the names on them, their pictures. Pure: no Django, no models."""
