"""Word checks: each rule catches what it is for, and passes technical uses."""

from pathlib import Path

import pytest

from tests.catalog.tool_modules import load

tool = load("check_words")

PLAIN = '''"""Wheel cache."""

def read() -> str:
    """Return the cached text."""
    return "cannot read the cache: permission denied"
'''


def found(source: str, path: str = "envsmith/cache/store.py") -> set[str]:
    return {
        f"{hit.rule} {hit.word}" for text in tool.texts_of_module(path, source) for hit in tool.hits(text)
    }


def in_page(line: str) -> set[str]:
    return {hit.word for hit in tool.hits(tool.Text("docs/guide/x.md", 1, "doc", line))}


def checkout(folder: Path, **files: str) -> Path:
    (folder / "envsmith").mkdir()
    for name, text in {"envsmith/plain.py": PLAIN, **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return folder


def test_plain_modules_pass() -> None:
    assert found(PLAIN) == set()


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('"""Cache."""\ndef f():\n    """Return what is cached."""\n', {"what what"}),
        ('"""Cache."""\nX = 1\n"""What is kept."""\n', {"what what"}),
        ('"""Cache."""\n# what comments say is not counted\nX = "what"\n', set()),
        ('"""Where files are kept."""\n', {"clause Where"}),
        ('"""Cache.\n\nOnly the first line counts: who reads on is patient.\n"""\n', set()),
        ('"""Whatever and thatched are other words."""\n', set()),
    ],
)
def test_docstrings(source: str, expected: set[str]) -> None:
    assert found(source) == expected


@pytest.mark.parametrize(
    "message",
    ['"x is no backend"', 'f"{name!r} is no backend"', '"there are no rows"[1:]', 'f"{x} was no " f"{kind}"'],
)
def test_is_no_is_caught(message: str) -> None:
    assert "is-no is no" in found(f'"""Cache."""\nX = {message}\n')


@pytest.mark.parametrize(
    "message",
    [
        '"the wheel is no longer listed"',
        '"the driver is no newer than 570"',
        '"the answer is no"',
        '"there is normally one"',
        're.search(r"there are no versions of", text)',
    ],
)
def test_other_uses_of_no_pass(message: str) -> None:
    assert found(f'"""Cache."""\nX = {message}\n') == set()


def test_is_no_is_allowed_in_docstrings() -> None:
    assert found('"""Cache."""\ndef f():\n    """Raise if x is no backend."""\n') == set()


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("cured at once", "cure"),
        ("a sick environment", "sick"),
        ("the environment is not proved", "proved"),
        ("Reproducible, true environments", "true"),
        ("a lock is true only if", "true"),
        ("Whence rows.", "whence"),
        ("Whence rows.", "row"),
        ("another member of the family", "family"),
        ("GitHub lends no GPU", "lent"),
        ("never heard of", "heard"),
        ("it is told", "told"),
        ("lock anew", "anew"),
        ("known beforehand", "beforehand"),
        ("moved aside", "aside"),
        ("rules of the house", "house"),
        ("make room, then try again", "room"),
        ("2027-01-01 lies ahead", "lies"),
        ("what stands in quotes", "stands"),
        ("is gone on with", "gone on with"),
        ("is let go", "let go"),
        ("3 files could not be had", "had"),
        ("there is none", "there is none"),
        ("as is said below", "is said"),
        ("gathered files", "gather"),
        ("packages that fight", "fight"),
    ],
)
def test_private_words_are_caught(text: str, word: str) -> None:
    assert word in in_page(text)
    assert f"private {word}" in found(f'"""Cache."""\nX = "{text}"\n')


def test_every_private_word_is_tried() -> None:
    marks = test_private_words_are_caught.pytestmark  # type: ignore[attr-defined]
    assert {word for _, word in marks[0].args[1]} == set(tool.PRIVATE)


@pytest.mark.parametrize(
    "text",
    [
        "set `family.torchaudio` in the profile",
        "kept in .envsmith/aside/2 of the project",
        "set allow-overlap, or mark the row-group; family.torch too",
        "the torch family, torch-family pins",
        "`envsmith doctor families --fix` asks first",
        "[decisions](../adr/0004-house-and-rooms.md)",
        "the fitting room of a shop",
        "[family]",
        "moved, or set aside 3 files",
        "arrows, borrowed, foretold, classroom: parts of other words",
        "`is_current = true` and true or false",
    ],
)
def test_technical_uses_pass(text: str) -> None:
    assert in_page(text) == set()


def test_help_of_a_command_is_checked_and_other_docstrings_are_not() -> None:
    text = 'def f():\n    """Cure the environment."""\n'
    assert found(f'"""Doctor."""\n@click.command("doctor")\n{text}') == {"private cure"}
    assert found(f'"""Doctor."""\n@cached\n{text}') == set()


def test_keys_pass_but_not_as_labels() -> None:
    assert found('"""Doctor."""\nX = {"family": 1}["family"]\n__all__ = ["house"]\n') == set()
    assert found('"""Doctor."""\nrender.labelled("proved", text)\n') == {"private proved"}


def test_catalog_tables_have_rows_and_sources_are_quoted() -> None:
    assert found('"""Tables."""\nX = "row 3 is malformed"\n', "envsmith/catalog/table_reader.py") == set()
    table = '[[failure]]\ncause = "the cure"\nsource = "told by x"\nseen = ["a row", "a house"]\n'
    hits = [hit for text in tool.texts_of_table("envsmith/catalog/x.toml", table) for hit in tool.hits(text)]
    assert [(hit.line, hit.word) for hit in hits] == [(2, "cure"), (4, "house")]


def test_figures_are_counted_by_folder(tmp_path: Path) -> None:
    root = checkout(
        tmp_path, **{"envsmith/lock/a.py": '"""What is locked."""\n', "docs/guide/a.md": "anew\n"}
    )
    figures = tool.measure(tool.collect(root))
    assert figures.of("clause") == 0.5
    assert figures.of("clause", "envsmith/lock") == 1
    assert figures.of("what", "envsmith/lock") == pytest.approx(1000 / 3)
    assert figures.of("private", "docs/guide") == 1


def test_check_fails_over_a_limit_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = checkout(tmp_path)
    assert tool.main(["--root", str(root), "--check"]) == 0
    (root / "README.md").write_text("Lock anew.\n", "utf-8")
    assert tool.main(["--root", str(root)]) == 0
    assert tool.main(["--root", str(root), "--check"]) == 1
    assert "over the limit: private" in capsys.readouterr().err


def test_places_are_listed_by_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = checkout(
        tmp_path, **{"envsmith/lock/a.py": '"""Lock."""\n\nX = "a\\nmake room"\n', "README.md": "anew\n"}
    )
    assert tool.main(["--root", str(root), "--list", "lock"]) == 0
    assert capsys.readouterr().out == "envsmith/lock/a.py:4: private room: a make room\n"
    tool.main(["--root", str(root), "--list"])
    assert "README.md:1: private anew: anew\n" in capsys.readouterr().out
