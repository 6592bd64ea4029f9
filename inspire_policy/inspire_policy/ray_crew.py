# SPDX-License-Identifier: Apache-2.0
"""Jobs on many machines: `spread` of `crew`, on a Ray cluster.

Ray is no requirement of ours: where it is not installed, or not asked for, nothing of it is
needed. Every machine of the cluster needs these packages on its path.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from importlib import import_module
from typing import Any, TypeVar

from inspire_policy.crew import ONE_THREAD, PATIENCE, Dataclass, Done, Told

S = TypeVar('S')
J = TypeVar('J', bound=Dataclass)


def spread(begin: Callable[[S], Callable[[J], Told]], setting: S, todo: Sequence[J],
           workers: int) -> Generator[Done[J], None, None]:
    """Do the jobs with `workers` actors on the cluster of RAY_ADDRESS, or on this machine; yields
    each as it ends, in no fixed order.

    Raises ValueError, at once: for the number of workers, or where Ray is not installed.
    """
    if workers < 1:
        raise ValueError(f'{workers} workers; valid: at least 1')
    try:
        ray = import_module('ray')
    except ImportError:
        raise ValueError('Ray is not installed: pip install ray, or go without it on the '
                         'processes of this machine') from None
    return _spread(ray, begin, setting, todo, workers)


def _spread(ray: Any, begin: Callable[[S], Callable[[J], Told]], setting: S, todo: Sequence[J],
            workers: int) -> Generator[Done[J], None, None]:
    started = not ray.is_initialized()
    if started:
        ray.init(log_to_driver=False, include_dashboard=False)
    actor = ray.remote(_Actor).options(num_cpus=1, runtime_env={'env_vars': ONE_THREAD})
    waiting, busy = list(reversed(todo)), {}

    def give(one: Any) -> None:
        job = waiting.pop()
        busy[one.do.remote(job)] = (one, job, time.monotonic())

    try:
        for _ in range(min(workers, len(todo))):
            give(actor.remote(begin, setting))
        while busy:
            ready, _ = ray.wait(list(busy), timeout=1.0)
            late = [each for each, (_, _, since) in busy.items()
                    if time.monotonic() - since > PATIENCE and each not in ready]
            for each in (*ready, *late):
                one, job, since = busy.pop(each)
                told, data, error = _answer(ray, each) if each in ready else (
                    {}, b'', f'no answer for {PATIENCE:.0f} s')
                yield Done(job, time.monotonic() - since, told, data, error)
                if error:
                    ray.kill(one)
                if waiting:
                    give(actor.remote(begin, setting) if error else one)
    finally:
        if started:
            ray.shutdown()


def _answer(ray: Any, reference: Any) -> tuple[dict[str, Any], bytes, str]:
    try:
        told, data = ray.get(reference)
    except ray.exceptions.RayError as error:
        return {}, b'', f'{type(error).__name__}: {str(error).strip().splitlines()[-1]}'
    return told, data, ''


class _Actor:
    """A process of the cluster: one job after the other."""

    def __init__(self, begin: Callable[[Any], Callable[[Any], Told]], setting: Any) -> None:
        self._begin, self._setting = begin, setting
        self._do: Callable[[Any], Told] | None = None

    def do(self, job: Any) -> Told:
        """Do a job; what is needed is made with the first."""
        if self._do is None:
            self._do = self._begin(self._setting)
        return self._do(job)
