# SPDX-License-Identifier: Apache-2.0
"""When an episode is over, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

SETTLING = 3.0  # s in which success may still come after the policy called it done


class Outcome(IntEnum):
    """The numbers are those of inspire_msgs/StopEpisode."""

    UNKNOWN = 0
    SUCCESS = 1
    FAILURE = 2


@dataclass(frozen=True)
class Ending:
    """How an episode ended, in words; `error`: it could not go on."""

    outcome: Outcome
    note: str
    error: bool = False


@dataclass(frozen=True)
class View:
    """What is known of a running episode at one instant.

    Attributes:
        elapsed: time since the instruction was given [s].
        success_duration: for how long success has held [s]; None: nobody judges success here.
        missing: what success lacks, in words.
        policy_error: why the policy gave up; empty: it did not.
        policy_done: when the policy said that it is done, counted as `elapsed`; None: not yet.

    """

    elapsed: float
    success_duration: float | None
    missing: str
    policy_error: str = ''
    policy_done: float | None = None


def judge(view: View, timeout: float, success_hold: float) -> Ending | None:
    """Return how the episode ended, or None while it goes on.

    Success comes first: a policy may end with an error after it has done what was asked.
    """
    judged = view.success_duration is not None
    if view.success_duration is not None and view.success_duration >= success_hold:
        return Ending(Outcome.SUCCESS, f'succeeded after {view.elapsed:.1f} s')
    if view.policy_error:
        return Ending(Outcome.FAILURE, f'policy gave up: {view.policy_error}', error=True)
    if view.policy_done is not None and not judged:
        return Ending(Outcome.UNKNOWN, f'ended after {view.elapsed:.1f} s')
    if view.policy_done is not None and view.elapsed - view.policy_done > SETTLING:
        return Ending(Outcome.FAILURE, f'failed: the policy is done, but {view.missing}')
    if view.elapsed > timeout:
        missing = f': {view.missing}' if view.missing else ''
        return Ending(Outcome.FAILURE, f'failed: out of time after {timeout:g} s{missing}')
    return None
