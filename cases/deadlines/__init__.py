"""The statutory clock: pure functions over facts and dated law. No Django, no system time."""
