from packaging.version import Version

from envsmith.catalog import Catalog, VersionCoverage
from tests.catalog.tool_modules import load

tool = load("snapshot_page")


def test_the_committed_page_is_the_generated_one() -> None:
    assert tool.PAGE.read_text(encoding="utf-8") == tool.page(Catalog.embedded())


def test_the_page_counts_what_the_catalog_counts() -> None:
    found = Catalog.embedded().coverage()
    total = f"| all |  | {sum(item.wheels for item in found)} | {sum(item.without_hash for item in found)} |"
    assert total in tool.PAGE.read_text(encoding="utf-8")


def test_a_cell_brackets_what_has_no_hash() -> None:
    version = VersionCoverage(
        project="torch",
        version=Version("2.8.0"),
        hashed={"any": ("cp310", "cp313t")},
        unhashed={"any": ("cp310", "cp39"), "none": ("cp39-abi3", "py3")},
        confidence="exact",
    )
    assert tool.cell(version, "any") == "3.10 3.13t (3.9)"
    assert tool.cell(version, "none") == "(3.9-abi3 py3)"
    assert tool.cell(version, "other") == ""
