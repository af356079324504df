"""What an install puts into a new environment besides its packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envsmith.activate.activation import environment_files
from envsmith.activate.model import MARK
from envsmith.files.folders import python_of, refusals
from envsmith.templates import read_template

if TYPE_CHECKING:
    from envsmith.install.request import Furnishing


def furnish_scripts(given: Furnishing) -> None:
    """Put the activation scripts among the environment's programs, in the place of those that uv writes.

    And the mark that names its profile: scripts of another profile know by it that they are not to enter.

    Raises:
        InstallError: ENV021 when the disk is full, ENV024 when the system refuses.
    """
    folder = python_of(given.prefix).parent
    for name, content in environment_files(given.activation, read_template).items():
        with refusals(folder / name):
            (folder / name).write_bytes(
                content
            )  # nobody reads them before the environment is proved and recorded
    mark = given.prefix / MARK
    with refusals(mark):
        mark.mkdir(exist_ok=True)
        (mark / given.activation.profile).touch()
