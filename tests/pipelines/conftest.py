from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import repositories
from tests.built import build_wheel
from tests.install.locked import locked_shop
from tests.install.made import Shop
from tests.pipelines.machine import Machine
from tests.replay import ReplayIndex

TEST = ("python", "checks/argv.py", "two words", "$(touch made-it)", "it's", "${{ github.token }}")
CHECK = f"""\
import sys, torch.version
assert sys.argv[1:] == {list(TEST[2:])!r}, sys.argv
print("tested", torch.version.__version__)
"""


@dataclass(kw_only=True)
class Site:
    """A project in a repository, and what stands for the world around it."""

    shop: Shop
    origin: Path
    wheel: Path
    replay: ReplayIndex

    def machine(self, name: str) -> Machine:
        """Return a fresh machine with a clone."""
        base = "https://download.pytorch.org/whl"
        return Machine.fresh(
            self.origin.parent / name,
            self.origin,
            ENVSMITH_PYTORCH_INDEX=self.replay.base,
            ENVSMITH_REWRITE=f"{base}={self.replay.base}",
            GIT_CONFIG_GLOBAL=str(self.origin.parent / "gitconfig"),
        )

    def commit(self, message: str) -> None:
        """Commit all there is, and publish it."""
        repositories.commit(self.shop.project.root, {}, message.replace(" ", "-"))
        repositories.git(self.shop.project.root, "push", "--quiet", str(self.origin), "main")


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("source"))


@pytest.fixture
def site(tmp_path: Path, wheel: Path) -> Iterator[Site]:
    """A project with a lock, whose pipelines install the wheel of envsmith and test with words that must be quoted."""
    with locked_shop(tmp_path / "shop") as shop:
        root = shop.project.root
        lines = [
            f'uv pip install --quiet --no-index --no-deps --reinstall --python "$(command -v python)" {wheel}',
            "envsmith catalog refresh cu134",
        ]
        (root / "pyproject.toml").write_text(
            f'[tool.envsmith]\nrequirements-from = "profile"\n\n[tool.envsmith.ci]\nsetup = {json.dumps(lines)}\n'
            f"test = {json.dumps(TEST)}\n",
            "utf-8",
        )
        (root / ".gitignore").write_text("cache\n.venv\n.envsmith*\n", "utf-8")
        (root / "checks").mkdir()
        (root / "checks/argv.py").write_text(CHECK, "utf-8")
        for form in ("github", "gitlab"):
            ran = shop.project.run("ci", "init", "--format", form)
            assert ran.status == 0, ran.said
        repositories.make(root)
        repositories.git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", "origin.git")
        made = Site(shop=shop, origin=tmp_path / "origin.git", wheel=wheel, replay=shop.index)
        made.commit("first")
        yield made
