# SPDX-License-Identifier: Apache-2.0
"""The video of an episode that failed in an evaluation: what the policy saw, and what it said.

The scene is rendered from the states of the track through the policy's own camera, as cheaply as
the policy's pictures but larger; answers are drawn into it, green where they were true.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from inspire_bringup.panel import Picture
from inspire_bringup.video import encode, renderers
from inspire_labeler.viewer import viewer
from inspire_policy.overlay import Line, draw
from inspire_policy.policy import STEP_DURATION
from inspire_policy.track import Track, read_track
from inspire_sim.assembly import CHEAP
from inspire_sim.rendering import VideoRenderer
from inspire_sim.scene import builder_of
from inspire_sim.variation import Variation

SIZE = (480, 480)
FRAME_RATE = round(1 / STEP_DURATION)   # a frame for each step
MOST_PROCESSES = 4


def render(track_path: Path, path: Path) -> None:
    """Make the video of a track. Raises OSError and ValueError for what is none."""
    track = read_track(track_path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f'.{path.stem}.part.mp4')
    try:
        encode(_frames(track), part, len(track.joints), lambda done: None, SIZE, FRAME_RATE)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def render_all(tracks: Sequence[Path], paths: Sequence[Path]) -> Iterator[None]:
    """Make the videos of several tracks on some processes; yields as each is done."""
    if not tracks:
        return
    os.environ.setdefault('LP_NUM_THREADS', '1')   # as many threads as processes are enough
    with renderers(min(len(tracks), MOST_PROCESSES, os.cpu_count() or 1),
                   _begin, None) as pool:
        yield from pool.map(render, tracks, paths)


def _begin(_: None) -> None:
    """A process needs nothing beforehand: each video has a scene of its own."""


def _frames(track: Track) -> Iterator[Picture]:
    renderer = VideoRenderer(track.instruction, track.seed, viewer(track.viewer).yaw, SIZE,
                             builder_of(Variation(track.variation)), CHEAP, viewpoint=None)
    try:
        for step, (joints, width) in enumerate(zip(track.joints, track.widths, strict=True)):
            picture = renderer.render(joints.tolist(), float(width), track.poses(step))
            lines = [Line(word.object, word.said, word.probability,
                          word.said == word.true if word.true else None)
                     for word in track.words(step)]
            note = f'seed {track.seed}, {step * STEP_DURATION:.1f} s'
            yield draw(picture, lines, track.instruction, note)
    finally:
        renderer.close()
