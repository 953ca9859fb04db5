"""What all benchmarks share: child processes with CPU time, figures, bars, machine facts.

CPU time is the measure, not wall time: it is what a shared or busy machine leaves comparable. It
comes from `os.wait4`, so it is the child's own (with everything that the child itself waited for).
Ratios are always against a peer that ran in the same minutes, interleaved with what is measured.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import TYPE_CHECKING, NoReturn, Self

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping, Sequence

HERE = os.path.dirname(os.path.abspath(__file__))
BARE = ("-c", "pass")

# The leanest honest answer to "did anything change": one scandir per folder, one stat per file.
STAT_WALK = """
import os, sys
stack, files = [sys.argv[1]], 0
while stack:
    with os.scandir(stack.pop()) as rows:
        for row in rows:
            if row.name[0] == ".":
                continue
            if row.is_dir(follow_symlinks=False):
                stack.append(row.path)
            else:
                row.stat(follow_symlinks=False)
                files += 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One finished child process: seconds of CPU and wall, peak memory in MB, exit code, output."""

    cpu_s: float
    wall_s: float
    peak_mb: float
    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured number, its bar if it has one, and whether smaller or larger is better."""

    name: str
    value: float
    unit: str
    bar: float | None = None
    at_least: bool = False
    note: str = ""

    @property
    def verdict(self) -> str:
        """`pass`, `FAIL`, or nothing when there is no bar."""
        if self.bar is None:
            return ""
        good = self.value >= self.bar if self.at_least else self.value <= self.bar
        return "pass" if good else "FAIL"


@dataclass(slots=True, kw_only=True)
class Report:
    """All figures of one benchmark run, printed as a table or as one JSON document."""

    benchmark: str
    settings: dict[str, object] = field(default_factory=dict)
    figures: list[Figure] = field(default_factory=list)

    def add(
        self,
        name: str,
        value: float,
        unit: str,
        *,
        bar: float | None = None,
        at_least: bool = False,
        note: str = "",
    ) -> None:
        """Note one figure."""
        self.figures.append(
            Figure(name=name, value=value, unit=unit, bar=bar, at_least=at_least, note=note)
        )

    def print(self, *, as_json: bool) -> None:
        """To stdout; the verdict words are `pass` and `FAIL`."""
        if as_json:
            rows = [{**asdict(row), "verdict": row.verdict} for row in self.figures]
            document = {
                "benchmark": self.benchmark,
                "settings": self.settings,
                "machine": machine(),
                "figures": rows,
            }
            print(json.dumps(document, indent=2, ensure_ascii=False))
            return
        print(f"\n{self.benchmark}  " + "  ".join(f"{k}={v}" for k, v in self.settings.items()))
        print("machine  " + "  ".join(f"{k}={v}" for k, v in machine().items()))
        width = max((len(row.name) for row in self.figures), default=0)
        for row in self.figures:
            sign = ">=" if row.at_least else "<="
            bar = "" if row.bar is None else f"{sign} {row.bar:.4g} {row.unit}"
            value = f"{row.value:.4g}" if abs(row.value) < 1000 else f"{row.value:,.0f}"
            line = f"{row.name:<{width}}  {value:>8} {row.unit:<6} {bar:<16} {row.verdict:<4}"
            print(f"{line}  {row.note}".rstrip())


def machine() -> dict[str, object]:
    """Collect the facts about this machine that a reader needs to compare figures."""
    facts: dict[str, object] = {
        "system": f"{platform.system()} {platform.release()}",
        "processor": _processor(),
        "cores": os.cpu_count() or 0,
        "python": platform.python_version(),
    }
    if hasattr(os, "getloadavg"):
        facts["load"] = round(os.getloadavg()[0], 2)
    return facts


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as rows:
            for row in rows:
                if row.startswith("model name"):
                    return row.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def clean_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Our environment without what changes an interpreter's start or memtree's tree."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "MEMTREE"))}
    kept["NO_COLOR"] = "1"
    kept.update(extra or {})
    return kept


def run(
    argv: Sequence[str], *, cwd: str | None = None, env: Mapping[str, str] | None = None
) -> Run:
    """Run one child to its end and return what it cost.

    `peak_mb` is never below the memory of the process that starts the child (a fork inherits the
    high-water mark), so callers that report it stay small themselves.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        started = time.perf_counter()
        child = subprocess.Popen(
            argv,
            cwd=cwd,
            env=dict(env) if env is not None else clean_environment(),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
        )
        _, status, usage = os.wait4(child.pid, 0)
        wall_s = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        unit = 1 if sys.platform == "darwin" else 1024
        return Run(
            cpu_s=usage.ru_utime + usage.ru_stime,
            wall_s=wall_s,
            peak_mb=usage.ru_maxrss * unit / 1e6,
            code=child.returncode,
            out=out.read().decode("utf-8", "replace"),
            err=err.read().decode("utf-8", "replace"),
        )


def run_or_stop(
    argv: Sequence[str], *, cwd: str | None = None, accept: Sequence[int] = (0,)
) -> Run:
    """`run`, but an unexpected exit code ends the benchmark with the child's own words."""
    done = run(argv, cwd=cwd)
    if done.code not in accept:
        stop(f"{' '.join(argv[:4])} ended with {done.code}:\n{done.err[-800:]}{done.out[-400:]}")
    return done


def stop(message: str) -> NoReturn:
    """End the benchmark: it could not measure."""
    print(f"error: {message}", file=sys.stderr)
    raise SystemExit(3)


def find_memtree(given: str | None) -> str:
    """Find the console script to measure: `--memtree`, or the one next to this interpreter."""
    script = given or os.path.join(os.path.dirname(sys.executable), "memtree")
    if not os.path.isfile(script):
        stop(
            f"no console script at {script}; make a clean environment "
            "(python -m venv ENV && ENV/bin/pip install .) and pass --memtree ENV/bin/memtree"
        )
    return os.path.abspath(script)


def interpreter_of(script: str) -> str:
    """Find the interpreter that a console script starts: bare Python must be the very same one."""
    with open(script, "rb") as opened:
        first = opened.readline().decode("utf-8", "replace")
    named = first[2:].strip() if first.startswith("#!") else ""
    return named if os.path.isfile(named) else sys.executable


def warn_if_not_clean(script: str) -> None:
    """Say on stderr what in the measured environment makes every start slower than a user's."""
    found = run((interpreter_of(script), "-c", "import sys; print(*sys.path, sep='\\n')"))
    for folder in found.out.splitlines():
        if not folder.endswith("site-packages") or not os.path.isdir(folder):
            continue
        for name in sorted(os.listdir(folder)):
            if name.endswith(".pth") and name != "distutils-precedence.pth":
                print(
                    f"warning: {name} in the measured environment costs start-up", file=sys.stderr
                )


def interleaved(
    cases: Mapping[str, Sequence[Sequence[str]]], *, cwd: str, accept: Sequence[int] = (0, 1)
) -> dict[str, list[Run]]:
    """Run the cases in turn, round by round, so that a busy minute burdens all of them alike.

    Each case is a list of command lines, one per round (they may differ, so that no cache of
    repeated answers is measured). An exit code outside `accept` drops the case with a warning.
    """
    runs: dict[str, list[Run]] = {name: [] for name in cases}
    broken: set[str] = set()
    for number in range(max(len(rounds) for rounds in cases.values())):
        for name, rounds in cases.items():
            if name in broken or number >= len(rounds):
                continue
            done = run(rounds[number], cwd=cwd)
            if done.code not in accept:
                tail = (done.err or done.out).strip().splitlines()[-1:] or [""]
                print(f"warning: {name} ended with {done.code}: {tail[0]}", file=sys.stderr)
                broken.add(name)
                continue
            runs[name].append(done)
    return {name: done for name, done in runs.items() if done and name not in broken}


def cpu_ms(runs: Sequence[Run]) -> float:
    """Return the median CPU time in milliseconds."""
    return median(done.cpu_s for done in runs) * 1000


def wall_ms(runs: Sequence[Run]) -> float:
    """Return the median wall time in milliseconds."""
    return median(done.wall_s for done in runs) * 1000


def default_corpora() -> str:
    """Where generated corpora are kept between runs: outside of the repository."""
    return os.path.join(tempfile.gettempdir(), "corpora")


def default_source() -> str:
    """Return the folder of real markdown next to the checkout."""
    return os.path.join(HERE, "..", "..", "shared", "data", "markdown")


def common_arguments(parser: argparse.ArgumentParser, *, entries: int) -> None:
    """Add the options that every benchmark over a corpus takes."""
    parser.add_argument("--entries", type=int, default=entries, help="size of the corpus")
    parser.add_argument("--source", default=default_source(), help="folder of real markdown")
    parser.add_argument("--corpora", default=default_corpora(), help="where corpora are kept")
    parser.add_argument("--seed", type=int, default=1, help="seed of the corpus and questions")
    parser.add_argument("--memtree", help="the console script to measure")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def corpus_folder(*, source: str, corpora: str, entries: int, seed: int) -> str:
    """Return the corpus of that size; a child process generates it when it is not there yet."""
    folder = os.path.join(corpora, f"md-{entries}-{seed}")
    script = os.path.join(HERE, "corpus.py")
    argv = (sys.executable, script, folder, "--entries", str(entries), "--seed", str(seed))
    run_or_stop((*argv, "--source", source))
    return folder


def make_tree(folder: str) -> str:
    """Make the folder a tree in the least intrusive way (DESIGN section 2), and return it."""
    os.makedirs(os.path.join(folder, ".memtree"), exist_ok=True)
    return folder


def markdown_files(folder: str) -> Iterator[str]:
    """Paths of all markdown files below, relative with `/`, hidden folders left out, sorted."""
    found: list[str] = []
    for at, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        relative = os.path.relpath(at, folder).replace(os.sep, "/")
        prefix = "" if relative == "." else relative + "/"
        found += [prefix + name for name in names if name.endswith(".md") and name[0] != "."]
    return iter(sorted(found))


class Watching:
    """`memtree watch` running on a tree for the length of a `with` block."""

    def __init__(self, script: str, tree: str, *, ready_s: float = 60.0) -> None:
        self.script = script
        self.tree = tree
        self.ready_s = ready_s
        self.child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start it and wait until it has said something, or for two seconds at least."""
        log = tempfile.TemporaryFile()
        self.child = subprocess.Popen(
            (self.script, "watch"),
            cwd=self.tree,
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        until = time.monotonic() + self.ready_s
        while time.monotonic() < until and os.fstat(log.fileno()).st_size == 0:
            if self.child.poll() is not None:
                stop(f"memtree watch ended with {self.child.returncode}")
            time.sleep(0.1)
        time.sleep(2.0)
        if self.child.poll() is not None:
            log.seek(0)
            words = log.read().decode("utf-8", "replace")[-400:]
            stop(f"memtree watch ended with {self.child.returncode}: {words}")
        return self

    def __exit__(self, *_: object) -> None:
        """Ask it to end, then make it."""
        if self.child is None:
            return
        self.child.terminate()
        try:
            self.child.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
