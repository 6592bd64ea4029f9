# SPDX-License-Identifier: Apache-2.0
"""However following ends, the arm stands where it was told to be and the caller learns why."""

import dataclasses

import numpy as np
import pytest
from fakes import SETTINGS, START, FakeRobot, ForwardPolicy

from inspire_policy.following import Code
from inspire_policy.policy import (
    BadInstruction,
    Decision,
    PolicyObservation,
    PolicyUnavailable,
    UndecodableAction,
    UnknownObject,
)


def position(robot: FakeRobot) -> np.ndarray:
    assert robot.stream.trajectory is not None
    return robot.stream.trajectory.sample(robot.clock.now()).pose.position


def stands(robot: FakeRobot) -> bool:
    """Whether the arm will be where it stops, soon and for good."""
    assert robot.stream.trajectory is not None
    return robot.stream.trajectory.end_time <= robot.clock.now() + SETTINGS.stop_within


def test_every_step_is_executed_and_the_policy_says_when_it_is_done() -> None:
    robot = FakeRobot(ForwardPolicy(chunks=3, length=0.002))
    outcome = robot.follow()
    assert (outcome.code, outcome.chunks, outcome.steps) == (Code.NONE, 3, 24)
    np.testing.assert_allclose(position(robot), START.position + [3 * 8 * 0.002, 0, 0])
    assert robot.clock.now() == pytest.approx(100.0 + 3 * 0.4)


def test_the_motion_has_no_pause_between_chunks() -> None:
    robot = FakeRobot(policy := ForwardPolicy(chunks=4))
    robot.follow()
    assert [seen.stamp for seen in policy.seen] == pytest.approx([100.0, 100.35, 100.75, 101.15])


def test_a_policy_knows_where_its_steps_will_begin() -> None:
    robot = FakeRobot(policy := ForwardPolicy(chunks=2, length=0.002))
    robot.follow()
    first, second = policy.seen
    np.testing.assert_allclose(first.commanded.position, START.position)
    np.testing.assert_allclose(second.commanded.position, START.position + [8 * 0.002, 0, 0])
    np.testing.assert_allclose(second.tcp.position, START.position + [7 * 0.002, 0, 0])
    assert second.instruction == 'pick up the ball'


def test_a_decision_is_reported_with_what_it_was_made_from_and_its_chunks_number() -> None:
    robot = FakeRobot(policy := ForwardPolicy(chunks=3))
    robot.follow()
    robot.follow('put the ball on the book')
    assert [report.chunk_id for report in robot.reports] == [1, 2, 3, 4]
    assert [report.chunks for report in robot.reports] == [1, 2, 3, 1]
    assert [report.observation for report in robot.reports] == policy.seen
    objects = [answer.question.object for answer in robot.reports[-1].decision.answers]
    assert objects == ['the ball', 'the book']


@pytest.mark.parametrize('instruction', ['', '   ', 'ball ' * 2001, 'go', '\x00'])
def test_what_cannot_be_asked_about_is_refused_before_anything_moves(instruction: str) -> None:
    robot = FakeRobot(ForwardPolicy())
    outcome = robot.follow(instruction)
    assert outcome.code is Code.BAD_INSTRUCTION
    assert len(outcome.message) < 400
    assert robot.stream.trajectory is None


@pytest.mark.parametrize(
    ('error', 'code'),
    [
        (UnknownObject('no unicorn; there is now: ball'), Code.UNKNOWN_OBJECT),
        (BadInstruction('no script'), Code.BAD_INSTRUCTION),
        (UndecodableAction('step 3 is nan'), Code.UNDECODABLE_ACTION),
        (PolicyUnavailable('no connection'), Code.POLICY_UNAVAILABLE),
    ],
)
def test_a_policy_that_cannot_go_on_makes_the_arm_hold_and_its_reason_is_passed_on(
    error: Exception, code: Code
) -> None:
    class Failing(ForwardPolicy):
        def decide(self, observation: PolicyObservation) -> Decision:
            if len(self.seen) == 1:
                raise error
            return super().decide(observation)

    robot = FakeRobot(Failing())
    outcome = robot.follow()
    assert (outcome.code, outcome.message, outcome.chunks) == (code, str(error), 1)
    assert stands(robot)


def test_nan_actions_hold_the_arm_and_are_reported() -> None:
    class Broken(ForwardPolicy):
        def decide(self, observation: PolicyObservation) -> Decision:
            self.action[0] = np.nan if self.seen else self.action[0]
            return super().decide(observation)

    robot = FakeRobot(Broken())
    outcome = robot.follow()
    assert outcome.code is Code.UNDECODABLE_ACTION
    assert 'column 0 is nan' in outcome.message
    assert stands(robot)
    assert np.isfinite(position(robot)).all()


@pytest.mark.parametrize('code', [Code.CANCELED, Code.PREEMPTED, Code.SHUTDOWN])
def test_an_interruption_slows_the_arm_down_where_it_is(code: Code) -> None:
    robot = FakeRobot(ForwardPolicy(chunks=99, length=0.004))
    robot.interruption = lambda: code if robot.clock.now() > 100.2 else Code.NONE
    outcome = robot.follow()
    assert outcome.code is code
    assert robot.clock.now() < 100.25
    before = position(robot)
    assert robot.stream.trajectory is not None
    way = robot.stream.trajectory.end.pose.position - before
    assert 0.0 < way[0] <= 0.08 * SETTINGS.stop_within  # 0.08 m/s for at most the whole of it


def test_out_of_time_the_arm_holds() -> None:
    robot = FakeRobot(ForwardPolicy(chunks=99))
    outcome = robot.follow(timeout=1.0)
    assert outcome.code is Code.TIMEOUT
    assert robot.clock.now() == pytest.approx(101.0, abs=0.03)
    assert stands(robot)


def test_without_a_time_of_its_own_a_goal_has_that_of_the_settings() -> None:
    settings = dataclasses.replace(SETTINGS, timeout=2.0)
    robot = FakeRobot(ForwardPolicy(chunks=99), settings)
    assert robot.follow().code is Code.TIMEOUT
    assert robot.clock.now() == pytest.approx(102.0, abs=0.03)


def test_without_observations_the_arm_holds_says_so_and_gives_up_after_its_patience() -> None:
    class Blinded(ForwardPolicy):
        def decide(self, observation: PolicyObservation) -> Decision:
            robot.stale = 'camera/image_raw is 0.60 s old'
            return super().decide(observation)

    robot = FakeRobot(Blinded(chunks=9))
    outcome = robot.follow()
    assert (outcome.code, outcome.message) == (Code.STALE_OBSERVATION, robot.stale)
    assert robot.said == ['holding: camera/image_raw is 0.60 s old']
    assert robot.clock.now() == pytest.approx(100.35 + 2.0, abs=0.05)
    assert stands(robot)


def test_when_observations_come_back_in_time_it_goes_on() -> None:
    robot = FakeRobot(ForwardPolicy(chunks=2))
    robot.stale = 'nothing yet'

    def look() -> Code:
        if robot.clock.now() > 101.0:
            robot.stale = ''
        return Code.NONE

    robot.interruption = look
    assert robot.follow().code is Code.NONE
    assert robot.said == ['holding: nothing yet']


def test_an_arm_that_is_stopped_ends_it_with_the_arms_own_reason() -> None:
    class Stopped(ForwardPolicy):
        def decide(self, observation: PolicyObservation) -> Decision:
            robot.fault = 'the arm says: stopped: by the user'
            return super().decide(observation)

    robot = FakeRobot(Stopped())
    outcome = robot.follow()
    assert (outcome.code, outcome.message) == (Code.ARM_UNAVAILABLE, robot.fault)
    assert outcome.steps == 0


def test_an_arm_that_is_put_elsewhere_is_not_driven_on() -> None:
    class Teleported(ForwardPolicy):
        def decide(self, observation: PolicyObservation) -> Decision:
            robot.offset = np.array([0.0, 0.3, 0.0])
            return super().decide(observation)

    robot = FakeRobot(Teleported())
    outcome = robot.follow()
    assert outcome.code is Code.ARM_UNAVAILABLE
    assert 'the arm is 0.300 m from where it was told to be' in outcome.message


def test_time_that_begins_late_is_not_counted() -> None:
    robot = FakeRobot(ForwardPolicy(chunks=1))
    robot.clock.time = 0.0
    robot.clock.wait_until = lambda time: setattr(  # the first tick finds a world of long ago
        robot.clock, 'time', 1000.0 if robot.clock.time == 0.0 else max(robot.clock.time, time)
    )
    assert robot.follow(timeout=5.0).code is Code.NONE
    robot.clock.time = 0.0
    robot.interruption = lambda: Code.CANCELED
    assert robot.follow().code is Code.CANCELED


def test_an_arm_that_fell_behind_is_waited_for() -> None:
    class Delayed(ForwardPolicy):
        def decide(self, observation: PolicyObservation) -> Decision:
            if not self.seen:
                robot.offset = np.array([-0.1, 0.0, 0.0])
            return super().decide(observation)

    robot = FakeRobot(Delayed(chunks=2))
    caught_up = robot.clock.now() + 1.5

    def interruption() -> Code:
        if robot.clock.now() >= caught_up:
            robot.offset = np.zeros(3)
        return Code.NONE

    robot.interruption = interruption
    outcome = robot.follow()
    assert (outcome.code, outcome.chunks) == (Code.NONE, 2)
    assert robot.reports[1].observation.stamp >= caught_up


def test_a_second_instruction_begins_where_the_arm_was_told_to_be_and_keeps_its_grip() -> None:
    robot = FakeRobot(ForwardPolicy(chunks=1))
    robot.follow()
    robot.offset = np.array([0.0, 0.0, -0.004])  # it sags a little
    told = position(robot)
    robot.follow()
    np.testing.assert_allclose(position(robot), told + [8 * 0.002, 0, 0])
    assert robot.stream.trajectory is not None
    widths = [point.width for point in robot.stream.trajectory.points]
    assert widths == [0.05] * len(widths)  # never the measured 0.07, which would let go


def test_after_the_arm_was_put_elsewhere_an_instruction_begins_where_it_is_measured() -> None:
    robot = FakeRobot(ForwardPolicy(chunks=1))
    robot.follow()
    measured = position(robot) + [0.0, 0.3, 0.0]
    robot.offset = np.array([0.0, 0.3, 0.0])

    def arrive() -> Code:
        trajectory = robot.stream.trajectory
        assert trajectory is not None
        if trajectory.end.pose.position[1] > 0.2:  # the stream began anew, from where it is now
            robot.offset = np.zeros(3)
        return Code.NONE

    robot.interruption = arrive
    robot.follow()
    np.testing.assert_allclose(position(robot), measured + [8 * 0.002, 0, 0])
