"""With a made-up torch; the real one is in tests/install/test_real_shims.py."""

from __future__ import annotations

import pytest

from tests.runtime.shims.site import SERIALIZATION, Site

SAID = """
import envsmith_shims, torch.serialization
marked = [one if isinstance(one, tuple) else (one, "") for one in torch.serialization.marked]
said = [[f"{one.__module__}.{one.__qualname__}", name] for one, name in marked]
"""


@pytest.fixture(autouse=True)
def _torch(site: Site) -> None:
    site.write(
        torch="import torch.torch_version, torch.serialization",
        torch__torch_version="class TorchVersion: pass",
        torch__serialization=SERIALIZATION,
        own__shapes="class Shape:\n class Inner: pass\nnumber = 3\ndef make(): pass",
    )


def test_names_are_allowed_when_their_modules_are_there(site: Site) -> None:
    site.shims(safe_globals=["torch.torch_version.TorchVersion", "own.shapes.Shape.Inner", "own.shapes.make"])
    assert site.run(f"import torch\n{SAID}") == [["torch.torch_version.TorchVersion", ""]]
    all_three = [
        ["own.shapes.Shape.Inner", ""],
        ["own.shapes.make", ""],
        ["torch.torch_version.TorchVersion", ""],
    ]
    assert sorted(site.run(f"import torch, own.shapes\n{SAID}")) == all_three
    assert sorted(site.run(f"import own.shapes, torch\n{SAID}")) == all_three


def test_a_module_that_imports_torch_first_is_heard_to_its_end(site: Site) -> None:
    site.write(train="import torch\nclass State: pass")
    site.shims(safe_globals=["train.State"])
    assert site.run(f"import train\n{SAID}") == [["train.State", ""]]


def test_nothing_is_imported_for_a_name(site: Site) -> None:
    site.write(heavy="raise SystemExit('imported')")
    site.shims(safe_globals=["heavy.Thing", "own.lazy.Thing"])
    site.write(own="def __getattr__(name): raise SystemExit('asked')")
    assert site.run(f"import torch, own\n{SAID}") == []


def test_a_class_that_has_moved_is_allowed_under_the_name_of_the_checkpoint(site: Site) -> None:
    site.write(old="from own.shapes import Shape")
    site.shims(safe_globals=["old.Shape"])
    assert site.run(f"import torch, old\n{SAID}") == [["own.shapes.Shape", "old.Shape"]]


def test_a_torch_that_takes_no_second_name_is_not_given_one(site: Site) -> None:
    site.write(
        old="from own.shapes import Shape",
        torch__serialization="marked = []\ndef add_safe_globals(safe_globals): marked.extend(safe_globals)",
    )
    site.shims(safe_globals=["old.Shape", "own.shapes.Shape"])
    assert site.run(f"import torch, old\n{SAID}") == [["own.shapes.Shape", ""]]
    told = site.run("import torch, old, envsmith_shims; said = envsmith_shims.failed")
    assert told == {"old.Shape": "is now own.shapes.Shape; this torch does not accept another name for it"}


def test_what_is_no_class_or_function_is_not_allowed(site: Site) -> None:
    site.shims(safe_globals=["own.shapes.number"])
    code = (
        "import torch, own.shapes, envsmith_shims\nsaid = [torch.serialization.marked, envsmith_shims.failed]"
    )
    assert site.run(code) == [[], {"own.shapes.number": "is not a class or function"}]


def test_a_torch_before_2_4_is_left_alone(site: Site) -> None:
    site.write(torch__serialization="")
    site.shims(safe_globals=["own.shapes.Shape"])
    code = "import torch, own.shapes, envsmith_shims; said = [envsmith_shims.added, envsmith_shims.failed]"
    assert site.run(code) == [{"torch-safe-globals": []}, {}]
