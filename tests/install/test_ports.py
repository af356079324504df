from __future__ import annotations

from pathlib import Path

from envsmith.install.generation_store import GenerationStore as OnDisk
from envsmith.install.ports import EnvironmentStore


def test_what_lies_on_the_disk_fills_the_protocol(tmp_path: Path) -> None:
    found: EnvironmentStore = OnDisk(link=tmp_path / ".venv")
    assert found.current() == ""
    assert not (*found.generations(), *found.asides(), *found.failed())
    assert list(tmp_path.iterdir()) == []
