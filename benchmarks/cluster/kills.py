"""Row: processes of a job on `--device cpu,cpu,cpu` are killed at random, and it is run until done.

All come of a server that has loaded everything, so that a start costs a moment. So none of them has
the job's process as its parent, with which the system ends them elsewhere: when that is killed, the
bench kills the workers, too.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from random import Random

from benchmarks.cluster.job import SharedJob, infer_command, processed, write_job
from benchmarks.cluster.row import Row

PRELOADED = [
    "matting.cli.main",
    "matting.run",
    "matting.workers.cluster.engines",
    "benchmarks.cluster.kills",
    "benchmarks.cluster.one_server",
]
CONTEXT = get_context("forkserver")
SHOTS, SEGMENTS = 4, 2
KILLS, MOST_OF_ONE_JOB, SEED = 100, 3, 1
WORKERS = 3
LIMIT_SECONDS, POLL_SECONDS = 300.0, 0.02
LATER_SECONDS = 0.5  # a kill comes so much after a segment is done, at the most
BEGUN = re.compile(r"(output_\d+\.mp4): ratio ")


@dataclass
class Tally:
    """What was found.

    Attributes:
        killed: how many processes of each kind.
        untrue, lost, wrong: segments called done that are not; results that are missing, or others
            than those of plain `infer`, at the end.
        again: segments that were begun more often than once.
        most_again: the most of these for each kill, of one job.
    """

    killed: Counter[str] = field(default_factory=Counter)
    jobs: int = 0
    untrue: int = 0
    lost: int = 0
    wrong: int = 0
    again: int = 0
    most_again: float = 0.0


def measure(folder: Path, kills: int = KILLS, seed: int = SEED) -> Row:
    """Kill so many processes, of as many jobs as that takes."""
    CONTEXT.set_forkserver_preload(PRELOADED)
    first = CONTEXT.Process(target=int)  # what is measured starts when all is loaded
    first.start()
    first.join()
    job = write_job(folder / "job", SHOTS, SEGMENTS)
    random, tally = Random(seed), Tally()
    while tally.killed.total() < kills:
        own = folder / f"job_{tally.jobs}"
        own.mkdir()
        _disturb(job, own, random, tally)
        print(tally, flush=True)
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(tally.killed.items()))
    total = tally.killed.total()
    unit = SEGMENTS
    return Row(
        f"{total} random kills ({kinds}; seed {seed}) in {tally.jobs} jobs of {SHOTS} shots of "
        f"{SEGMENTS} segments on {WORKERS} workers, rerun until done",
        "0 results lost or other than plain `infer`'s, none called done that is not, at most one "
        "shot redone a kill",
        f"{tally.lost} lost, {tally.wrong} other, {tally.untrue} untrue; {tally.again} segments "
        f"begun again, {tally.again / total:.2f} a kill, at most {tally.most_again:.1f} a kill in "
        "one job",
        not (tally.lost or tally.wrong or tally.untrue) and tally.again <= unit * total,
    )


def _disturb(job: SharedJob, folder: Path, random: Random, tally: Tally) -> None:
    """Kill up to a few processes of one job, and run it to its end."""
    segments = job.copy(folder)
    kills = 0
    for _ in range(random.randint(1, MOST_OF_ONE_JOB)):
        kind = _run_and_kill(segments, folder, random)
        if kind is None:
            break
        kills += 1
        tally.killed[kind] += 1
        tally.untrue += len(job.untrue(segments))
    _finish(segments, folder)
    tally.jobs += 1
    tally.untrue += len(job.untrue(segments))
    tally.lost += len(job.missing(segments))
    tally.wrong += len(job.wrong(segments))
    begun = Counter(name for log in folder.glob("log_*") for name in _begun(log))
    again = begun.total() - len(begun)
    tally.again += again
    tally.most_again = max(tally.most_again, again / max(1, kills))


def _run_and_kill(segments: Path, folder: Path, random: Random) -> str | None:
    """Start the job, and kill one of its processes; return which, None: it ended before.

    Where that is not the job's own, it goes on to its end. The moment is after some of the segments
    that are not done have been done, so that all parts of a job are met however fast it is.
    """
    undone = SHOTS * SEGMENTS - _count_done(segments)
    done = _count_done(segments) + random.randrange(max(1, undone))
    process, log = _start(segments, folder)
    _await_begun(process, log)
    while process.is_alive() and _count_done(segments) < done:
        process.join(POLL_SECONDS)
    process.join(random.uniform(0, LATER_SECONDS))
    if not process.is_alive():
        return None
    others = [pid for pid in _children(_server_pid()) if pid != process.pid]
    victim = random.choice([process.pid or 0, *others])
    if victim != process.pid:
        _kill(victim)
        _await(process)
        return "workers and what mattes under them"
    _kill(victim)
    process.join()
    for pid in others:
        _kill(pid)
    _await_no_children()
    return "jobs with their scheduler"


def _count_done(segments: Path) -> int:
    return sum(processed(segments).values())


def _finish(segments: Path, folder: Path) -> None:
    """Run the job until it is done."""
    until = time.monotonic() + LIMIT_SECONDS
    while True:
        process, _ = _start(segments, folder)
        _await(process)
        if process.exitcode == 0:
            return
        if time.monotonic() > until:
            raise RuntimeError(f"{segments} does not come to its end")


def _await_begun(process: ForkServerProcess, log: Path) -> None:
    """Wait until a segment was begun, or the job has ended."""
    until = time.monotonic() + LIMIT_SECONDS
    while process.is_alive() and not _begun(log) and time.monotonic() < until:
        process.join(POLL_SECONDS)


def _start(segments: Path, folder: Path) -> tuple[ForkServerProcess, Path]:
    """Start the job; return its process, and the log of it."""
    command = infer_command(
        segments, "--device", ",".join(["cpu"] * WORKERS), "--threads", 1, "--verbose"
    )
    command += ["--precision", "fp32"]
    words = [word for word in command[2:] if word != "--quiet"]
    log = folder / f"log_{len(list(folder.glob('log_*')))}"
    log.touch()
    process = CONTEXT.Process(target=_infer, args=(words, log))
    process.start()
    return process, log


def _infer(words: list[str], log: Path) -> None:
    """Be the command; this is its process."""
    from matting.cli.main import main  # noqa: PLC0415 - it is loaded in the server
    from matting.system import subprocesses  # noqa: PLC0415

    with log.open("wb") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    subprocesses.START_METHOD = "forkserver"
    sys.exit(main(words))


def _await(process: ForkServerProcess) -> None:
    """Wait for the end of a job, and of all that it has started."""
    process.join(LIMIT_SECONDS)
    if process.is_alive():
        process.kill()
        raise RuntimeError("a job hangs")
    _await_no_children()


def _await_no_children() -> None:
    until = time.monotonic() + LIMIT_SECONDS
    while _children(_server_pid()):
        if time.monotonic() > until:
            raise RuntimeError("something is left of a job")
        time.sleep(POLL_SECONDS)


def _server_pid() -> int:
    """Return the process that all others come of."""
    own = [pid for pid in _children(os.getpid()) if b"forkserver" in _read(pid, "cmdline")]
    (server,) = own
    return server


def _children(parent: int) -> list[int]:
    """Return the processes of a parent that have not ended."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        state, owner, *_ = [*_read(entry.name, "stat").rpartition(b")")[2].split(), b"", b""]
        if owner == str(parent).encode() and state not in {b"Z", b"X"}:
            found.append(int(entry.name))
    return sorted(found)


def _read(pid: int | str, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:  # it has ended
        return b""


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:  # it has ended by itself
        return


def _begun(log: Path) -> list[str]:
    return BEGUN.findall(log.read_text(encoding="utf-8", errors="replace"))
