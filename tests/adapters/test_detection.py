from envsmith.adapters.detection import detect
from envsmith.adapters.host import this_platform


def test_this_machine_is_described() -> None:
    host = detect()
    here = this_platform()
    assert (host.os, host.machine) == (here.os, here.machine)
