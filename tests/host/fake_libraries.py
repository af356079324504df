"""Small libraries that stand for NVIDIA's: compiled where a C compiler is there."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

NVML = r"""
#include <string.h>
typedef struct { unsigned long long total, free, used; } memory_t;
int nvmlInit_v2(void) { return 0; }
int nvmlSystemGetDriverVersion(char *text, unsigned length) { strcpy(text, "580.65.06"); return 0; }
int nvmlSystemGetCudaDriverVersion_v2(int *version) { *version = 13000; return 0; }
int nvmlDeviceGetCount_v2(unsigned *count) { *count = 2; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **handle) { *handle = (void *)(long)(index + 1); return 0; }
int nvmlDeviceGetName(void *handle, char *text, unsigned length)
{ strcpy(text, handle == (void *)1 ? "NVIDIA H200" : "NVIDIA GeForce GTX 1080"); return 0; }
int nvmlDeviceGetCudaComputeCapability(void *handle, int *major, int *minor)
{ *major = handle == (void *)1 ? 9 : 6; *minor = handle == (void *)1 ? 0 : 1; return 0; }
int nvmlDeviceGetMemoryInfo(void *handle, memory_t *memory) { memory->total = 8ull << 30; return 0; }
"""
CUDA = r"""
#include <string.h>
#include <stddef.h>
int cuInit(unsigned flags) { return 0; }
int cuDriverGetVersion(int *version) { *version = 12060; return 0; }
int cuDeviceGetCount(int *count) { *count = 1; return 0; }
int cuDeviceGet(int *device, int ordinal) { *device = ordinal; return 0; }
int cuDeviceGetName(char *text, int length, int device) { strcpy(text, "Orin"); return 0; }
int cuDeviceGetAttribute(int *value, int attribute, int device) { *value = attribute == 75 ? 8 : 7; return 0; }
int cuDeviceTotalMem_v2(size_t *bytes, int device) { *bytes = 1024; return 0; }
"""
REFUSES = "int nvmlInit_v2(void) { return 9; }\nint cuInit(unsigned flags) { return 100; }\n"
CRASHES = "int nvmlInit_v2(void) { *(volatile int *)0 = 1; return 0; }\n"
HANGS = "int nvmlInit_v2(void) { for (;;) {} return 0; }\n"
LACKS = "int nvmlInit_v2(void) { return 0; }\n"


def library(folder: Path, name: str, source: str) -> str:
    """Compile a shared library, and return its path."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("no C compiler is here to make a stand-in for NVIDIA's library")
    path = folder / f"{name}.so"
    code = folder / f"{name}.c"
    code.write_text(source, "utf-8")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", path, code], check=True, capture_output=True)
    return str(path)
