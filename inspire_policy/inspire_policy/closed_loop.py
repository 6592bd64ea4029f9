# SPDX-License-Identifier: Apache-2.0
"""One episode in closed loop, without ROS: a policy acts in a world, and all is noted.

What is noted: whether it succeeded, its answers against the truth at each observation, the time
that each stage of a decision took, how smooth the commanded motion was, and, for a video of a
failure, where everything was.
"""

from __future__ import annotations

import time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from inspire_labeler.formulation import formulation
from inspire_labeler.question import questions
from inspire_labeler.viewer import viewer
from inspire_policy.answer_tally import Case, judged, missed, tallied
from inspire_policy.evaluation import AFTERWARDS, HELD, Job, Row, Setting, made_row
from inspire_policy.families import FAMILIES, create, options_of
from inspire_policy.forcing import Forceable, Forced, Forcing
from inspire_policy.policy import Decision, Policy, PolicyObservation
from inspire_policy.smoothness import smoothness
from inspire_policy.track import TrackRecorder
from inspire_policy.true_answers import TrueAnswers

if TYPE_CHECKING:
    from inspire_sim.world import World

DECISION = 'decision'   # the stage that is the whole of a decision, as its caller measures it


def make_policy(setting: Setting) -> Policy:
    """The policy of a setting; one that may choose computes with one thread, as there is a process
    for each core. Raises ValueError for an option that its family does not take, or where words
    are to be forced on a family that cannot have that."""
    chosen = {'threads': '1'} if 'threads' in options_of(setting.policy) else {}
    options = {**chosen, **setting.options}
    policy = create(setting.policy, viewer=setting.viewer, **options)
    if setting.forced is not Forced.NONE and not isinstance(policy, Forceable):
        raise ValueError(f'answers cannot be forced on the policy {setting.policy!r}: '
                         f'it does not act on what it says')
    return policy


def loaded_from(setting: Setting) -> Path | None:
    """What the policy is loaded from: the checkpoint that is given, or the family's own; None of a
    family that was never trained, or has none (which `create` says)."""
    if 'checkpoint' in setting.options:
        return Path(setting.options['checkpoint'])
    own: Path | None = getattr(import_module(FAMILIES[setting.policy]), 'SHIPPED', None)
    return own if own is not None and own.exists() else None



def make_world(policy: Policy, setting: Setting) -> World:
    """A world with the cameras that the policy looks through."""
    # These bring the physics, which the parent can do without.
    from inspire_sim.scene import builder_of
    from inspire_sim.world import TableWorld
    return TableWorld(cameras=tuple(policy.cameras), viewer_yaw=viewer(setting.viewer).yaw,
                      image_size=(setting.image_size, setting.image_size),
                      builder=builder_of(setting.variation))


def run_episode(world: World, policy: Policy, job: Job, setting: Setting) -> Row:
    """Run one episode in a world, from its reset to its end. What it raises is its reason."""
    run = _Run(world, policy, job, setting)
    achieved, detail, error = False, '', ''
    try:
        achieved = run.go()
        detail = world.success().detail
    except Exception as problem:  # noqa: BLE001 - a crash is a failure with its reason
        error = f'{type(problem).__name__}: {problem}'
    if setting.tracks and not achieved:
        run.track.save(setting.track(job), job, setting)
    return run.row(achieved, detail, error)


def holding(width: float, steps: int) -> NDArray[np.float64]:
    """Steps (K, 7) in which an arm stands: what the node sends when a policy has no more to do."""
    actions = np.zeros((steps, 7))
    actions[:, 6] = width
    return actions


def observed(world: World, policy: Policy) -> PolicyObservation:
    """What the policy gets to see of a world: the truth only where it says that it needs it."""
    seen = world.observe()
    return PolicyObservation(
        stamp=seen.stamp, images=seen.images, joint_positions=np.array(seen.arm.position),
        joint_velocities=np.array(seen.arm.velocity), gripper_width=seen.arm.gripper_width,
        gripper_velocity=seen.arm.gripper_velocity, tcp=seen.tcp,
        instruction=seen.instruction, commanded=world.commanded,
        truth=world.truth() if policy.needs_truth else None)


class _Run:
    """An episode under way, and what was noted of it."""

    def __init__(self, world: World, policy: Policy, job: Job, setting: Setting) -> None:
        self.track = TrackRecorder()
        self._world, self._policy, self._job, self._setting = world, policy, job, setting
        self._begin = time.perf_counter()
        self._forcing = Forcing(setting.forced, job.instruction, job.seed)
        self._steps = self._decisions = 0
        self._cases: list[Case] = []
        self._misses: list[float] = []
        self._timings: dict[str, list[float]] = {}
        self._path: list[NDArray[np.float64]] = []
        self._chunks: list[int] = []

    def go(self) -> bool:
        """Decide and act until success has held for a second, or it is too late."""
        world, job = self._world, self._job
        world.reset(job.instruction, job.seed)
        asked = questions(job.instruction, formulation(self._setting.formulation))
        self._true = TrueAnswers(job.instruction, asked, world.truth(),
                                 viewer(self._setting.viewer))
        self._policy.reset(world.instruction, asked)
        self._note_state()
        held, left = 0, self._setting.longest
        width: float | None = None      # as last told
        while left > 0:
            seen = observed(world, self._policy)
            decision = self._decide(seen)
            if decision.done:
                left = min(left, AFTERWARDS + len(decision.actions))
            actions = decision.actions if len(decision.actions) else holding(
                seen.gripper_width if width is None else width, left)
            self._chunks.append(self._steps)
            for action in actions:
                world.step(action)
                self._steps, left = self._steps + 1, left - 1
                self._note_state()
                held = held + 1 if world.success().achieved else 0
                if held >= HELD:
                    return True
            width = float(actions[-1, 6])
        return False

    def row(self, success: bool, detail: str, error: str) -> Row:
        """What came of it."""
        motion = smoothness(self._path, self._chunks)
        return made_row(
            self._job, success, self._steps, time.perf_counter() - self._begin, detail, error,
            decisions=self._decisions, answers=tallied(self._cases), timings=self._timings,
            jerk=_rounded(motion.jerk), seam=_rounded(motion.seam),
            inside=_rounded(motion.inside), misses=self._misses)

    def _decide(self, seen: PolicyObservation) -> Decision:
        """Have the policy decide; note how long it took, and how its answers were."""
        truth = self._world.truth()
        true, phase = self._true.now(truth), self._true.phase(truth)
        if self._setting.forced is not Forced.NONE and isinstance(self._policy, Forceable):
            self._policy.forced = self._forcing.words(true)
            self._policy.placed = self._forcing.places(true)
        begin = time.perf_counter()
        decision = self._policy.decide(seen)
        taken = {**decision.timings, DECISION: time.perf_counter() - begin}
        for stage, seconds in taken.items():
            self._timings.setdefault(stage, []).append(round(1000 * seconds, 3))
        self._decisions += 1
        self._cases += judged(decision.answers, true, phase)
        self._misses += missed(decision.answers, true)
        if self._setting.tracks:
            self.track.said(self._steps, decision.answers, true)
        return decision

    def _note_state(self) -> None:
        self._path.append(self._world.commanded.position)
        if self._setting.tracks:
            self.track.state(self._world.arm_state(), self._world.truth())


def _rounded(value: Any) -> Any:
    return value if value is None else round(value, 6)
