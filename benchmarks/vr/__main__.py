"""VR formats: what is proven of packed alpha and projection, and what making them costs.

python -m benchmarks.vr [--sizes 4096,8192] [--frames 4] [--write]

The proofs read what is packed by the players' own formula. Costs are those of vr-alpha of 180°
video: of drawn pictures projected to a fisheye with their mattes packed, and of encoding these by
the defaults (x265); each size in a process of its own, whose memory is that of the whole program.
"""

from __future__ import annotations

import argparse

from benchmarks.results import measured_on, table, write_section
from benchmarks.vr.cost import COST_HEAD, cost_of
from benchmarks.vr.proofs import PROOF_HEAD, proofs

TITLE = "VR: packed alpha and projection"


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.vr", description=__doc__)
    parser.add_argument("--sizes", default="4096,8192", help="widths of pictures, of both eyes")
    parser.add_argument("--frames", type=int, default=4, help="to render and encode; default: 4")
    parser.add_argument("--write", action="store_true", help="write the result to RESULTS.md")
    return parser.parse_args(argv)


def main() -> None:
    """Measure, print, and record where asked to; fail where a proof does not hold."""
    options = parse()
    found = proofs()
    proven = table(PROOF_HEAD, [proof.row() for proof in found])
    print(proven, flush=True)
    sides = [int(width) // 2 for width in options.sizes.split(",")]
    costs = table(COST_HEAD, [cost_of(side, options.frames).row(side) for side in sides])
    text = f"{measured_on()}\n\n{proven}\n{costs}"
    print(costs)
    if options.write:
        write_section(TITLE, text)
    if not all(proof.holds for proof in found):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
