"""Killed at any moment, ``envsmith sync`` leaves the old locks or the new ones, and an environment that works."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.install.locked import locked_shop

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="signals process groups, looks at bin/")
MOMENTS = int(os.environ.get("ENVSMITH_TEST_KILLS", "5"))


def test_killed_at_moments_spread_over_the_run(tmp_path: Path) -> None:
    with locked_shop(tmp_path) as shop:
        project, profile = shop.project, shop.project.root / "profiles/own.toml"
        words = ("sync", "own", "--offline", "--wheelhouse", str(shop.wheelhouse))
        # With a cutoff the locks do not contain the time of their resolution.
        plain = 'as-of = "2099-01-01"\n' + profile.read_text("utf-8")
        texts = [plain, 'overrides = ["filelock<9"]\n' + plain]
        locks = []
        profile.write_text(texts[1], "utf-8")
        assert project.run(*words).status == 0
        for text in (*texts, texts[0]):
            profile.write_text(text, "utf-8")
            begun = time.monotonic()
            ran = project.run(*words)
            assert ran.status == 0, ran.said
            length_s = time.monotonic() - begun
            locks.append(project.locks("own"))
        assert locks[0] == locks[2] != locks[1]
        seen: Counter[str] = Counter()
        for number in range(MOMENTS):
            profile.write_text(texts[(number + 1) % 2], "utf-8")
            process = subprocess.Popen(
                [sys.executable, "-m", "envsmith", *words],
                cwd=project.root,
                env=project.environ(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            time.sleep(length_s * (number + 0.5) / MOMENTS)
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            seen["killed" if process.wait() == -signal.SIGKILL else "ended before"] += 1
            assert project.run("lock", "own", "--check").status in (0, 1)  # completes a write of the locks
            assert project.locks("own") in locks
            assert subprocess.run([shop.python(), "-c", "import torch"], check=False).returncode == 0
        assert seen["killed"] >= MOMENTS // 2
        ran = project.run(*words)
        assert ran.status == 0, ran.said
        assert project.locks("own") == locks[MOMENTS % 2]
        assert project.run("verify").status == 0
