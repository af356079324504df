import pytest

from envsmith.errors import CatalogError, EnvsmithError, LockError, ProfileError, ResolveError, ToolError


def test_place_grows_outwards() -> None:
    error = ProfileError("PRF010", "invalid backend `x`", where="backend")
    assert error.at("profiles/a.toml:7") is error
    assert str(error) == "PRF010: profiles/a.toml:7: backend: invalid backend `x`"


def test_place_may_come_late() -> None:
    assert str(ToolError("TOL001", "cannot start")) == "TOL001: cannot start"
    assert str(ToolError("TOL001", "cannot start").at("uv")) == "TOL001: uv: cannot start"


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (ProfileError, 2),
        (ResolveError, 1),
        (LockError, 1),
        (CatalogError, 2),
        (ToolError, 2),
        (EnvsmithError, 2),
    ],
)
def test_exit_codes(kind: type[EnvsmithError], status: int) -> None:
    assert kind("XXX000", "m").exit_code == status


def test_json_holds_parts() -> None:
    part = ResolveError("RES021", "no build", details=(("exists", "cu130"),))
    whole = ResolveError("RES001", "2 targets", where="cu128", hint="h", parts=(part,))
    assert whole.to_json() == {
        "code": "RES001",
        "message": "2 targets",
        "where": "cu128",
        "hint": "h",
        "details": [],
        "parts": [
            {
                "code": "RES021",
                "message": "no build",
                "where": "",
                "hint": "",
                "details": [{"label": "exists", "text": "cu130"}],
                "parts": [],
            }
        ],
    }
