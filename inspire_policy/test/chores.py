# SPDX-License-Identifier: Apache-2.0
"""Work for processes, quickly done. Imported by tests, and by the processes they start."""

from collections.abc import Callable

from inspire_policy.crew import Told
from inspire_policy.evaluation import Job


def doubling(factor: int) -> Callable[[Job], Told]:
    """Multiplies seeds; breaks at one of the jobs."""
    def do(job: Job) -> Told:
        if job.seed == 1 and job.instruction.startswith('pull out the top'):
            raise RuntimeError('it broke')
        return {'seed': factor * job.seed}, job.instruction.encode()
    return do
