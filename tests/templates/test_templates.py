from pathlib import Path

import envsmith
from envsmith.model.shell import SHELLS
from envsmith.templates import read_template


def test_every_shell_has_one_template_and_every_template_its_shell() -> None:
    folder = Path(envsmith.__file__).parent / "templates"
    scripts = {path.name for path in folder.glob("*activate.*")}
    assert scripts == {shell.file for shell in SHELLS} | {"deactivate.bat"}
    for shell in SHELLS:
        assert "envsmith" in read_template(shell.file)[:300]
