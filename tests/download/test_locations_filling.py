from __future__ import annotations

from envsmith.config.mirrors import MirrorRules
from envsmith.download.download import Locations, MirroredFiles, Transfers
from envsmith.download.transfer_progress import TransferProgress
from tests.houses import AsLocked, Heard


def test_who_hears_and_who_knows_fit() -> None:
    """The type checker holds these assignments; that they are imported at all is what runs here."""
    hearing: tuple[Transfers, ...] = (Heard(), TransferProgress(quiet=True))
    knowing: tuple[Locations, ...] = (AsLocked(), MirroredFiles(rewrites=MirrorRules()))
    assert len(hearing) == len(knowing)
