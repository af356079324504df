from __future__ import annotations

from envsmith.config.mirrors import MirrorRules
from envsmith.download.locations import Locations, MirroredFiles
from envsmith.download.transfer_progress import TransferProgress
from envsmith.download.wheelhouse import TransferListener
from tests.wheelhouses import AsLocked, FakeListener


def test_classes_implement_the_protocols() -> None:
    """The type checker verifies the assignments."""
    listeners: tuple[TransferListener, ...] = (FakeListener(), TransferProgress(quiet=True))
    locations: tuple[Locations, ...] = (AsLocked(), MirroredFiles(rewrites=MirrorRules()))
    assert len(listeners) == len(locations)
