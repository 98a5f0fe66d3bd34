"""What the help says: a sentence on each command, and examples that can be typed as they stand."""

from __future__ import annotations

import argparse
import os
import textwrap
from collections.abc import Sequence

from matting.delivery.formats import FORMATS
from matting.project.paths import DEMO_FOLDER
from matting.system.invocation import (
    IS_INSTALLED,
    Command,
    command_line,
    program_line,
    program_words,
)

DEMO_PLACE = "the current folder" if IS_INSTALLED else "the program's folder"
SUMMARIES = {
    Command.RUN: "all four steps in a row; can be run again at any point",
    Command.PREVIEW: "a look before: moments of a video in several settings, as a page",
    Command.SEGMENT: "step 1: cut a video into segments",
    Command.INFER: "step 2: matte a folder of segments",
    Command.COMBINE: "step 3: join the matted segments to one video",
    Command.ADD_AUDIO: "step 4: add the original's audio to the matted video",
    Command.DELIVER: "make other formats of the stored mattes, such as ProRes with alpha",
    Command.DELIVER_VR: "make a file for a headset: asks for which player, and for which headset",
    Command.REMATTE: "do a part of a video again, by other options or with parts masked out",
    Command.REPORT: "write a page on what was done, and on which moments to look at",
    Command.SCHEDULER: "share work: tell the workers of this and other computers who does what",
    Command.WORKER: "share work: compute with a device of this computer what a scheduler says",
    Command.DEMO: "draw a film, matte it, and measure the result; or test cards for headsets",
    Command.DOCTOR: "show what this computer has, what is missing, and how to fix it",
}
OTHER_SUMMARIES = {
    "help COMMAND": "show what a command does, and its options",
    "--version": "show the version",
}
DESCRIPTIONS = {
    Command.RUN: "Mattes a video: cuts it into segments, mattes each, joins them, and adds the "
    "audio. What is done already is kept, so the same command goes on after a stop. Without "
    "options: segments of about 15 seconds, people from head to foot, on light green, in H.265, "
    "beside the video. Several videos, and those in a FOLDER, are done one after another; "
    "queue.txt beside them says in which order, and what came of each.",
    Command.PREVIEW: "Mattes a dozen moments of a video in several settings, within minutes, and "
    "shows them side by side on a page, VIDEO_preview.html, with what the whole video would take "
    "by each. The page opens with a double click, and grows while it is open. With --choose N, "
    "setting N becomes the video's own, in VIDEO_settings.toml, which infer and run read.",
    Command.SEGMENT: "Cuts a video into segments of about 15 seconds, without loss, in the folder "
    "VIDEO_segments beside it. The video stays as it is. Of a folder, all its videos are cut.",
    Command.INFER: "Mattes every video or image sequence in a folder that is not matted yet, on "
    "the graphics card if there is one, in the folder SEGMENTS_DIR_matted beside it. Without "
    "options: people from head to foot, on light green, in H.265.",
    Command.COMBINE: "Joins the segments that infer has matted to one video in their folder, "
    "without audio.",
    Command.ADD_AUDIO: "Adds audio, subtitles, chapters and all else that the original holds to "
    "the video that combine has made; the result is VIDEO_MATTED.mp4 beside the original. For a "
    "folder of videos that infer has matted one by one: to each of them, in the folder _matted.",
    Command.DELIVER: "Makes of the mattes that infer has stored what editors, browsers and players "
    "take, without the network. What is made already is kept, so the same command goes on after a "
    "stop.",
    Command.DELIVER_VR: "Makes a file for a headset of the mattes that infer has stored, without "
    "the network. It asks for the player and the headset, and how the video is meant to be seen "
    "where that is not known; deliver makes the same of what is typed. MATTED_DIR may be the "
    "video, too.",
    Command.REMATTE: "Mattes again what a player shows between two times, by other options, or "
    "keeps the matte out of parts of the picture, and makes again what had been made of it. All "
    "other frames stay as they are. The mattes from before are kept, so that it can be taken back.",
    Command.REPORT: "Writes report.html into MATTED_DIR: which minutes to look at, curves of what "
    "the mattes show, the moments of greatest doubt with what does them again, and facts for "
    "support. infer writes it, too. MATTED_DIR may be the video, too.",
    Command.SCHEDULER: "Tells workers who does which segment, for jobs that are run with "
    "--workers, until Ctrl-C. It listens at ADDRESS, or else to programs of this computer alone. "
    "For other computers, give this one's address in the network, or tcp://0.0.0.0, and "
    "--certificates.",
    Command.WORKER: "Computes with one device of this computer what the scheduler at ADDRESS "
    "hands out, until Ctrl-C, job after job. The files stay where they are: this computer has to "
    "see the job's folder, and be able to write there. With --make-certificates it makes the "
    "certificate that all computers of a job have, and ends.",
    Command.DEMO: "Draws a film, mattes it with a small network of its own in all four steps, and "
    f"measures the result: in the folder DIR, or else {DEMO_FOLDER} in "
    f"{DEMO_PLACE}. With "
    "--vr, it makes films of ten seconds there, which show whether a headset's players read its "
    "files.",
    Command.DOCTOR: "Shows what this computer has, what is missing, and the command that fixes it; "
    "how PATH is meant to be seen, if it is a video; and the free space of its disk, or else of "
    "the current folder's.",
}
FOLDER = "D:\\Videos\\" if os.name == "nt" else "videos/"
EXAMPLES: dict[Command, Sequence[Sequence[str]]] = {
    Command.RUN: (
        ("clip.mp4",),
        ("clip.mp4", "--subject", "portrait", "--background", "#00B140"),
        ("clips", "--recursive", "--clean", "yes"),
    ),
    Command.PREVIEW: (
        ("clip.mp4",),
        ("clip.mp4", "--at", "0:12:03,1:05:00"),
        ("clip.mp4", "--choose", "2"),
    ),
    Command.SEGMENT: (("clip.mp4",), ("clip.mp4", "--seconds", "60", "--output", "elsewhere")),
    Command.INFER: (
        ("clip_segments",),
        ("clip_segments", "--downsample-ratio", "0.6", "--save", "alpha"),
    ),
    Command.COMBINE: (("clip_segments_matted",),),
    Command.ADD_AUDIO: (("clip.mp4",),),
    Command.DELIVER: (
        ("clip_segments_matted", "--as", "prores4444"),
        ("clip_segments_matted", "--as", "webm-alpha,png"),
    ),
    Command.DELIVER_VR: (
        ("clip_segments_matted",),
        ("clip.mp4", "--view", "left-right,180"),
    ),
    Command.REMATTE: (
        (
            *("clip_segments_matted", "--from", "0:41:10", "--to", "0:41:25"),
            "--subject",
            "portrait",
        ),
        ("clip_segments_matted", "--keep-out", "1600,0,320,400"),
        ("clip_segments_matted", "--undo"),
    ),
    Command.REPORT: (("clip_segments_matted",), ("clip.mp4",)),
    Command.SCHEDULER: ((), ("tcp://0.0.0.0", "--certificates", "certificates")),
    Command.WORKER: (
        ("tcp://127.0.0.1:8786", "--device", "cuda:1"),
        (
            *("tcp://192.168.1.20:8786", "--certificates", "certificates"),
            *("--map", "D:\\Videos=/mnt/videos"),
        ),
        ("--make-certificates",),
    ),
    Command.DEMO: ((), ("--vr",)),
    Command.DOCTOR: ((), ("clip.mp4",)),
}


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Keeps the examples in lines of their own, and the sentences before them filled."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if "\n" in text:
            return super()._fill_text(text, width, indent)
        lines = self._split_lines(text, width - len(indent))
        return "\n".join(f"{indent}{line}" for line in lines)

    def _split_lines(self, text: str, width: int) -> list[str]:
        """Break lines between words only: at their hyphens, options would no longer be ones."""
        return textwrap.wrap(" ".join(text.split()), width, break_on_hyphens=False)


def epilog(command: Command) -> str:
    """Return what follows a command's options."""
    return (
        f"{formats()}\n\n{examples(command)}" if command is Command.DELIVER else examples(command)
    )


def formats() -> str:
    """Return the formats, a line each."""
    width = max(map(len, (row.name for row in FORMATS.values())))
    lines = [f"  {row.name:<{width}}  {row.purpose}" for row in FORMATS.values()]
    return "\n".join(["formats:", *lines])


def examples(command: Command) -> str:
    """Return a command's examples, a line each."""
    lines = [f"  {program_line(command, *_in_folder(words))}" for words in EXAMPLES[command]]
    return "\n".join([f"example{'s' * (len(lines) > 1)}:", *lines])


def program_help() -> str:
    """Return the help on the program as a whole."""
    program = command_line(program_words())
    rows = {**{command.value: text for command, text in SUMMARIES.items()}, **OTHER_SUMMARIES}
    width = max(map(len, rows))
    return "\n".join(
        [
            f"usage: {program} COMMAND ...",
            "",
            "Mattes long videos of people, in segments that survive any interruption.",
            "",
            "commands:",
            *(f"  {name:<{width}}  {text}" for name, text in rows.items()),
            "",
            "example:",
            f"  {program_line(Command.RUN, *_in_folder(EXAMPLES[Command.RUN][0]))}",
        ]
    )


def _in_folder(words: Sequence[str]) -> list[str]:
    return [f"{FOLDER}{word}" if word.startswith("clip") else word for word in words]
