from __future__ import annotations

from pathlib import Path

from envsmith.catalog.shims import read_shims, read_users
from envsmith.process.runner import Processes
from envsmith.shims.environment import ShimProbe, shim_states
from envsmith.shims.status import ShimCheckResult


class FakeAsker(ShimProbe):
    """Says that torchaudio lacks a name unless the shims are on."""

    active: tuple[str, ...]
    asked: list[tuple[tuple[str, ...], bool]]

    def __init__(self, active: tuple[str, ...] = ()) -> None:
        super().__init__(processes=Processes())
        object.__setattr__(self, "active", active)
        object.__setattr__(self, "asked", [])

    def check_shims(
        self, prefix: Path, words: tuple[str, ...], *, is_off: bool, timeout_s: float
    ) -> ShimCheckResult:
        assert (prefix, timeout_s) == (Path("env"), 300.0)
        self.asked.append((words, is_off))
        versions = {"torchaudio": "2.11.0", "torch": "2.11.0"}
        if is_off:
            return ShimCheckResult(versions=versions, is_needed=True, reasons=("why",))
        return ShimCheckResult(
            versions=versions, active=self.active, added=dict.fromkeys(self.active, ("info",))
        )


def test_each_is_asked_with_the_shims_and_without() -> None:
    asker = FakeAsker(active=("torchaudio-legacy-api", "torch-safe-globals"))
    asked = ("torch-safe-globals", "torchaudio-legacy-api")
    found = shim_states(Path("env"), asked, ("a.B",), (read_shims(), read_users()), asker)
    assert [(state.name, state.need) for state in found] == [
        ("torchaudio-legacy-api", "needed"),
        ("torch-safe-globals", "needed"),
    ]
    audio = ("torchaudio-legacy-api", "torchaudio", "torchaudio,pyannote.audio", "a.B", "--")
    names = ("torch-safe-globals", "torch.serialization", "torch,pyannote.audio", "a.B", "--")
    assert asker.asked == [(audio, False), (audio, True), (names, False), (names, True)]


def test_only_what_is_asked_for_or_there_is_told() -> None:
    facts = (read_shims(), read_users())
    assert shim_states(Path("env"), (), (), facts, FakeAsker()) == ()
    (state,) = shim_states(Path("env"), (), (), facts, FakeAsker(active=("torchaudio-legacy-api",)))
    assert (state.is_requested, state.is_active) == (False, True)
    (state,) = shim_states(Path("env"), ("torch-safe-globals",), ("a.B",), facts, FakeAsker())
    assert (state.is_requested, state.is_active) == (True, False)
