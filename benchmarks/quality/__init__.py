"""How good mattes are: against people over known backgrounds, and against drawn films.

    python -m benchmarks.quality [--part NAME ...] [--clips NAME ...] [--write]

Each part is one table. To add one, write a module `part_NAME.py` in this folder that has

    TITLE = "..."                    # of its section in RESULTS.md, behind "Quality: "
    def run(bench: Bench) -> str:    # measures, and returns Markdown: a sentence and a table

It is found by its name, and `--part NAME` runs it. What it is made of:

- `bench.truth(HD)` yields the true clips that were asked for; `bench.drawn(seed, ...)` draws one;
  `bench.placed_small(clip, 150)` shrinks its person, `bench.joined(clips)` puts clips one after
  another with hard cuts between them (`clip.cuts`). All are files that the program can open.
- `bench.matte(clip, options)` mattes a clip through the program itself, `segment` then `infer`, and
  reads the stored matte back: alpha [T, H, W] in [0, 1], and the foreground. `bench.options` are
  the defaults; change them with `dataclasses.replace`.
- `metrics` compares: `alpha_errors` gives MAD, MSE, Grad, Conn and dtSSD, `foreground_mse` and
  `composite_error` the colours, `frame_mad` a figure for each frame.

A part that has a before and an after measures both in one run, on the same clips, by the option
that switches between them. Keep it fast: a clip of 48 frames at 512x288 takes about five seconds.
The true clips lie outside this repository, in `$RVM_SHARED/truth` or `../shared/truth`.
"""
