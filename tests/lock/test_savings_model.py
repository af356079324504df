from __future__ import annotations

from envsmith.lock.savings import BuildSize, DownloadSavings


def weight(project: str, size: int | None, *, is_near: bool = False) -> BuildSize:
    return BuildSize(project=project, filename=f"{project}.whl", size_bytes=size, is_near=is_near)


def test_adds_up_what_is_known_and_names_the_rest() -> None:
    saving = DownloadSavings(
        choice="the cpu build",
        spared=(weight("nvidia", 700), weight("torch", 500), weight("triton", None)),
        instead=(weight("torch", 200),),
    )
    assert saving.known_bytes == 1000
    assert saving.unknown == ("triton",)
    assert not saving.is_near
    assert saving.to_json()["known_bytes"] == 1000


def test_is_near_where_a_part_of_it_is() -> None:
    assert DownloadSavings(choice="x", spared=(weight("a", 1), weight("b", 2, is_near=True))).is_near
