# SPDX-License-Identifier: Apache-2.0
"""The shipped network, in closed loop in the world: it looks, says where things are, and picks."""

import time
from pathlib import Path

import numpy as np
import pytest

from inspire_labeler.question import questions
from inspire_labeler.viewer import viewer
from inspire_policy.closed_loop import make_policy, observed, run_episode
from inspire_policy.evaluation import Job, Setting
from inspire_policy.families.nano import SHIPPED
from inspire_policy.nano import checkpoint
from inspire_policy.policy import Policy
from inspire_policy.prompt import Layout
from inspire_sim.world import TableWorld

KEPT = Path(__file__).parents[2] / 'experiments' / 'weights'
LARGEST = 40e6       # bytes of all model files in the repository
LOADED = 3.0         # s
SEEDS = range(6)     # 50 of 50 succeeded from 0 on when it was evaluated
ENOUGH = 5           # of these


def test_it_is_small_and_soon_there() -> None:
    kept = [path for path in KEPT.glob('*/*') if path.suffix != '.onnx']    # graphs are made
    assert sum(path.stat().st_size for path in [*SHIPPED.iterdir(), *kept]) < LARGEST
    make_policy(Setting('nano'))    # the libraries
    begin = time.perf_counter()
    make_policy(Setting('nano'))
    assert time.perf_counter() - begin < LOADED


def test_the_weights_that_are_kept_can_still_be_read() -> None:
    assert checkpoint.load(KEPT / 'none').description.layout is Layout.NONE
    assert checkpoint.load(KEPT / 'believed').network().size.hand
    assert checkpoint.load(SHIPPED).description.layout is not Layout.NONE


@pytest.mark.timeout(300)
def test_it_picks_up_the_ball_and_says_where_it_is() -> None:
    setting = Setting('nano', longest=240)
    policy = make_policy(setting)
    world = TableWorld(cameras=policy.cameras)
    rows = [run_episode(world, policy, Job('pick_ball', 'pick up the ball', 'seen', seed), setting)
            for seed in SEEDS]
    assert not any(row.error for row in rows)
    assert sum(row.success for row in rows) >= ENOUGH, [row.detail for row in rows]
    misses = [how_far_off(world, policy, seed) for seed in SEEDS]
    assert np.median(misses) < 0.02, misses
    cases = [(case, times) for row in rows if row.success for case, times in row.answers]
    clear = [(case, times) for case, times in cases if not case.near]
    right = sum(times for case, times in clear if case.right)
    assert right >= 0.9 * sum(times for _, times in clear)


def how_far_off(world: TableWorld, policy: Policy, seed: int) -> float:
    """How far from where the ball is the policy says that it is, at its first look [m]."""
    world.reset('pick up the ball', seed)
    policy.reset('pick up the ball', questions('pick up the ball'))
    told = policy.decide(observed(world, policy)).answers[0].offset
    truth = world.truth()
    apart = truth.objects['ball'].position - truth.tcp.position
    assert told is not None
    return float(np.linalg.norm(told - viewer('libero').rotation_base_to_viewer @ apart))
