# SPDX-License-Identifier: Apache-2.0
"""Demonstrations of the expert in the world, without ROS: pushed off its way now and then, so that
what it shows is also how to come back.

Pictures are made at the observed instants only: physics, not rendering, sets the pace.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from inspire_labeler.catalogue import Catalogue
from inspire_labeler.viewer import Viewer, viewer
from inspire_policy import crew, ray_crew, samples
from inspire_policy.catalogue_file import default_catalogue
from inspire_policy.crew import Done, S
from inspire_policy.dataset_format import CAMERAS
from inspire_policy.dataset_writer import DatasetWriter, Outcome, packed
from inspire_policy.disturbance import Disturber
from inspire_policy.evaluation import AFTERWARDS, HELD, LONGEST, Job
from inspire_policy.pictures import encode, prepare
from inspire_policy.samples import Array, Demonstration, Instant
from inspire_sim import aims
from inspire_sim.expert import Expert
from inspire_sim.shapes import SHAPES
from inspire_sim.tasks import find

if TYPE_CHECKING:
    from inspire_sim.world import TableWorld

FIRST_SEED = 1000     # evaluation counts from 0: what is evaluated is never trained on
RENDERED = 224        # side of the pictures that the world makes [pixels], as when acting
PLANNED = 4           # steps that the expert plans at a time
KEPT = 12             # steps kept after success has held for a second: holding is learned too


@dataclass(frozen=True)
class Collecting:
    """How is collected: where the viewer is, the side of the pictures [pixels], steps from one
    observed instant to the next, pushes an episode, steps until an episode is given up."""

    viewer: str = 'libero'
    image_size: int = 112
    stride: int = 4
    disturbances: float = 2.0
    longest: int = LONGEST

    def __post_init__(self) -> None:
        """Raise ValueError for what makes no dataset."""
        viewer(self.viewer)
        if not 1 <= self.image_size <= RENDERED:
            raise ValueError(f'image_size is {self.image_size}; valid: 1 to {RENDERED} pixels')
        if not 1 <= self.stride <= 100:
            raise ValueError(f'stride is {self.stride}; valid: 1 to 100 steps')
        Disturber('', 0, self.disturbances)


@dataclass(frozen=True)
class NumberedJob(Job):
    """An episode to collect, and its number in the dataset."""

    episode: int


def numbered(todo: Sequence[Job]) -> tuple[NumberedJob, ...]:
    """Episodes in an order in which every instruction has as many wherever it ends; more episodes
    of the same instructions leave the numbers as they are."""
    ordered = sorted(todo, key=lambda job: job.seed)
    return tuple(NumberedJob(job.task, job.instruction, job.split, job.seed, number)
                 for number, job in enumerate(ordered))


class Collector:
    """Collects one episode after the other in a world of its own."""

    def __init__(self, setting: Collecting) -> None:
        from inspire_sim.world import TableWorld  # brings the physics
        self.setting = setting
        self._viewer = viewer(setting.viewer)
        self._catalogue = Catalogue.load(default_catalogue())
        self._world = TableWorld(CAMERAS, self._viewer.yaw, (RENDERED, RENDERED))

    def __call__(self, job: NumberedJob) -> tuple[dict[str, Any], bytes]:
        """Run an episode: how it went, and where it succeeded its rows, packed."""
        world = self._world
        world.reset(job.instruction, job.seed)
        positions = recorded(world, self._viewer)
        run = _Run(world, job, self.setting, self._catalogue)
        success = run.run()
        shown = run.shown
        told = {'success': success, 'steps': shown.steps, 'pushes': run.pushes,
                'rows': len(shown.instants) if success else 0, 'detail': world.success().detail}
        if not success:
            return told, b''
        there = samples.scene(job.instruction, positions, self._catalogue)
        episode = samples.described(job.episode, job, 'expert', success, shown, there)
        return told, packed(episode, samples.rows(job.episode, shown))


class _Run:
    """One episode under way."""

    def __init__(self, world: TableWorld, job: Job, setting: Collecting,
                 catalogue: Catalogue) -> None:
        self.pushes = 0
        self._world, self._setting, self._catalogue = world, setting, catalogue
        self._rotation = viewer(setting.viewer).rotation_base_to_viewer
        self._expert = Expert(find(job.instruction)[1], world.viewer_yaw)
        self._disturber = Disturber(job.instruction, job.seed, setting.disturbances)
        self._width = world.arm.read().gripper_width
        self._instants: list[Instant] = []
        self._actions: list[Array] = []
        self._disturbed: list[bool] = []
        self._held = 0

    @property
    def shown(self) -> Demonstration:
        """What there is to learn from."""
        return Demonstration.of_steps(self._instants, np.array(self._actions),
                                      np.array(self._disturbed))

    def run(self) -> bool:
        """Go on until success has held, and some steps more; whether it came to that."""
        left = self._setting.longest
        while left > 0 and self._held < HELD + KEPT:
            steps = self._next()
            left -= steps
            if self._expert.done:
                left = min(left, AFTERWARDS)
        self._observe()
        return self._held >= HELD + KEPT

    def _next(self) -> int:
        """Carry out a few planned steps, or a push; how many."""
        truth = self._world.truth()
        push = None
        if self._held == 0:
            push = self._disturber.push(truth, self._expert.phase, PLANNED)
        if push is not None:
            actions, self.pushes = push.actions(self._width), self.pushes + 1
        else:
            actions = self._expert.plan(truth, PLANNED, self._world.commanded)
        for action in actions:
            self._observe()
            self._act(action, push is not None)
        return len(actions)

    def _act(self, action: Array, disturbed: bool) -> None:
        """Carry out a step, and note what was really commanded: a refused pose was not."""
        before = self._world.commanded
        self._world.step(action)
        if not self._world.refused:
            self._width = float(action[6])
        self._actions.append(np.concatenate([*before.difference(self._world.commanded),
                                             [self._width]]))
        self._disturbed.append(disturbed)
        self._held = self._held + 1 if self._world.success().achieved else 0

    def _observe(self) -> None:
        """Note what is to be seen, where the stride has it."""
        step = len(self._actions)
        if step % self._setting.stride or (self._instants and self._instants[-1].step == step):
            return
        self._instants.append(instant(self._world, step, self._width, self._setting.image_size,
                                      self._rotation, self._catalogue, self._expert.phase))


def instant(world: TableWorld, step: int, width: float, image_size: int, rotation: Array,
            catalogue: Catalogue, phase: str) -> Instant:
    """What is known now. width: what the gripper was last told [m]; rotation: base to viewer."""
    seen, truth = world.observe(), world.truth()
    frames = sorted(truth.objects)
    return Instant(
        step=step, stamp=seen.stamp,
        images={name: encode(prepare(picture, image_size))
                for name, picture in seen.images.items()},
        joint_positions=np.array(seen.arm.position),
        joint_velocities=np.array(seen.arm.velocity), gripper_width=seen.arm.gripper_width,
        gripper_velocity=seen.arm.gripper_velocity, tcp=seen.tcp, commanded=world.commanded,
        commanded_width=width,
        offsets=samples.offsets(seen.tcp, truth.objects, frames, rotation),
        headings=samples.headings(truth.objects, frames, catalogue, rotation),
        feet=np.array([aims.foot(SHAPES[frame], pose) - pose.position for frame, pose
                       in sorted(truth.objects.items())]).reshape(-1, 3) @ rotation.T,
        grasped=np.array([frame in truth.grasped for frame in frames]), phase=phase)


def recorded(world: TableWorld, seen_from: Viewer) -> dict[str, list[float]]:
    """Where things are, along the viewer's axes [m]."""
    return {frame: (seen_from.rotation_base_to_viewer @ pose.position).tolist()
            for frame, pose in world.truth().objects.items()}


def collect(setting: Collecting, writer: DatasetWriter, todo: Sequence[NumberedJob],
            workers: int, ray: bool = False) -> Generator[Outcome, None, None]:
    """Collect what is not there yet on `workers` processes (ray: of a cluster); yields an outcome
    as each episode ends, in no fixed order, and has it written down. Raises ValueError, at once.

    Closing the iterator (or Ctrl-C in the caller) ends the processes; `writer.finish` is left to
    the caller.
    """
    return on_many(Collector, setting, writer, todo, workers, ray)


def on_many(collector: Callable[[S], Callable[[NumberedJob], tuple[dict[str, Any], bytes]]],
            setting: S, writer: DatasetWriter, todo: Sequence[NumberedJob], workers: int,
            ray: bool) -> Generator[Outcome, None, None]:
    """As `collect`, by any collector: made from the setting in each process."""
    waiting = [job for job in todo if job.episode not in writer.tried]
    spread = ray_crew.spread if ray else crew.spread
    return _written(spread(collector, setting, waiting, workers), writer)


def _written(ended: Generator[Done[NumberedJob], None, None],
            writer: DatasetWriter) -> Generator[Outcome, None, None]:
    """Write down each episode as it ends, and pass its outcome on."""
    try:
        for done in ended:
            outcome = Outcome(**asdict(done.job), seconds=round(done.seconds, 3),
                              error=done.error, **(done.told or {'success': False}))
            writer.take(outcome, done.data)
            yield outcome
    finally:
        ended.close()
