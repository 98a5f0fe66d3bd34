"""What can be asked of setup: `setup.sh --cpu --from FOLDER`, and the same of setup.bat."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# launch.bat passes on what was typed here, where no character in a path has a meaning: each word
# is bare or between bars, as it was between quotation marks.
VARIABLE = "RVM_SETUP_OPTIONS"
WORD = re.compile(r"\|([^|]*)\||(\S+)")


@dataclass(frozen=True)
class SetupOptions:
    """What was asked for.

    Args:
        cpu: the processor is to do the work, whatever graphics card there is.
        older: an older folder of the program, whose downloads are to be used; None: none was named.
    """

    cpu: bool = False
    older: Path | None = None


def parse_arguments(arguments: Sequence[str], variables: Mapping[str, str]) -> SetupOptions:
    """Return what was asked for; what is not known ends the program with exit code 2.

    Args:
        variables: the environment variables, of which one holds what was typed after setup.bat.
    """
    typed = [bars or word for bars, word in WORD.findall(variables.get(VARIABLE, ""))]
    parser = argparse.ArgumentParser("setup", description="Install what the program needs.")
    parser.add_argument("--cpu", action="store_true", help="use no graphics card")
    parser.add_argument(
        "--from",
        dest="older",
        type=Path,
        metavar="FOLDER",
        help="an older folder of this program: its downloaded weights are used here, too",
    )
    options = parser.parse_args([*arguments, *typed])
    return SetupOptions(cpu=options.cpu, older=options.older)
