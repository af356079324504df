from __future__ import annotations

from dataclasses import replace

from packaging.pylock import Package, PackageWheel

from envsmith.errors import NoSolutionError
from envsmith.lock.resolve import ResolveTools
from envsmith.lock.savings import DownloadSavings, by_build, by_drops
from envsmith.model.finding import Decision
from envsmith.plan.model import Resolution, ResolutionPlan
from tests.fakes import FakeContents, FakeResolver
from tests.lock_tools import fake_tools
from tests.values import package, plan, slice_of, target, wheel

LINUX = target("3.12", "linux", "cpu")
TORCH = "torch-2.14.1+cpu-cp312-cp312-manylinux_2_28_x86_64.whl"
DROPPED = Decision(
    subject="torchvision", kind="dropped", code="RES114", message="no use", evidence=("uses: 0",)
)


def sized(filename: str, size: int | None) -> Package:
    found = package(filename)
    (file,) = found.wheels or ()
    wheel = PackageWheel(
        url=file.url, size=size, hashes={"sha256": filename.encode().hex().ljust(64, "0")[:64]}
    )
    return Package(name=found.name, version=found.version, wheels=[wheel])


def scales(resolver: FakeResolver, contents: FakeContents | None = None) -> ResolveTools:
    return fake_tools(resolver=resolver, contents=contents or FakeContents())


def dropped(resolver: FakeResolver, *, contents: FakeContents | None = None) -> DownloadSavings | None:
    asked = plan("a", target=LINUX, decisions=(DROPPED,))
    return by_drops(asked, resolver.resolve(asked), scales(resolver, contents))


VISION = "torchvision-1.0-py3-none-any.whl"
RESOLVER = FakeResolver(
    extra={"torchvision": ("pillow", "numpy"), "a": ("numpy",)},
    answers={
        "torchvision": sized(VISION, None),
        "pillow": sized("pillow-1.0-py3-none-any.whl", 7),
        "numpy": sized("numpy-1.0-py3-none-any.whl", 900),
    },
)


def test_a_drop_saves_the_wheel_and_what_only_it_needs() -> None:
    saving = dropped(RESOLVER)
    assert saving
    assert [(item.project, item.size_bytes) for item in saving.spared] == [
        ("pillow", 7),
        ("torchvision", None),
    ]
    assert saving.unknown == ("torchvision",)


def test_the_server_is_asked_for_sizes_that_no_index_tells() -> None:
    saving = dropped(RESOLVER, contents=FakeContents({VISION: {"torchvision/__init__.py": b"12345"}}))
    assert saving
    assert saving.known_bytes == 12
    assert not saving.unknown


def test_what_would_not_resolve_saves_nobody_knows_what() -> None:
    class Refusing(FakeResolver):
        def resolve(self, plan: ResolutionPlan) -> Resolution:
            if any(item.name == "torchvision" for item in plan.requirements):
                raise NoSolutionError("RES050", "no solution")
            return super().resolve(plan)

    saving = dropped(Refusing())
    assert saving
    assert saving.unknown == ("torchvision",)


def test_where_nothing_is_dropped_nothing_is_resolved() -> None:
    resolver = FakeResolver()
    asked = plan("a")
    assert by_drops(asked, Resolution(packages=(), requirers={}, indexes={}), scales(resolver)) is None
    assert resolver.plans == []


def test_a_cpu_build_is_weighed_against_pypis() -> None:
    ours = plan("torch", target=LINUX, slice_=slice_of(wheel(TORCH, index="cpu")))
    resolver = FakeResolver(
        extra={"torch": ("nvidia-cublas", "filelock")},
        answers={
            "torch": sized("torch-2.14.1-cp312-cp312-manylinux_2_28_x86_64.whl", 500),
            "nvidia-cublas": sized("nvidia_cublas-13.0-py3-none-any.whl", 400),
            "filelock": sized("filelock-1.0-py3-none-any.whl", 1),
        },
    )
    locked = Resolution(
        packages=(sized("filelock-1.0-py3-none-any.whl", 1), sized(TORCH, 200)), requirers={}, indexes={}
    )
    saving = by_build(ours, locked, scales(resolver))
    assert saving
    assert [(item.project, item.size_bytes) for item in saving.spared] == [
        ("nvidia-cublas", 400),
        ("torch", 500),
    ]
    assert [(item.project, item.size_bytes) for item in saving.instead] == [("torch", 200)]
    assert saving.known_bytes == 700


def test_the_same_build_saves_nothing() -> None:
    resolver = FakeResolver(answers={"torch": sized("torch-2.5.1-cp311-cp311-win_amd64.whl", 500)})
    filename = "torch-2.5.1+cpu-cp311-cp311-win_amd64.whl"
    where = target("3.11", "windows", "cpu")
    ours = plan("torch", target=where, slice_=slice_of(wheel(filename, index="cpu")))
    locked = Resolution(packages=(sized(filename, 200),), requirers={}, indexes={})
    assert by_build(ours, locked, scales(resolver)) is None
    assert by_build(replace(ours, pypi_builds={"torch": "2.5.1"}), locked, scales(resolver)) is None
