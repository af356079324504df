from __future__ import annotations

import pytest

from envsmith.usage.python import at_import_time

MODULES = ["torchvision"]


@pytest.mark.parametrize(
    "source",
    [
        "import torchvision",
        "import torchvision.ops as ops",
        "from torchvision import transforms",
        "from torchvision.ops import (\n    nms,\n    box_iou,\n)",
        "if True:\n    import torchvision",
        "class Model:\n    import torchvision",
        "with open('x') as f:\n    import torchvision",
        "try:\n    import torchvision\nfinally:\n    pass",
        "try:\n    import torchvision\nexcept ValueError:\n    pass",
        "import importlib\nvision = importlib.import_module('torchvision.models')",
        "vision = __import__('torchvision')",
    ],
)
def test_what_an_import_runs_is_found(source: str) -> None:
    (use,) = at_import_time({"pkg/a.py": source.encode()}, MODULES)
    assert (use.file, use.certainty) == ("pkg/a.py", "certain")
    assert use.module.startswith("torchvision")


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    import torchvision",
        "async def f():\n    from torchvision import ops",
        "class Model:\n    def forward(self):\n        import torchvision",
        "try:\n    import torchvision\nexcept ImportError:\n    torchvision = None",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torchvision",
        "if is_torchvision_available():\n    import torchvision",
        "later = lambda: __import__('torchvision')",
        "from . import torchvision",
        "import torchvision_extra",
        "'import torchvision'",
        "# import torchvision",
        "print 'import torchvision'",
        "import torchvision\0",
        "import_module(torchvision)",
    ],
)
def test_what_runs_later_or_never_is_not(source: str) -> None:
    assert at_import_time({"pkg/a.py": source.encode()}, MODULES) == ()


def test_places_are_told_once_per_line_and_in_order() -> None:
    sources = {
        "b.py": b"import os\nfrom torchvision import a, b, c\n",
        "a.py": b"import torchvision\n\n\nimport torchvision.ops\n",
    }
    assert [use.place for use in at_import_time(sources, MODULES)] == ["a.py:1", "a.py:4", "b.py:2"]


def test_of_a_shared_folder_only_the_part_that_is_sought_counts() -> None:
    sources = {"a.py": b"import google.cloud.storage\nimport google.cloud.speech\n"}
    assert [use.line for use in at_import_time(sources, ["google.cloud.speech"])] == [2]


def test_deep_nesting_ends_no_program() -> None:
    deep = b"x = " + b"(" * 100_000 + b"torchvision" + b")" * 100_000
    assert at_import_time({"a.py": deep, "b.py": b"import torchvision"}, MODULES)[0].file == "b.py"
