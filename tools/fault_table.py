"""Print what `envsmith verify`, `pip check` and `uv pip check` say of each fault that the tests plant."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.cli.test_verify import FAULTS  # noqa: E402 - found by the path above
from tests.install.made import Shop, made, made_torch  # noqa: E402

TOOLS = Path(sys.executable).parent


def main() -> None:
    """Plant one fault after the other in copies of one environment, and print the table."""
    with TemporaryDirectory() as folder:
        shop = Shop.opened(Path(folder))
        wheels = (made_torch("2.19.0+cpu"), made("beside"))
        shop.stock(*wheels)
        shop.lock(*wheels)
        shop.project.profile(
            "small", backend="cpu", python=["3.11"], platforms=["linux"], requirements=["torch"]
        )
        with (shop.project.root / "profiles" / "small.toml").open("a", encoding="utf-8") as file:
            file.write('[checks]\nimports = ["torch", "beside"]\ntimeout-s = 20\n')
        shop.install()
        print("| planted | `envsmith verify` | `pip check` | `uv pip check` |\n|---|---|---|---|")
        for plant, _, words in FAULTS:
            prefix = Path(folder) / plant.__name__
            shutil.copytree(shop.link.resolve(), prefix, symlinks=True)
            plant(prefix)
            print(
                f"| {plant.__name__.replace('_', ' ')} | {codes(shop, prefix, words)} | "
                f"{says(TOOLS / 'pip', '--python', str(prefix / 'bin/python'), 'check')} | "
                f"{says(TOOLS / 'uv', '--no-config', 'pip', 'check', '--python', str(prefix))} |",
                flush=True,
            )


def codes(shop: Shop, prefix: Path, words: tuple[str, ...]) -> str:
    """Return the codes that verify finds."""
    ran = shop.project.run("verify", "small", "--prefix", str(prefix), "--json", *words)
    found = sorted({item["code"] for item in json.loads(ran.out)["data"]["findings"]})
    return " ".join(found) + "".join(f" ({word})" for word in words)


def says(*command: str | Path) -> str:
    """Return whether a check finds something."""
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)  # noqa: S603 - our own tools
    return "found" if done.returncode else "nothing"


if __name__ == "__main__":
    main()
