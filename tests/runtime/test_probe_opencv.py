"""A GPU is played by a fake; the real OpenCV is in tests/install/test_real_probes.py."""

from __future__ import annotations

from tests.runtime.probes import Bare

NUMPY = """
uint8 = "uint8"


class Image:
    def __init__(self, turned=False):
        self.turned = turned

    def reshape(self, *_):
        return self

    def __getitem__(self, _):
        return Image(not self.turned)

    def __eq__(self, other):
        return Same(self.turned == other.turned)


class Same:
    def __init__(self, is_same):
        self.is_same = is_same

    def all(self):
        return self.is_same


def arange(count, dtype):
    return Image()
"""
CV2 = """
import numpy, types

__version__ = "4.11.0"
IMREAD_UNCHANGED = -1


def getBuildInformation():
    return "  Video I/O:\\n    FFMPEG:      YES\\n  GUI:           QT5\\n  NVIDIA CUDA:   YES (ver 12.8)\\n"


def flip(image, _):
    return numpy.Image(FLIPPED)


def imencode(kind, image):
    return True, image


def imdecode(data, _):
    return data


class cuda_GpuMat:
    def upload(self, image):
        self.image = image

    def download(self):
        return self.image


def turned(there, _):
    there.image = numpy.Image(ON_GPU)
    return there


cuda = types.SimpleNamespace(getCudaEnabledDeviceCount=lambda: 1, flip=turned)
"""


def fake(bare: Bare, *, flipped: bool = True, on_gpu: bool = True) -> None:
    text = CV2.replace("FLIPPED", str(flipped)).replace("ON_GPU", str(on_gpu))
    (bare.site / "cv2.py").write_text(text, "utf-8")
    (bare.site / "numpy.py").write_text(NUMPY, "utf-8")


def test_images_are_compared_on_the_cpu_and_on_the_gpu(bare: Bare) -> None:
    fake(bare)
    facts = bare.trial("opencv")["facts"]
    assert (facts["product"], facts["png"], facts["on_gpu"], facts["cuda_devices"]) == (True, True, True, 1)
    fake(bare, flipped=False)
    assert bare.trial("opencv")["facts"]["product"] is False
    fake(bare, on_gpu=False)
    assert bare.trial("opencv")["facts"]["on_gpu"] is False


def test_what_it_was_built_with_is_told(bare: Bare) -> None:
    fake(bare)
    facts = bare.trial("opencv")["facts"]
    assert (facts["cuda"], facts["ffmpeg"], facts["gui"]) == ("YES (ver 12.8)", "YES", "QT5")
    assert facts["gstreamer"] == "NO"
