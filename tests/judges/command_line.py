"""The command under test: the one place that knows how it is called."""

import os
import resource
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def binary():
    """The binary that `cargo build` made, or the one that COGSMITH names."""
    named = os.environ.get("COGSMITH")
    if named:
        return named
    target = os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target"))
    path = os.path.join(ROOT, target, "debug", "cogsmith")
    if not os.path.exists(path):
        raise SystemExit(f"{path} is missing: run cargo build first")
    return path


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    @property
    def crashed(self):
        """A signal, a panic, a hang: never the command's way to say no."""
        return self.code is None or self.code < 0 or self.code >= 100 or b"panicked at" in self.err

    def words(self):
        return self.err.decode("utf-8", "replace").strip().replace("\n", " | ")

    def __str__(self):
        return f"exit {'hang' if self.code is None else self.code}: {self.words()[-300:]}"


def run(*args, timeout=120, memory=None, file_size=None, stdin=subprocess.DEVNULL, cwd=None, stdout=subprocess.PIPE, umask=-1):
    """Runs the command with these words; memory and file size in bytes are hard limits."""
    def limit():
        if memory:
            resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        if file_size:
            import signal
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_size, file_size))
    try:
        p = subprocess.run([binary(), *map(str, args)], stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, timeout=timeout,
                           preexec_fn=limit if memory or file_size else None, cwd=cwd, umask=umask)
    except subprocess.TimeoutExpired as e:
        return Result(None, e.stdout or b"", e.stderr or b"")
    return Result(p.returncode, p.stdout, p.stderr)


def create(source, target, **options):
    """`create` with options by their long names: overview_resampling="mode" is --overview-resampling mode."""
    limits = {k: options.pop(k) for k in ("timeout", "memory", "file_size", "cwd", "umask", "stdin", "stdout") if k in options}
    words = ["create"]
    for name, value in options.items():
        name = "--" + name.replace("_", "-")
        if value is True:
            words.append(name)
        elif value is not None and value is not False:
            # One word, so that a negative number is not taken for an option.
            words.append(f"{name}={value}")
    return run(*words, source, target, **limits)
