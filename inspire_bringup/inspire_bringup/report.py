# SPDX-License-Identifier: Apache-2.0
"""The report of an episode: one HTML page that needs nothing else, for any browser.

How it went, answers against truth, the arm's motion, rates and losses of every topic, timings,
withheld labels with their reasons, with what it was made, and how to go on.
"""

import base64
import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader
from numpy.typing import NDArray

from inspire_bringup import charts
from inspire_bringup import story as stories
from inspire_bringup.bag import write_atomically
from inspire_bringup.charts import Chart, Line
from inspire_bringup.story import Motion, Story
from inspire_bringup.video import NAME as VIDEO_NAME
from piper_driver.kinematics import tcp_position

NAME = 'report.html'
# A video beyond this is referred to instead of being put into the page [bytes].
LARGEST_EMBEDDED = 20 << 20
COLOURS = tuple(f'var(--line{number})' for number in range(1, 7))


@dataclass(frozen=True)
class Timing:
    """A row of the timings [ms]."""

    name: str
    count: int
    median: float
    p95: float
    largest: float


@dataclass(frozen=True)
class Withheld:
    """Labels or answers that were not given, for one reason."""

    who: str
    object: str
    reason: str
    count: int
    first: float  # s
    last: float


def write(run: Path | str) -> Path:
    """Write the report of a run's episode into its folder and return the file."""
    story = stories.read(run)
    path = story.folder / NAME
    write_atomically(path, page(story))
    return path


def page(story: Story) -> str:
    """Return the report of a story as HTML."""
    environment = Environment(
        loader=PackageLoader('inspire_bringup', 'templates'),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    drawn = motion_charts(story)
    return environment.get_template('report.html.j2').render(
        story=story,
        manifest=story.manifest,
        compared=story.compared(),
        done_after=story.done_after(),
        video=video_source(story.folder),
        timeline=charts.timeline(story) if story.objects else '',
        charts=drawn,
        data=_script_safe([{'unit': one.unit, 'lines': one.data} for one in drawn]),
        following=following(story),
        timings=timings(story),
        withheld=withheld(story),
        recorder=asdict(story.manifest)['recorder'] if story.manifest else {},
        run=_relative(story.folder),
    )


def _script_safe(content: Any) -> str:
    """Write JSON that cannot end the script element it stands in."""
    return json.dumps(content).replace('<', '\\u003c')


def _relative(folder: Path) -> str:
    """Write a folder as one would type it."""
    relative = os.path.relpath(folder)
    return str(folder) if relative.startswith('..') else relative


def video_source(folder: Path) -> str:
    """Return the video for a src attribute: embedded, or beside the page where it is large."""
    path = folder / VIDEO_NAME
    if not path.exists():
        return ''
    if path.stat().st_size > LARGEST_EMBEDDED:
        return VIDEO_NAME
    return 'data:video/mp4;base64,' + base64.b64encode(path.read_bytes()).decode()


def motion_charts(story: Story) -> list[Chart]:
    """Draw the tcp, the gripper and the joints: measured as lines, commanded dashed."""
    if not story.measured:
        return []
    end = story.duration
    tcp: list[Line] = []
    gripper: list[Line] = []
    joints: list[Line] = []
    for motion, suffix, dashed in (
        (story.measured, '', False),
        (story.executed, ' commanded', True),
    ):
        if not motion:
            continue
        times, positions = _tcp(motion)
        for axis, name in enumerate('xyz'):
            tcp.append(Line(name + suffix, times, positions[:, axis], COLOURS[axis], dashed))
        width = motion.gripper * 1000
        gripper.append(Line('width' + suffix, motion.times, width, COLOURS[3], dashed))
        degrees = np.degrees(motion.joints)
        for joint in range(6):
            name = f'joint{joint + 1}{suffix}'
            joints.append(Line(name, motion.times, degrees[:, joint], COLOURS[joint], dashed))
    return [
        charts.chart('tcp in base_link', 'm', tcp, end, 2),
        charts.chart('gripper', 'mm', gripper, end, 0, height=90),
        charts.chart('joints', '°', joints, end, 0),
    ]


def _tcp(motion: Motion) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    times, rows = charts.thinned(motion.times, motion.joints)
    return times, np.array([tcp_position(row) for row in rows.tolist()])


def following(story: Story) -> dict[str, float]:
    """Measure how far the arm was from what it was last told, in degrees and mm."""
    if not story.measured or not story.executed:
        return {}
    told = np.stack(
        [
            np.interp(story.measured.times, story.executed.times, column)
            for column in story.executed.joints.T
        ],
        axis=1,
    )
    _, joints = charts.thinned(story.measured.times, story.measured.joints)
    _, told_thin = charts.thinned(story.measured.times, told)
    apart = [
        float(np.linalg.norm(np.subtract(tcp_position(one), tcp_position(other))))
        for one, other in zip(joints.tolist(), told_thin.tolist(), strict=True)
    ]
    degrees = np.degrees(np.abs(told - story.measured.joints))
    return {
        'joint_max': float(degrees.max()),
        'tcp_median': float(np.median(apart)) * 1000,
        'tcp_max': float(np.max(apart)) * 1000,
    }


def timings(story: Story) -> list[Timing]:
    """Sum up how long decisions took, and how old the observation was when they took effect."""
    rows = [
        ('deciding, as the policy measured it', [one.thinking for one in story.decisions]),
        ('observation to answers published', [one.said for one in story.decisions]),
        (
            'observation to actions published',
            [one.acted for one in story.decisions if one.acted is not None],
        ),
    ]
    return [_timing(name, values) for name, values in rows if values]


def _timing(name: str, seconds: Sequence[float]) -> Timing:
    milliseconds = np.array(seconds) * 1000
    return Timing(
        name,
        len(milliseconds),
        float(np.median(milliseconds)),
        float(np.percentile(milliseconds, 95)),
        float(milliseconds.max()),
    )


def withheld(story: Story) -> list[Withheld]:
    """Group what was not said by who did not say it, about what, and why."""
    found: list[Withheld] = []
    for who, every in (('truth', story.labels), ('policy', story.answers)):
        for name, answers in every.items():
            silent = [one for one in answers if not one.text]
            for reason, count in Counter(one.reason for one in silent).most_common():
                times = [one.time for one in silent if one.reason == reason]
                found.append(Withheld(who, name, reason, count, min(times), max(times)))
    return found
