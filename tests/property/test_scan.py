"""A scan of any file ends, and no use in it is missed."""

from __future__ import annotations

import keyword
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from envsmith.model.usage import SearchedModule
from envsmith.usage.config_files import read_commands, read_config, read_requirements_lines
from envsmith.usage.documents import read_document, read_foreign, read_notebook
from envsmith.usage.module_matcher import FileUsage, ModuleMatcher
from envsmith.usage.python import read_long, read_python
from envsmith.usage.scan import read_usage
from tests.scan.ways import notebook

SOUGHT = (
    SearchedModule(module="torchvision", messages=("Failed to",)),
    SearchedModule(module="google.cloud.speech"),
)
NAMES = ModuleMatcher(SOUGHT)
WORDS = (
    'torchvision|import |from |google.cloud|.|\n|  |\'|"""|#|(|)|%|!|-m |:|try:\n |except ImportError:\n '
    "|```{python}\n|```\n|import_module(|exec(|sys.modules[|.split()"
    "|filterwarnings(|[project]\n|= |- |f'{x}'|pip install |\\"
)
PARTS = st.sampled_from(WORDS.split("|"))
TEXTS = st.lists(PARTS | st.text(max_size=4), max_size=25).map("".join)
MODULES = st.from_regex(r"[a-z_][a-z0-9_]{0,8}(\.[a-z_][a-z0-9_]{0,8}){0,2}", fullmatch=True).filter(
    lambda name: not any(map(keyword.iskeyword, name.split(".")))
)


@given(TEXTS)
def test_any_text_is_python_or_refused(text: str) -> None:
    try:
        read_python(text, NAMES, FileUsage(file="a.py"))
    except (SyntaxError, ValueError):
        return


@given(st.binary(max_size=200) | TEXTS.map(str.encode))
def test_any_bytes_are_python_or_refused(data: bytes) -> None:
    try:
        read_python(data, NAMES, FileUsage(file="setup.py"))
    except (SyntaxError, ValueError):
        return


@given(TEXTS)
def test_lines_of_any_text_are_read(text: str) -> None:
    for read in (
        read_commands,
        read_config,
        read_requirements_lines,
        read_long,
        read_document,
        read_foreign,
    ):
        for file in ("a.yaml", "pyproject.toml", "setup.cfg", "profiles/a.toml"):
            read(text, NAMES, FileUsage(file=file))


@given(st.lists(TEXTS, max_size=3))
def test_any_cells_are_a_notebook_or_refused(cells: list[str]) -> None:
    try:
        read_notebook(notebook(*cells).encode(), NAMES, FileUsage(file="a.ipynb"))
    except (SyntaxError, ValueError):
        return


@given(
    st.recursive(
        st.none() | st.integers() | st.just("cells"),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(["cells", "metadata", "worksheets", "kernelspec", "source", "cell_type"]),
                inner,
            )
        ),
    )
)
def test_any_json_is_a_notebook_or_refused(value: object) -> None:
    import json

    try:
        read_notebook(json.dumps(value).encode(), NAMES, FileUsage(file="a.ipynb"))
    except (SyntaxError, ValueError):
        return


@settings(max_examples=40)
@given(
    st.binary(max_size=100) | TEXTS.map(str.encode),
    st.sampled_from(["a.py", "a.ipynb", "a.toml", "tool", "a.sh"]),
)
def test_a_scan_of_any_file_ends(data: bytes, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / name).write_bytes(data)
        read_usage(Path(folder), SOUGHT)


@given(MODULES, TEXTS)
def test_an_import_is_found_wherever_the_rest_of_the_file_is_python(module: str, rest: str) -> None:
    names = ModuleMatcher([SearchedModule(module=module)])
    gathered = FileUsage(file="a.py")
    try:
        read_python(f"{rest}\nimport {module}\n", names, gathered)
    except (SyntaxError, ValueError):
        return
    in_text = rest.count('"""') % 2 == 1
    assert in_text or any(use.module == module and use.kind == "import" for use in gathered.uses)


def test_lines_of_any_length_are_read_in_time_in_proportion() -> None:
    """Regression test: these lines once took quadratic or exponential time."""
    many = 5_000
    texts = [
        "pip" + " -a,-a" * 60,
        "py" * many,
        "\n" * many,
        "py -c " * many,
        "x=" * many,
        "import a," * many,
    ]
    for text in texts:
        line = f"{text} torchvision"
        for read in (
            read_commands,
            read_config,
            read_requirements_lines,
            read_long,
            read_document,
            read_foreign,
        ):
            read(line, NAMES, FileUsage(file="pyproject.toml"))
        read_python(f"x = {line!r}", NAMES, FileUsage(file="a.py"))
