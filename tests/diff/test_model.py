from __future__ import annotations

from envsmith.diff.model import DecisionChange, LockDiff, PackageChange, TorchBuildSide, TorchChange
from envsmith.model.finding import Decision

OLD = TorchBuildSide(torch="2.8.0+cu128", backend="CUDA 12.8", kernels=("sm_70", "sm_75"), driver="525.60.13")
NEW = TorchBuildSide(torch="2.11.0+cu130", backend="CUDA 13.0", kernels=("sm_75", "sm_110"), driver="580")
UNKNOWN = TorchBuildSide(torch="2.11.0+cu130", backend="CUDA 13.0")


def test_kernels_lost_and_gained() -> None:
    change = TorchChange(before=OLD, after=NEW, targets=("t",))
    assert (change.lost, change.gained) == (("sm_70",), ("sm_110",))
    assert change.to_json()["kernels_lost"] == ["sm_70"]
    unknown = TorchChange(before=OLD, after=UNKNOWN, targets=("t",))
    assert (unknown.lost, unknown.gained) == ((), ())
    assert unknown.to_json()["kernels_lost"] is None


def test_plain_values() -> None:
    found = LockDiff(
        before="a",
        after="b",
        common=("t",),
        packages=(PackageChange(name="numpy", kind="up", before="1", after="2", targets=("t",)),),
        decisions=(
            DecisionChange(
                decision=Decision(subject="x", kind="noted", message="m"), is_new=True, targets=("t",)
            ),
        ),
        download_bytes=(5, 7),
    )
    values = found.to_json()
    assert values["download_bytes"] == {"before": 5, "after": 7}
    assert values["packages"] == [
        {"name": "numpy", "kind": "up", "before": "1", "after": "2", "targets": ["t"]}
    ]
    assert values["decisions"] == [
        {"is_new": True, "subject": "x", "kind": "noted", "message": "m", "targets": ["t"]}
    ]


def test_emptiness() -> None:
    assert LockDiff(before="a", after="b", common=("t",)).is_empty
    assert not LockDiff(before="a", after="b", added=("t",)).is_empty
