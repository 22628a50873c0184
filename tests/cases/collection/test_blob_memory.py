"""A file of any size goes to encrypted storage in constant memory: measured in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

MB = 1024 * 1024
SIZES = [pytest.param(64 * MB, id="64-MB"), pytest.param(300 * MB, id="300-MB", marks=pytest.mark.soak)]
BOUND = 24 * MB

CHILD = """
import json, resource, sys, threading
from uuid import uuid4
import django
django.setup()
from cases.collection import blobs
from cases.connectors.base import Blob
from dsar.jobs.run import Claim
from dsar.vault import files

size = int(sys.argv[1])
CHUNK = bytes(range(256)) * 1024

class Recordings:
    def open_blob(self, blob):
        for _ in range(size // len(CHUNK)):
            yield CHUNK

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

claim = Claim(uuid4(), uuid4(), None, blobs.FETCH, {}, 1, 6, threading.Event())
files.discard(files.write([CHUNK]))
before = peak()
written = files.write(blobs._stream(claim, Recordings(), Blob("call/1", "call.wav", size=size)))
print(json.dumps({"grew": peak() - before, "size": written.size, "sha256": written.sha256,
                  "on_disk": files.path(written.file_id).stat().st_size}))
"""


@pytest.mark.parametrize("size", SIZES)
def test_file_is_stored_in_constant_memory(size: int, tmp_path: Path) -> None:
    environment = {**os.environ, "DSAR_DATA_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "dsar.settings"}

    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(size)], env=environment, capture_output=True, text=True, check=True
    )

    said = json.loads(done.stdout)
    assert (said["size"], said["on_disk"] > size, len(said["sha256"])) == (size, True, 64)
    assert said["grew"] < BOUND
