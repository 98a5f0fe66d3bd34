"""Row: workers on hosts of their own, behind a network that is slow, loses packets, and is cut.

The scheduler and the job are commands on this computer, each worker is one on a made-up host. One
of them sees the job's folder under another path.
"""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from pathlib import Path

from benchmarks.cluster.job import SharedJob, infer_command, processed, write_film_job
from benchmarks.cluster.lossy_link import Link, linked_host, why_not_here
from benchmarks.cluster.row import Row, SkippedError
from benchmarks.cluster.services import program, service, timed_lines
from matting.imaging.sample_format import Size
from matting.workers.cluster.certificates import make_certificates

SIZE, SHOTS, FRAMES = Size(854, 480), 16, 30
WORKERS, PORT = 2, 8786
DELAY_SECONDS, LOSS, CUT_SECONDS = 0.1, 0.01, 60.0
CUT_AFTER = 2  # segments that are done
POLL_SECONDS = 0.2


def measure(folder: Path) -> Row:
    """Have both hosts matte a job, and cut one of them off for a while.

    Raises:
        SkippedError: no hosts can be made up here.
    """
    if why := why_not_here():
        raise SkippedError(why)
    job = write_film_job(folder / "job", SIZE, SHOTS, FRAMES)
    own = folder / "shared"
    own.mkdir()
    segments = job.copy(own)
    certificates = folder / "certificates"
    make_certificates(certificates)
    with ExitStack() as network:
        links = [
            network.enter_context(linked_host(number, DELAY_SECONDS, LOSS))
            for number in range(WORKERS)
        ]
        secured = ("--certificates", certificates)
        scheduler = program((), "scheduler", f"tcp://0.0.0.0:{PORT}", *secured)
        network.enter_context(service(scheduler, folder / "scheduler.log", "listens at"))
        for number, link in enumerate(links):
            worker = _worker(link, number, own, folder)
            log = folder / f"worker_{number}.log"
            network.enter_context(service([*worker, *map(str, secured)], log, "is ready for"))
        address = f"tcp://{links[0].here}:{PORT}"
        command = infer_command(segments, "--precision", "fp32", "--workers", address, *secured)
        return _share(job, segments, [word for word in command if word != "--quiet"], links)


def _worker(link: Link, number: int, shared: Path, folder: Path) -> list[str]:
    """Return the command of a worker on a host; the last sees the folder elsewhere."""
    host = ("ip", "netns", "exec", link.host, "taskset", "-c", str(number))
    command = program(host, "worker", f"tcp://{link.here}:{PORT}", "--threads", 1)
    if number < WORKERS - 1:
        return command
    elsewhere = folder / "seen_elsewhere"
    elsewhere.symlink_to(shared, target_is_directory=True)
    return [*command, "--map", f"{shared}={elsewhere}"]


def _share(job: SharedJob, segments: Path, command: list[str], links: list[Link]) -> Row:
    ended = threading.Event()
    cutting = threading.Thread(target=_cut_once, args=(segments, links[0], ended))
    cutting.start()
    started, said = time.monotonic(), []
    try:
        said = [line for _, line in timed_lines(command, segments.parent / "job.log")]
    finally:
        ended.set()
        cutting.join()
    seconds = time.monotonic() - started
    wrong = job.wrong(segments) + job.missing(segments) + job.untrue(segments)
    packets = sum(link.passed for link in links), sum(link.lost for link in links)
    gone = sum("is gone" in line for line in said)
    back = sum("takes part" in line for line in said) - WORKERS
    return Row(
        f"{WORKERS} workers on hosts of their own: {DELAY_SECONDS * 1000:.0f} ms each way, "
        f"{LOSS:.0%} of the packets lost, one cut off for {CUT_SECONDS:.0f} s; {SHOTS} shots of "
        f"{FRAMES} frames, {SIZE.width}x{SIZE.height}",
        "the job ends; results those of plain `infer`",
        f"ended after {seconds:.0f} s; {len(wrong)} results other, missing or untrue; workers "
        f"given up {gone}, taken in again {back}; {packets[0]:,} packets passed, "
        f"{packets[1]:,} lost",
        not wrong and back == gone,
    )


def _cut_once(segments: Path, link: Link, ended: threading.Event) -> None:
    """Cut a host off for a while, once a few segments are done."""
    while sum(processed(segments).values()) < CUT_AFTER:
        if ended.wait(POLL_SECONDS):
            return
    link.cut()
    ended.wait(CUT_SECONDS)
    link.mend()
