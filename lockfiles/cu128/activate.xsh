# Activates the environment of the profile cu128 in xonsh. Written by `envsmith lock`.
#
#     source lockfiles/cu128/activate.xsh
#
# `deactivate` restores the session. The environment is found by the location of this file, or given by
# ENVSMITH_PREFIX. All values below are Python literals of plain text.


def _es_activate(me, is_executed):
    import os
    import sys

    # envsmith's rules for entries to remove: the first match wins.
    rules = [
        ("out", "/site-packages/", False, ""),
        ("out", "/dist-packages/", False, ""),
        ("stays", "/condabin/", False, ""),
        ("out", "", False, "../pyvenv.cfg"),
        ("out", "", False, "../conda-meta/history"),
        ("out", "", False, "conda-meta/history"),
        ("out", "", False, "../../conda-meta/history"),
    ]
    library_rules = [
        ("stays", "/cuda-12.", False, ""),
        ("stays", "/cuda-12/", False, ""),
        ("out", "/cuda-", True, ""),
        ("stays", "", False, "libcuda.so.1"),
        ("stays", "", False, "libcudart.so.12"),
        ("out", "", False, "libcudart.so.10.0"),
        ("out", "", False, "libcudart.so.10.1"),
        ("out", "", False, "libcudart.so.10.2"),
        ("out", "", False, "libcudart.so.11.0"),
        ("out", "", False, "libcudart.so.13"),
        ("out", "", False, "libcudart.so.14"),
    ]
    values = {
        "ENVSMITH_PROFILE": 'cu128',
        "VIRTUAL_ENV_PROMPT": "cu128",
    }
    lists = ["PATH", *"LD_LIBRARY_PATH DYLD_LIBRARY_PATH".split()]
    env = __xonsh__.env

    def say(text):
        print(f"envsmith: {text}", file=sys.stderr)

    def text_of(name):
        if name not in env:
            return None
        value = env[name]
        if isinstance(value, str):
            return value
        if isinstance(value, (list, tuple)):  # xonsh's own default
            return os.pathsep.join(map(str, value))
        # The original text, before xonsh expands it.
        return os.pathsep.join(map(str, value._l)) if hasattr(value, "_l") else env.detype().get(name, str(value))

    def put(name, value):
        if value is not None:
            env[name] = value.split(os.pathsep) if name.endswith("PATH") else value
        elif name in env:
            del env[name]

    def change(name, value=None):
        put(f"_ENVSMITH_WAS_{name}", text_of(name))
        put(f"_ENVSMITH_NOW_{name}", value)
        put(name, value)
        env["_ENVSMITH_CHANGED"] = f"{env.get('_ENVSMITH_CHANGED', '')}{name} "

    def is_foreign(entry, table):
        if not os.path.isabs(entry):
            return True
        for verdict, text, digit, file in table:
            place = f"{entry}/".find(text) if text else -1
            if digit:
                fits = any(f"{text}{one}" in f"{entry}/" for one in "0123456789")
            else:
                fits = os.path.exists(f"{entry}/{file}") if file else place >= 0
            if fits:
                return verdict == "out"
        return False

    def clean(name, first=None):
        was = text_of(name)
        kept, out = [] if first is None else [first], []
        for entry in [] if was is None else was.split(os.pathsep):
            if entry == first:
                continue
            if is_foreign(entry, rules if name == "PATH" else rules + library_rules) or entry in kept:
                out.append(entry if entry.isprintable() else "(one with control characters)")
            else:
                kept.append(entry)
        if not kept and out:
            change(name)
        elif kept and os.pathsep.join(kept) != was:
            change(name, os.pathsep.join(kept))
        return [entry or "(empty)" for entry in out]

    def merged(was, now, present, first):
        kept, rest, out = now[1:] if first else now, list(was), []
        for entry in present:
            if first is not None and entry == first:
                first = None
                continue
            if entry in kept and entry in rest:
                place = rest.index(entry)
                out += [one for one in rest[:place] if one not in kept or one in out]
                del rest[: place + 1]
            out.append(entry)
        return out + [one for one in rest if one not in kept or one in out]

    def parts(text):
        return text.split(os.pathsep) if text else []

    def deactivate(args=()):
        for name in env.get("_ENVSMITH_CHANGED", "").split():
            was, now, present = (text_of(prefix + name) for prefix in ("_ENVSMITH_WAS_", "_ENVSMITH_NOW_", ""))
            if present == now:
                put(name, was)
            elif name in lists:
                # Changed since: keep a single value, and restore the entries of a list at their places.
                first = parts(now)[0] if name == "PATH" else None
                entries = merged(parts(was), parts(now), parts(present), first)
                put(name, os.pathsep.join(entries) if entries else None)
            put(f"_ENVSMITH_WAS_{name}", None)
            put(f"_ENVSMITH_NOW_{name}", None)
        put("_ENVSMITH_CHANGED", None)
        aliases.pop("deactivate", None)

    if is_executed:
        say(f"this file must be read by your shell, not executed:  source {me}")
        sys.exit(1)
    me = os.path.abspath(me)
    folder = os.path.dirname(me)
    if os.path.basename(os.path.dirname(folder)) != "lockfiles" and (os.path.islink(me) or os.path.islink(folder)):
        # Follow a link to this file from outside of the project.
        folder = os.path.dirname(os.path.realpath(me))
    if env.get("ENVSMITH_PREFIX"):
        prefix = os.path.abspath(env["ENVSMITH_PREFIX"])
    elif os.path.exists(os.path.join(os.path.dirname(folder), "pyvenv.cfg")):
        prefix = os.path.dirname(folder)
    else:
        prefix = os.path.join(os.path.dirname(os.path.dirname(folder)), ".venv")
    keeper = os.path.dirname(os.path.dirname(prefix))
    own = os.path.join(os.path.dirname(keeper), ".venv")
    if os.path.basename(keeper) == ".envsmith" and os.path.realpath(own) == os.path.realpath(prefix):
        prefix = own  # the project's own link stays valid after an install or rollback
    programs = os.path.join(prefix, "Scripts" if os.name == "nt" else "bin")
    if not os.path.isdir(programs):
        say(f"no environment at {prefix}: run `envsmith install cu128`")
        return
    if os.pathsep in programs:
        say(f"{programs} cannot be on PATH: it has {os.pathsep!r} in it")
        return
    mark = os.path.join(prefix, "envsmith-profile")
    if os.path.isdir(mark) and not os.path.exists(os.path.join(mark, "cu128")):
        other = ", ".join(os.listdir(mark))
        say(f"the environment at {prefix} was built for the profile {other}, not cu128: run `envsmith install cu128`s own")
        return
    if "_ENVSMITH_CHANGED" not in env and "VIRTUAL_ENV" in env and "deactivate" in aliases and callable(aliases["deactivate"]):
        aliases["deactivate"]([])  # of another tool's environment: let that tool restore the session
    deactivate()
    aliases["deactivate"] = deactivate
    change("VIRTUAL_ENV", prefix)
    for name, value in values.items():
        change(name, value)
    guard = os.path.join(prefix, "envsmith-constraints.txt")
    if os.path.exists(guard):
        if any(one.isspace() for one in guard):  # pip and uv split values at white space, and take URLs
            import pathlib

            guard = pathlib.Path(guard).as_uri()
        for name in "PIP_CONSTRAINT UV_CONSTRAINT".split():
            change(name, guard)
    said = []
    for name in ["PATH", *"LD_LIBRARY_PATH DYLD_LIBRARY_PATH".split()]:
        out = clean(name, programs if name == "PATH" else None)
        said += [f"{name} {', '.join(out)}"] if out else []
    for name in "PYTHONPATH PYTHONHOME CONDA_PREFIX".split():
        if name in env:
            said.append(name)
            change(name)
    if said and not env.get("ENVSMITH_QUIET"):
        say(f"removed until `deactivate`: {'; '.join(said)}")


_es_activate(__file__, __name__ == "__main__")
del _es_activate
