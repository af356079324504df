from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from envsmith.model.usage import SearchedModule, Usage, Use
from envsmith.usage.scan import scan

ROOT = Path("project")


class Files:
    """Files in which each of some modules is imported once."""

    def __init__(self, *modules: str) -> None:
        self.modules = modules
        self.sought: list[str] = []
        self.sources: Sequence[str] | None = ()
        self.enough: int | None = 0

    def read_usage(
        self,
        root: Path,
        sought: Iterable[SearchedModule],
        sources: Sequence[str] | None = None,
        *,
        enough: int | None = None,
    ) -> Usage:
        assert root == ROOT
        self.sought = [item.module for item in sought]
        self.sources = sources
        self.enough = enough
        return Usage(
            uses=tuple(
                Use(file="a.py", line=1, module=module, kind="import", certainty="certain")
                for module in self.modules
            ),
            files_read=1,
        )


class Environment:
    def __init__(self, **known: tuple[str, ...]) -> None:
        self.known = known

    def installed_modules(self, root: Path, projects: Collection[str]) -> dict[str, tuple[str, ...]]:
        assert root == ROOT
        return {name: modules for name, modules in self.known.items() if name in projects}


def test_each_package_has_its_answer_by_name() -> None:
    files = Files("cv2", "yaml.nodes")
    found = scan(ROOT, ["PyYAML", "opencv_python", "torchaudio"], sources=files, installed=Environment())
    assert {item.project: item.verdict.answer for item in found.answers} == {
        "opencv-python": "used",
        "pyyaml": "used",
        "torchaudio": "unused",
    }
    assert files.sought == ["yaml", "cv2", "torchaudio"]
    assert files.sources is None
    assert files.enough is None


def test_what_is_installed_knows_better_than_the_name() -> None:
    found = scan(
        ROOT, ["odd"], sources=Files("strange"), installed=Environment(odd=("strange",)), folders=["src"]
    )
    (answer,) = found.answers
    assert (answer.modules, answer.verdict.answer) == (("strange",), "used")


def test_messages_stay_known_where_the_modules_come_from_an_environment() -> None:
    class Look(Files):
        def read_usage(
            self,
            root: Path,
            sought: Iterable[SearchedModule],
            sources: Sequence[str] | None = None,
            *,
            enough: int | None = None,
        ) -> Usage:
            items = tuple(sought)
            assert [item.messages for item in items] == [("Failed to load image Python extension",)]
            return super().read_usage(root, items, sources, enough=enough)

    scan(ROOT, ["torchvision"], sources=Look(), installed=Environment(torchvision=("torchvision",)))


def test_a_project_is_sought_by_its_own_name_where_its_modules_have_another() -> None:
    asked: list[SearchedModule] = []

    class Look(Files):
        def read_usage(
            self,
            root: Path,
            sought: Iterable[SearchedModule],
            sources: Sequence[str] | None = None,
            *,
            enough: int | None = None,
        ) -> Usage:
            asked.extend(sought)
            return super().read_usage(root, (), sources, enough=enough)

    scan(ROOT, ["Scikit.Learn", "torch", "odd"], sources=Look(), installed=Environment(odd=("strange",)))
    assert {item.module: item.projects for item in asked} == {
        "sklearn": ("scikit-learn", "scikit_learn", "Scikit.Learn"),
        "torch": (),
        "strange": ("odd",),
    }


def test_an_answer_is_plain_values() -> None:
    (answer,) = scan(ROOT, ["torch"], sources=Files("torch.nn"), installed=Environment()).answers
    values = answer.to_json()
    assert (values["project"], values["answer"], values["modules"]) == ("torch", "used", ["torch"])
