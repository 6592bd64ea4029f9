# SPDX-License-Identifier: Apache-2.0
"""The video of an episode: the scene rendered again in full quality, with the reasoning beside it.

The states come from the bag (joint states, transforms of the objects), the scene from its task and
seed, so the picture owes nothing to what was cheap enough to render while the robot moved. Some
processes render; this one draws the panel and encodes. An episode that is not of the simulation
shows the camera's own pictures instead.
"""

import math
import os
import signal
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

from inspire_bringup import story as stories
from inspire_bringup.panel import Panel, Picture, Timeline, footline, headline
from inspire_bringup.runner import die_with_parent
from inspire_bringup.story import Story
from inspire_sim.rendering import VideoRenderer
from inspire_sim.tasks import UnknownTask, find
from piper_driver.pose import Pose

NAME = 'video.mp4'
SIZE = WIDTH, HEIGHT = 1280, 720
SCENE = SCENE_WIDTH, SCENE_HEIGHT = 896, 608
FRAME_RATE = 25
# How long the last picture stays, with the outcome on it [s].
EPILOGUE = 2.0
# Below these nothing is seen to move: half a millimetre is half a pixel.
STILL_ANGLE, STILL_LENGTH = 0.0005, 0.0002  # rad, m
# More processes than this have not been of use: each loads the scene first.
MOST_RENDERERS = 4
Progress = Callable[[float], None]


class VideoError(RuntimeError):
    """No video can be made of an episode; the message says what it lacks."""


@dataclass(frozen=True)
class Scene:
    """What a rendering process needs to build the scene.

    A task's variants have scenes of their own, so the world is named by the variant's instruction.
    """

    world: str
    seed: int
    viewer_yaw: float


@dataclass(frozen=True)
class State:
    """The recorded state at one frame of the video."""

    joints: tuple[float, ...]  # rad
    gripper: float  # m
    objects: dict[str, tuple[tuple[float, ...], tuple[float, ...]]]  # frame: position, quaternion


def render(run: Path | str, progress: Progress = lambda done: None) -> Path:
    """Render the video of a run's episode into its folder and return the file.

    `progress` is called with the share that is done, 0..1. Raises VideoError where the episode
    holds nothing to show.
    """
    story = stories.read(run, with_pictures=True)
    times = frame_times(story)
    path = story.folder / NAME
    part = path.with_name(f'.{NAME}.part.mp4')
    try:
        with closing(_frames(story, times)) as frames:
            encode(frames, part, len(times), progress)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return path


def frame_times(story: Story) -> list[float]:
    """List the instant that each frame shows [s]; VideoError for an episode without content."""
    if not story.measured and not story.pictures.get('camera'):
        raise VideoError(
            f'{story.folder}: no /joint_states and no /camera/image_raw were recorded; '
            'a video needs one of them'
        )
    count = max(1, math.ceil(story.duration * FRAME_RATE))
    epilogue = [story.duration] * round(EPILOGUE * FRAME_RATE)
    return [index / FRAME_RATE for index in range(count)] + epilogue


def states(story: Story, times: list[float]) -> Iterator[State]:
    """Yield the recorded state at each time: joints interpolated, objects as nearest in time."""
    for time in times:
        joints, gripper = story.measured.at(time)
        objects = {}
        for frame, track in story.tracks.items():
            index = track.index(time)
            objects[frame] = (
                tuple(track.positions[index].tolist()),
                tuple(track.quaternions[index].tolist()),
            )
        yield State(tuple(joints.tolist()), gripper, objects)


def _frames(story: Story, times: list[float]) -> Generator[Picture, None, None]:
    """Yield the composed frames of the video."""
    panel = Panel(story, (WIDTH - SCENE_WIDTH, SCENE_HEIGHT))
    timeline = Timeline(story, (WIDTH, HEIGHT - SCENE_HEIGHT))
    pictures = _rendered(story, times) if is_simulated(story) else _photographed(story, times)
    with closing(pictures):
        for time, picture in zip(times, pictures, strict=True):
            yield _compose(story, time, picture, panel, timeline)


def is_simulated(story: Story) -> bool:
    """Tell whether the scene can be built again: its world is one of the simulation's."""
    if not story.measured or not story.world:
        return False
    try:
        find(story.world, story.seed)
    except UnknownTask:
        return False
    return True


def _compose(
    story: Story, time: float, picture: Picture, panel: Panel, timeline: Timeline
) -> Picture:
    canvas = Image.new('RGB', SIZE)
    scene = Image.fromarray(picture)
    policy = next((one.source for each in story.answers.values() for one in each), '')
    about = [story.task and f'{story.task}, seed {story.seed}', policy, f'{time:.1f} s']
    headline(scene, story.instruction, '   ·   '.join(filter(None, about)))
    footline(scene, *_state_of_task(story, time))
    canvas.paste(scene, (0, 0))
    views = [
        (name, view) for name in story.pictures if (view := _view(story, name, time)) is not None
    ]
    canvas.paste(panel.draw(time, views), (SCENE_WIDTH, 0))
    canvas.paste(timeline.draw(time), (0, SCENE_HEIGHT))
    return np.asarray(canvas)


def _state_of_task(story: Story, time: float) -> tuple[str, bool]:
    """Say what the task still misses, or that it is done; at the end also how the answers were."""
    moments = [one for one in story.task_moments if one.time <= time]
    if not moments:
        return '', False
    last = moments[-1]
    if not last.success:
        return last.detail, False
    if time < story.duration:
        return '✓ done', True
    agreed, compared = story.compared()
    after = story.done_after() or 0.0
    answers = f'   ·   {agreed} of {compared} answers as the truth' if compared else ''
    return f'✓ done after {after:.1f} s{answers}', True


def _view(story: Story, name: str, time: float) -> Picture | None:
    """Return the latest picture of a camera at a time."""
    latest = None
    for taken, picture in story.pictures[name]:
        if taken > time and latest is not None:
            break
        latest = picture
    return latest


def _photographed(story: Story, times: list[float]) -> Generator[Picture, None, None]:
    """Yield the camera's pictures, cut to the scene's shape: for real robots."""
    for time in times:
        view = _view(story, 'camera', time)
        if view is None:
            raise VideoError(
                f'{story.folder}: {story.world or "this"!r} is no simulated task, and '
                '/camera/image_raw holds no rgb8 pictures'
            )
        image = Image.fromarray(view)
        side = round(image.width * SCENE_HEIGHT / SCENE_WIDTH)
        top = max(0, (image.height - side) // 2)
        box = (0, top, image.width, min(image.height, top + side))
        yield np.asarray(image.crop(box).resize(SCENE, Image.Resampling.BICUBIC))


def _rendered(story: Story, times: list[float]) -> Generator[Picture, None, None]:
    """Yield the scene at each time, rendered by some processes; what stands still, once."""
    yaw = story.manifest.viewer.yaw if story.manifest and story.manifest.viewer else 0.0
    scene = Scene(story.world, story.seed, yaw)
    distinct = list(_changes(states(story, times)))
    workers = min(MOST_RENDERERS, os.cpu_count() or 1)
    # One thread each: software rendering that uses all cores in every process only gets slower.
    os.environ.setdefault('LP_NUM_THREADS', '1')
    with renderers(workers, _open_scene, scene) as pool:
        rendered = pool.map(_render_state, [state for state, _ in distinct], chunksize=2)
        for picture, (_, repeats) in zip(rendered, distinct, strict=True):
            yield from [picture] * repeats


@contextmanager
def renderers(
    count: int, begin: Callable[[Any], None], content: Any
) -> Iterator[ProcessPoolExecutor]:
    """Yield processes that each begin with `begin(content)`: with the scene, say.

    They end with the block, whatever is still to be done (Ctrl-C), and with this process.
    """
    pool = ProcessPoolExecutor(count, get_context('spawn'), _begin, (begin, content))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(begin: Callable[[Any], None], content: Any) -> None:
    """Begin a rendering process: Ctrl-C is for the one that waits for it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    if parent is not None and parent.pid is not None:
        die_with_parent(parent.pid)
    begin(content)


def _changes(every: Iterable[State]) -> Iterator[tuple[State, int]]:
    """Join states that look the same: a state and for how many frames it stands."""
    standing: State | None = None
    repeats = 0
    for state in every:
        if standing is not None and _looks_like(state, standing):
            repeats += 1
            continue
        if standing is not None:
            yield standing, repeats
        standing, repeats = state, 1
    if standing is not None:
        yield standing, repeats


def _looks_like(one: State, other: State) -> bool:
    """Tell whether nothing moved by as much as a pixel."""
    if one.objects.keys() != other.objects.keys():
        return False
    return (
        np.allclose(one.joints, other.joints, rtol=0.0, atol=STILL_ANGLE)
        and abs(one.gripper - other.gripper) < STILL_LENGTH
        and all(
            np.allclose(place, other.objects[frame][0], rtol=0.0, atol=STILL_LENGTH)
            and np.allclose(turn, other.objects[frame][1], rtol=0.0, atol=STILL_ANGLE)
            for frame, (place, turn) in one.objects.items()
        )
    )


_renderer: VideoRenderer


def _open_scene(scene: Scene) -> None:
    """Build the scene, once in each rendering process."""
    global _renderer
    _renderer = VideoRenderer(scene.world, scene.seed, scene.viewer_yaw, SCENE)


def _render_state(state: State) -> Picture:
    objects = {
        frame: Pose(np.array(position), np.array(quaternion))
        for frame, (position, quaternion) in state.objects.items()
    }
    return _renderer.render(state.joints, state.gripper, objects)


def encode(frames: Iterator[Picture], path: Path, count: int, progress: Progress,
           size: tuple[int, int] = SIZE, rate: int = FRAME_RATE) -> None:
    """Encode as H.264 that starts to play before it is loaded, in every browser."""
    with av.open(str(path), 'w', options={'movflags': '+faststart'}) as container:
        stream = container.add_stream('libx264', rate=rate)
        stream.width, stream.height = size
        stream.pix_fmt = 'yuv420p'
        stream.time_base = Fraction(1, rate)
        stream.options = {'crf': '20', 'preset': 'veryfast', 'tune': 'animation'}
        for index, picture in enumerate(frames):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format='rgb24')))
            progress((index + 1) / count)
        container.mux(stream.encode(None))
