import io
import zipfile

from cases.packs.archive import ZipEntry, pack_zip
from tests.cases.packs.samples import PACK, rendered


def test_zip_of_a_pack_holds_its_files_unchanged():
    files, _ = rendered(PACK)

    data = b"".join(pack_zip(ZipEntry(name, len(content), [content]) for name, content in files.items()))

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == files


def test_zip_is_written_while_its_files_are_read():
    def chunks():
        for _ in range(50):
            yield b"%PDF" * 25_000

    sizes = [len(chunk) for chunk in pack_zip([ZipEntry("a.pdf", 5_000_000, chunks())])]

    assert max(sizes) < 200_000
    assert sum(sizes) > 5_000_000


def test_zip_of_the_same_files_is_the_same():
    entries = [ZipEntry("a.txt", 3, [b"abc"])]

    assert b"".join(pack_zip(entries)) == b"".join(pack_zip(entries))
