from __future__ import annotations

import pytest

from envsmith.environment.installed_state import (
    ForeignProgram,
    IncompleteDistribution,
    InstalledState,
    Overlap,
    Shadow,
    StrayFile,
)
from envsmith.environment.model import InstallOrigin

PLAIN = {
    "overlaps": [{"owners": ["a", "b"], "count": 1, "paths": ["cv2/x.so"]}],
    "halves": [{"folder": "~a", "why": "left"}],
    "origins": {"A_b": {"kind": "vcs", "url": "https://example.org", "sha256": ""}},
    "builds": {"torch": "2.15.0+cu132"},
    "requires": {"A_b": ["torch>=2"]},
    "shadows": [{"module": "torch", "owner": "torch", "path": "/p/torch.py"}],
    "strays": [{"path": "cv2", "owners": ["Opencv_Python"]}],
    "elsewhere": [{"program": "tool", "owner": "A_b", "python": "/old/python"}],
    "own": ["My_App"],
}


def test_everything_is_read() -> None:
    found = InstalledState.from_json(PLAIN)
    assert found.overlaps == (Overlap(owners=("a", "b"), count=1, paths=("cv2/x.so",)),)
    assert found.halves == (IncompleteDistribution(folder="~a", why="left"),)
    assert found.origins == {"a-b": InstallOrigin(kind="vcs", url="https://example.org")}
    assert found.builds == {"torch": "2.15.0+cu132"}
    assert found.requires == {"a-b": ("torch>=2",)}
    assert found.shadows == (Shadow(module="torch", owner="torch", path="/p/torch.py"),)
    assert found.strays == (StrayFile(path="cv2", owners=("opencv-python",)),)
    assert found.elsewhere == (ForeignProgram(program="tool", owner="a-b", python="/old/python"),)
    assert found.own == ("my-app",)


@pytest.mark.parametrize("key", PLAIN)
def test_what_is_missing_is_told(key: str) -> None:
    with pytest.raises(KeyError):
        InstalledState.from_json({name: value for name, value in PLAIN.items() if name != key})
