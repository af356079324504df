from envsmith.catalog import Catalog
from tests.catalog.tool_modules import load

tool = load("snapshot_page")


def test_the_committed_page_is_the_generated_one() -> None:
    assert tool.PAGE.read_text(encoding="utf-8") == tool.page(Catalog.embedded())


def test_the_page_counts_what_the_catalog_counts() -> None:
    found = Catalog.embedded().coverage()
    total = f"| all |  | {sum(item.wheels for item in found)} | {sum(item.without_hash for item in found)} |"
    assert total in tool.PAGE.read_text(encoding="utf-8")


def test_the_page_is_one_table_with_a_line_for_each_index() -> None:
    lines = list(tool.overview(Catalog.embedded().coverage()))
    assert [line.split(" | ")[0].removeprefix("| ") for line in lines[2:-1]] == [
        item.index for item in Catalog.embedded().coverage()
    ]
    assert len({line.count("|") for line in lines}) == 1
