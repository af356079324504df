"""Start-up file of the Windows CPython under Wine 8, which has no reparse points: links of Linux take their place.

Programs of the host make and read the links. A test that relies on junctions relies on this file, not on Windows.
With SIM_MAX_PATH, system calls refuse paths of 260 characters and more, as Windows does by default and Wine does not;
with SIM_NO_JUNCTIONS, junctions are refused with that error of Windows, as on exFAT (1) and network shares (50).
"""

# ruff: noqa: ANN001, ANN003, ANN202, ARG001, PTH100, PTH102, PTH108, PTH112, PTH118, PTH123, RET503, ANN002, PLW0603
import sys

if sys.platform == "win32":
    import _winapi
    import nt
    import os
    import time

    _DRIVE = (os.environ.get("WINEPREFIX") or os.environ["WINECONFIGDIR"][6:].replace("\\", "/")) + "/drive_c"
    _count = 0

    def _of_host(path):
        path = os.path.abspath(os.fspath(path)).removeprefix("\\\\?\\")
        rest = path[2:].replace("\\", "/")
        return (rest or "/") if path[:1].lower() == "z" else _DRIVE + rest

    def _of_windows(path):
        inside = path.startswith(_DRIVE + "/")
        return ("C:" + path[len(_DRIVE) :] if inside else "Z:" + path).replace("/", "\\")

    def _run(program, *paths):
        """Run a program of the host on paths, and return its status and output."""
        global _count
        _count += 1
        name = f"host-{os.getpid()}-{_count}-{time.time_ns()}"
        answer = os.path.join(os.environ.get("TEMP", "C:\\windows\\temp"), name)
        place = _of_host(answer)
        script = (
            f"{program} > '{place}.new' 2>/dev/null; echo $? >> '{place}.new'; mv '{place}.new' '{place}'"
        )
        words = "".join(f' "{_of_host(path)}"' for path in paths)
        line = f'"Z:\\bin\\sh" -c "{script}" sh{words}'
        _winapi.CreateProcess("Z:\\bin\\sh", line, None, None, False, 0, None, None, None)
        until = time.monotonic() + 20
        while True:
            try:
                with open(answer, encoding="utf-8", newline="") as stream:
                    *lines, status = stream.read().rstrip("\n").split("\n")
                os.unlink(answer)
                return int(status), "\n".join(lines)
            except OSError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.005)

    def _create_junction(source, target):
        if number := int(os.environ.get("SIM_NO_JUNCTIONS", "0")):
            os.mkdir(target)  # Windows creates the folder first
            raise OSError(22, "refused", target, number)
        if _run('ln -sT \\"$1\\" \\"$2\\"', source, target)[0]:
            raise FileExistsError(17, "Cannot create a file when that file already exists", target, 183)

    def _readlink(path, *, dir_fd=None):
        nt.lstat(path)
        status, target = _run('readlink \\"$1\\"', path) if _is_elsewhere(path) else (1, "")
        if status:
            raise OSError(22, "The file or directory is not a reparse point", os.fspath(path), 4390)
        return "\\\\?\\" + _of_windows(target)

    def _is_link(path):
        try:
            return os.path.isdir(path) and _is_elsewhere(path) and _run('test -L \\"$1\\"', path)[0] == 0
        except OSError:
            return False

    def _is_elsewhere(path):
        """Return whether a path leads to another one; asked before a program of the host, which takes 20 ms."""
        folder, name = os.path.split(os.path.abspath(os.fspath(path)))
        return nt._getfinalpathname(os.path.join(folder, name)) != os.path.join(
            nt._getfinalpathname(folder), name
        )

    def _moving(real):
        def move(src, dst, *, src_dir_fd=None, dst_dir_fd=None):
            if not _is_link(src):
                return real(src, dst)
            if os.path.lexists(dst):
                raise FileExistsError(17, "Cannot create a file when that file already exists", src, 183, dst)
            if _run('mv -T \\"$1\\" \\"$2\\"', src, dst)[0]:
                raise PermissionError(13, "Access is denied", src, 5, dst)

        return move

    _real_rmdir = nt.rmdir

    def _rmdir(path, *, dir_fd=None):
        if not _is_link(path):
            return _real_rmdir(path)
        if _run('rm \\"$1\\"', path)[0]:
            raise PermissionError(13, "Access is denied", path, 5)

    _winapi.CreateJunction = _create_junction
    os.readlink = nt.readlink = _readlink
    os.rename = nt.rename = _moving(nt.rename)
    os.replace = nt.replace = _moving(nt.replace)
    os.rmdir = nt.rmdir = _rmdir

    def _limited(real, limit):
        def call(*words, **named):
            path = words[0] if words else named.get("path", ".")
            text = os.fspath(path) if isinstance(path, (str, os.PathLike)) else ""
            if text and not text.startswith("\\\\?\\") and len(os.path.abspath(text)) >= limit:
                raise FileNotFoundError(2, "The system cannot find the path specified", text, 3)
            return real(*words, **named)

        return call

    if os.environ.get("SIM_MAX_PATH"):
        import builtins
        import io

        for _name in ("chmod", "listdir", "lstat", "open", "rename", "rmdir", "scandir", "stat", "unlink"):
            setattr(os, _name, _limited(getattr(os, _name), 260))
        os.remove = os.unlink
        os.mkdir = _limited(os.mkdir, 248)  # a folder must have room for a name of 8 and 3 characters
        builtins.open = io.open = _limited(io.open, 260)
