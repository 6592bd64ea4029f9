# SPDX-License-Identifier: Apache-2.0
"""Jobs on a Ray cluster, where Ray is installed; what is said where it is not."""

import sys
from pathlib import Path

import pytest
from chores import doubling

from inspire_policy import ray_crew
from inspire_policy.evaluation import jobs

TODO = jobs(['pull_plate'], 2, 0)


def test_without_ray_it_is_said_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'ray', None)
    with pytest.raises(ValueError, match='pip install ray'):
        ray_crew.spread(doubling, 2, TODO, 1)


def test_no_workers_are_refused() -> None:
    with pytest.raises(ValueError, match='0 workers'):
        ray_crew.spread(doubling, 2, TODO, 0)


def test_jobs_are_done_on_a_cluster_and_failures_have_reasons(
        monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip('ray', reason='Ray is no requirement')
    folder = str(Path(__file__).parent)
    monkeypatch.setenv('PYTHONPATH', folder, prepend=':')
    done = sorted(ray_crew.spread(doubling, 2, TODO, 2),
                  key=lambda one: (one.job.instruction, one.job.seed))
    assert [one.job for one in done] == sorted(TODO, key=lambda job: (job.instruction, job.seed))
    assert [one.error for one in done[:-1]] == [''] * 5
    assert [one.told.get('seed') for one in done] == [0, 2, 0, 2, 0, None]
    assert done[0].data == b'pull out the bottom plate from the cabinet'
    assert 'it broke' in done[-1].error
