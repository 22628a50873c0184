"""Master keys for tests: the same version and mark give the same key."""

from base64 import b64encode


def master_keys(*versions: int, mark: bytes = b"m") -> str:
    """The environment's value with these versions."""
    return ",".join(f"{version}:{b64encode(mark + bytes([version]) * 31).decode()}" for version in versions)
