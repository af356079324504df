import pytest

from envsmith.catalog.coverage import coverage, interpreter_of, platform_of
from envsmith.model.backend import Backend
from envsmith.model.listing import IndexListing, Metadata, default_url, group_releases
from envsmith.model.wheel import Wheel


def wheel(
    tags: str, sha256: str | None = "1" * 64, version: str = "2.8.0", withdrawn: tuple[str, ...] = ()
) -> Wheel:
    filename = f"torch-{version}+cu128-{tags}.whl"
    return Wheel.from_entry(
        index="cu128",
        filename=filename,
        url=default_url("cu128", filename),
        sha256=sha256,
        withdrawn=withdrawn,
    )


@pytest.mark.parametrize(
    ("tags", "interpreter", "platform"),
    [
        ("cp312-cp312-manylinux_2_28_x86_64", "cp312", "linux x86_64"),
        ("cp313-cp313t-manylinux_2_27_aarch64.manylinux_2_28_aarch64", "cp313t", "linux aarch64"),
        ("cp312-cp312-linux_x86_64", "cp312", "linux x86_64"),
        ("cp39-abi3-win_amd64", "cp39-abi3", "windows amd64"),
        ("cp311-none-macosx_11_0_arm64", "cp311", "macos arm64"),
        ("py3-none-any", "py3", "any"),
        ("cp312-cp312-linux_s390x", "cp312", "linux_s390x"),
        ("cp312-cp312-win_arm64", "cp312", "windows arm64"),
    ],
)
def test_a_wheel_says_its_interpreter_and_platform(tags: str, interpreter: str, platform: str) -> None:
    assert (interpreter_of(wheel(tags)), platform_of(wheel(tags))) == (interpreter, platform)


def test_a_listing_is_counted() -> None:
    wheels = [
        wheel("cp312-cp312-win_amd64"),
        wheel("cp39-cp39-win_amd64"),
        wheel("cp310-cp310-win_amd64", None),
        wheel("cp312-cp312-win_amd64", version="2.10.0", withdrawn=("2" * 64,)),
    ]
    metadata = Metadata(requires_dist=(), requires_python=None, confidence="composed", basis="x")
    listing = IndexListing(
        channel="stable",
        backend=Backend.parse("cu128"),
        retrieved="2026-11-20",
        source="x",
        projects=group_releases(wheels, {("torch", "2.8.0+cu128"): metadata}),
    )
    found = coverage(listing)
    assert (found.index, found.wheels, found.without_hash) == ("cu128", 4, 1)
    assert found.withdrawn == ("torch-2.10.0+cu128-cp312-cp312-win_amd64.whl",)
    assert found.confidences() == {"composed": 1, "none": 1}
    newest, older = found.versions
    assert (str(newest.version), str(older.version)) == ("2.10.0+cu128", "2.8.0+cu128")
    assert older.hashed == {"windows amd64": ("cp39", "cp312")}
    assert older.unhashed == {"windows amd64": ("cp310",)}
