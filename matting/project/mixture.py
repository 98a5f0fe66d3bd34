"""Results that were made with different settings, which are never joined."""

from __future__ import annotations

from msgspec import UNSET
from msgspec.structs import asdict

from matting.errors import InputError
from matting.project.entry import PICTURES, RecordedSettings
from matting.project.ledger import Ledger
from matting.project.recorded_settings import OFF_UNLESS_SET, encoder_of, in_words
from matting.system.invocation import Command, sentence, start

# More kinds of output than others have do no harm; pictures are numbered one after another.
OF_EACH = {"kinds", "first_frame"}
SHOWN_DIGITS = 8  # of a hash


def require_one_setting(ledger: Ledger) -> None:
    """Refuse results that were made with different settings.

    Raises:
        InputError: names two of the settings, and how many segments were made with each.
    """
    groups: list[tuple[RecordedSettings, list[str]]] = []
    for name in ledger.names:
        settings = ledger.entry(name).settings
        for other, names in groups:
            if not _differences(settings, other):
                names.append(name)
                break
        else:
            groups.append((settings, [name]))
    if len(groups) < 2:
        return
    (one, some), (other, others), *_ = groups
    different = _differences(one, other)
    raise InputError(
        "The segments were matted with different settings, which are not joined: "
        f"{len(some)} with {_in_words(one, different)} (as {some[0]}), "
        f"{len(others)} with {_in_words(other, different)} (as {others[0]}).",
        sentence(
            start(Command.INFER, "the folder of segments", again=True),
            start(Command.COMBINE, "the folder of the results"),
        ),
    )


def _differences(one: RecordedSettings, other: RecordedSettings) -> list[str]:
    """Return which settings both have, and differ in."""
    mine, theirs = _fields(one), _fields(other)
    return [name for name in mine if name in theirs and mine[name] != theirs[name]]


def _fields(settings: RecordedSettings) -> dict[str, object]:
    fields: dict[str, object] = dict.fromkeys(OFF_UNLESS_SET, "off")
    fields |= {name: value for name, value in asdict(settings).items() if value is not UNSET}
    if settings.frame_rate in {None, PICTURES}:  # a video's own, or none
        fields.pop("frame_rate", None)
    if settings.shots is not UNSET:
        fields["shots"] = "auto"  # where they start is each segment's own
    if settings.codec is not UNSET:
        fields["encoder"] = encoder_of(settings)
    return {name: value for name, value in fields.items() if name not in OF_EACH}


def _in_words(settings: RecordedSettings, names: list[str]) -> str:
    fields = _fields(settings)
    values = ((name, str(getattr(fields[name], "value", fields[name]))) for name in names)
    return " and ".join(
        f"{in_words(name)} {value[:SHOWN_DIGITS] if name == 'checkpoint' else value}"
        for name, value in values
    )
