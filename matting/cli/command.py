"""The program's commands, by the names that are typed."""

from __future__ import annotations

from matting.options import Choice

PROGRAM = "inference_custom.py"


class Command(Choice):
    """A command; the value is its name."""

    DEMO = "demo"
    SEGMENT = "segment"
    INFER = "infer"
    COMBINE = "combine"
    ADD_AUDIO = "add-audio"
    RUN = "run"
    DOCTOR = "doctor"

    @property
    def input_name(self) -> str:
        """What its help calls the path that it takes."""
        return INPUT_NAMES[self]

    @property
    def runs_network(self) -> bool:
        """Whether it runs the network: hours of work, of which what is done is kept.

        Such a command is many times slower without a graphics card, and when it is given again, it
        goes on where it stopped.
        """
        return self in {Command.DEMO, Command.INFER, Command.RUN}


INPUT_NAMES = {
    Command.DEMO: "DIR",
    Command.SEGMENT: "VIDEO",
    Command.INFER: "SEGMENTS_DIR",
    Command.COMBINE: "MATTED_DIR",
    Command.ADD_AUDIO: "VIDEO",
    Command.RUN: "VIDEO",
    Command.DOCTOR: "FOLDER",
}
