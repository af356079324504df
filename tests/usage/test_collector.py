from envsmith.usage.module_matcher import FileUsage


def test_notes_carry_file_area_and_cell() -> None:
    gathered = FileUsage(file="a.ipynb", area="tests")
    gathered.cell = 2
    gathered.use("m.n", 3, "import", "certain")
    gathered.leftover("m", 4, "comment", "  # m " + "x" * 500)
    gathered.bare_text("m", 5, frozenset({"NAMES"}))
    (use,), (left,), (bare,) = gathered.uses, gathered.leftovers, gathered.bare
    assert (use.place, use.area, use.module) == ("a.ipynb: cell 2: line 3", "tests", "m.n")
    assert left.text.startswith("# m x")
    assert len(left.text) == 160
    assert (bare.use.certainty, bare.carriers) == ("string", frozenset({"NAMES"}))
