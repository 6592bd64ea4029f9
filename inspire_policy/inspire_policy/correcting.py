# SPDX-License-Identifier: Apache-2.0
"""Datasets of corrections: the arm comes to places that no demonstration leads to, and at every
instant the expert says what it would do from there (DAgger, Ross et al. 2011).

It comes there in three ways: it is put somewhere above the table (a glance: nothing moves), it is
pushed off the expert's way, or a policy moves it. What the expert says is a row's actions; it
needs not be what was done next.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np

from inspire_labeler.catalogue import Catalogue
from inspire_labeler.question import questions
from inspire_labeler.viewer import viewer
from inspire_policy import samples
from inspire_policy.catalogue_file import default_catalogue
from inspire_policy.closed_loop import observed
from inspire_policy.collecting import RENDERED, NumberedJob, instant, on_many, recorded
from inspire_policy.dataset_format import CAMERAS, HORIZON
from inspire_policy.dataset_writer import DatasetWriter, Outcome, packed
from inspire_policy.disturbance import bump
from inspire_policy.policy import PolicyError, UndecodableAction
from inspire_policy.samples import Array, Demonstration, Instant
from inspire_policy.staging import TRIES, Stagehand, grasp
from inspire_sim import aims, reach
from inspire_sim.corrector import Corrector, closed_on
from inspire_sim.shapes import SHAPES
from inspire_sim.tasks import find
from inspire_sim.variation import Variation
from piper_driver.kinematics import HOME, solve
from piper_driver.pose import Pose

if TYPE_CHECKING:
    from inspire_policy.policy import Policy
    from inspire_sim.world import TableWorld

CHUNK, HALF = 8, 4      # steps of a decision; steps from one row to the next
HELD = 10               # steps for which success holds before the episode ends: holding is learned
NEAR = 0.75             # share of glances near a thing
HANDLES = 0.75          # share of those near a handle that are as if to take hold of it


@dataclass(frozen=True)
class Correcting:
    """How is collected: where the viewer is, the side of the pictures [pixels], random places of
    the arm before an episode, share of them that are near any of the things there, share of
    episodes in which it then takes hold of any of these, to be seen with it in the hand, places to
    which it brings it then (mostly what is to be moved, near where that goes), share of the
    expert's decisions that are a push instead, the checkpoint of the policy that moves the arm
    ('': the expert does), share of that policy's decisions that the expert takes over, steps
    until an episode ends (0: only glances), what is changed in the world."""

    viewer: str = 'libero'
    image_size: int = 112
    glances: int = 6
    around: float = 0.2
    holding: float = 0.0
    carried: int = 0
    pushes: float = 0.15
    checkpoint: str = ''
    help: float = 0.25
    longest: int = 320
    variation: Variation = Variation.NONE

    def __post_init__(self) -> None:
        """Raise ValueError for what makes no dataset."""
        viewer(self.viewer)
        if not 1 <= self.image_size <= RENDERED:
            raise ValueError(f'image_size is {self.image_size}; valid: 1 to {RENDERED} pixels')
        for name, most in (('around', NEAR), ('holding', 1.0), ('pushes', 1.0), ('help', 1.0)):
            if not 0.0 <= getattr(self, name) <= most:
                raise ValueError(f'{name} is {getattr(self, name)}; valid: a share, 0 to {most:g}')
        if self.carried < 0 or (self.carried and not self.holding):
            raise ValueError(f'carried is {self.carried}; valid: from 0, above it with holding')
        if min(self.glances, self.longest) < 0 or self.glances + self.longest < 1:
            raise ValueError(f'{self.glances} glances and {self.longest} steps make no rows')


class CorrectionCollector:
    """Collects one episode after the other in a world of its own."""

    def __init__(self, setting: Correcting) -> None:
        from inspire_sim.scene import builder_of  # these bring the physics
        from inspire_sim.world import TableWorld
        self._setting = setting
        self._viewer = viewer(setting.viewer)
        self._catalogue = Catalogue.load(default_catalogue())
        self._world = TableWorld(CAMERAS, self._viewer.yaw, (RENDERED, RENDERED),
                                 builder=builder_of(setting.variation))
        self._policy: Policy | None = None
        if setting.checkpoint:
            from inspire_policy.families import nano
            self._policy = nano.create(viewer=setting.viewer, threads='1',
                                       checkpoint=str(Path(setting.checkpoint).resolve()))

    def __call__(self, job: NumberedJob) -> tuple[dict[str, Any], bytes]:
        """Run an episode: how it went, and its rows, packed; they count wherever it ended."""
        self._world.reset(job.instruction, job.seed)
        positions = recorded(self._world, self._viewer)
        run = _Run(self._world, job, self._setting, self._policy, self._catalogue)
        run.glance()
        reached = self._setting.longest == 0
        if self._setting.longest:
            self._world.reset(job.instruction, job.seed)
            reached = run.go()
        shown = run.shown
        told = {'success': True, 'steps': shown.steps, 'pushes': run.pushes,
                'rows': len(shown.instants), 'detail': '' if reached else 'goal not reached'}
        there = samples.scene(job.instruction, positions, self._catalogue)
        source = 'policy' if self._policy else 'expert'
        episode = samples.described(job.episode, job, source, reached, shown, there)
        return told, packed(episode, samples.rows(job.episode, shown))


class _Run:
    """One episode under way."""

    def __init__(self, world: TableWorld, job: NumberedJob, setting: Correcting,
                 policy: Policy | None, catalogue: Catalogue) -> None:
        self.pushes = 0
        self._world, self._setting, self._policy = world, setting, policy
        self._catalogue = catalogue
        self._instruction = job.instruction
        self._rotation = viewer(setting.viewer).rotation_base_to_viewer
        self._expert = Corrector(find(job.instruction)[1], world.viewer_yaw)
        self._random = np.random.default_rng([job.seed, crc32(job.instruction.encode()), 2])
        self._stage = Stagehand(world, self._expert, self._random)
        self._width = world.arm.read().gripper_width
        self._instants: list[Instant] = []
        self._actions: list[Array] = []
        self._held = 0

    @property
    def shown(self) -> Demonstration:
        """What there is to learn from: the expert means all that it says."""
        count = len(self._instants)
        return Demonstration(self._instants, np.array(self._actions), [HORIZON] * count,
                             HALF * count)

    def glance(self) -> None:
        """Rows with the arm put at random places."""
        world = self._world
        self._expert.correct(world.truth(), 1, world.commanded, self._width)   # knows who is who
        for _ in range(self._setting.glances):
            self._stage.draw()
            if self._placed():
                self._row()
        if self._setting.holding and self._random.random() < self._setting.holding:
            self._take()
        self._width = world.arm.read().gripper_width

    def _take(self) -> None:
        """Rows with any of the things there in the hand: where it lies, lifted, and carried."""
        stage, setting = self._stage, self._setting
        frame = stage.take(carried=setting.carried > 0)
        if not frame:
            return
        self._width = closed_on(SHAPES[frame])
        for _ in stage.lift(frame):
            self._row()
        for _ in range(setting.carried):
            if frame in self._world.truth().grasped and stage.carry(frame):
                self._row()

    def go(self) -> bool:
        """Go until success has held; whether it came to that."""
        world = self._world
        self._width = world.arm.read().gripper_width
        if self._policy is not None:
            self._policy.reset(self._instruction, questions(self._instruction))
        for _ in range(self._setting.longest // CHUNK):
            actions = self._chosen()
            for number, action in enumerate(actions):
                if number % HALF == 0:
                    self._row()
                self._act(action)
            if self._held >= HELD:
                break
        self._row()
        return self._held >= HELD

    def _row(self) -> Array:
        """Note what is to be seen, and what the expert would do."""
        world = self._world
        actions = self._expert.correct(world.truth(), HORIZON, world.commanded, self._width)
        self._instants.append(instant(world, HALF * len(self._instants), self._width,
                                      self._setting.image_size, self._rotation, self._catalogue,
                                      self._expert.phase))
        self._actions.append(actions)
        return actions

    def _chosen(self) -> Array:
        """What is done in the next steps (CHUNK, 7)."""
        world = self._world
        if self._policy is not None and self._random.random() >= self._setting.help:
            try:
                return self._policy.decide(observed(world, self._policy)).actions
            except (PolicyError, UndecodableAction):
                pass    # the expert goes on
        truth = world.truth()
        actions = self._expert.correct(truth, CHUNK, world.commanded, self._width)
        if self._policy is None and self._random.random() < self._setting.pushes:
            self.pushes += 1
            return self._push(bool(truth.grasped), world.commanded)
        return actions

    def _push(self, holding: bool, commanded: Pose) -> Array:
        """A smooth motion to anywhere near; the gripper stays as it was told."""
        size = self._random.uniform(0.01, 0.05 if holding else 0.09)
        direction = self._random.normal(size=3)
        direction /= np.linalg.norm(direction)
        if commanded.position[2] + size * direction[2] < 0.11:
            direction[2] = abs(direction[2])
        turn = self._random.uniform(-0.3, 0.3)
        change = np.array([*(size * direction), 0.0, 0.0, turn])
        return np.column_stack([bump(CHUNK)[:, None] * change, np.full(CHUNK, self._width)])

    def _act(self, action: Array) -> None:
        self._world.step(action)
        if not self._world.refused:
            self._width = float(action[6])
        self._held = self._held + 1 if self._world.success().achieved else 0

    def _placed(self) -> bool:
        """Put the arm at a random place; whether there was one that it can reach freely."""
        for _ in range(TRIES):
            pose = self._place()
            found = solve(pose, HOME)
            if found.converged:
                width = self._opening()
                if self._world.place_arm(found.q, width):
                    self._width = width
                    return True
        return False

    def _place(self) -> Pose:
        """Near the way down to an object's grasp, mostly that of the one to move, or anywhere."""
        random, truth = self._random, self._world.truth()
        kind = random.random()
        own = NEAR - self._setting.around
        if kind < NEAR:
            frame = self._expert.moved
            if kind > own:
                frame = str(random.choice(sorted(truth.objects)))
            middle = truth.objects[frame].position
            spread = random.choice([0.015, 0.05])
            position = middle + [*random.normal(size=2) * spread, random.uniform(0.0, 0.17)]
        else:
            angle, distance = random.uniform(-1.2, 1.2), random.uniform(0.16, 0.46)
            position = np.array([distance * np.cos(angle), distance * np.sin(angle),
                                 random.uniform(0.05, 0.30)])
        if kind < NEAR and SHAPES[frame].grip == 'tab' and random.random() < HANDLES:
            handle = grasp(frame, truth.objects)
            before = aims.backwards(handle, random.uniform(-0.01, 0.12)).position
            turn = reach.about(reach.UP, random.normal() * 0.1)
            return aims.made(before + random.normal(size=3) * spread / 2, turn @ handle.rotation)
        if random.random() < 0.5 and kind < own and SHAPES[frame].grip != 'tab':
            rotation = grasp(frame, truth.objects).rotation
            return aims.made(position, reach.about(reach.UP, random.normal() * 0.1) @ rotation)
        turn = reach.about(reach.UP, random.normal() * 0.4)
        return aims.made(position, turn @ reach.level_tool(reach.sideways(position), position))

    def _opening(self) -> float:
        shape = SHAPES[self._expert.moved]
        return float(self._random.choice([shape.opening, 0.07, self._random.uniform(0.0, 0.07)],
                                         p=[0.7, 0.15, 0.15]))


def correct(setting: Correcting, writer: DatasetWriter, todo: Sequence[NumberedJob],
            workers: int, ray: bool = False) -> Generator[Outcome, None, None]:
    """As `collecting.collect`, of corrections."""
    return on_many(CorrectionCollector, setting, writer, todo, workers, ray)
