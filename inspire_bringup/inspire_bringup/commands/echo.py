# SPDX-License-Identifier: Apache-2.0
"""`./inspire echo`: what the robot says, what is true, and whether they agree, live.

Shows a graph that runs elsewhere (`./inspire demo`, `./inspire run`, `ros2 launch`), in the ROS
domain of ROS_DOMAIN_ID. `--json` prints one observation a line, for programs.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable

from rich.console import Console
from rich.live import Live

from inspire_bringup.session import add_options
from inspire_bringup.stages import Argument
from inspire_bringup.view import View, layout

HELP = 'Show questions, answers, truth and agreement of a running graph, live.'
REFRESH = 0.25  # s
TIMEOUT = Argument(
    'timeout',
    'Give up when no observation has come for this long [s]; 0: never.',
    0.0,
    kind=float,
    lower=0.0,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--once', action='store_true', help='end after the first observation')
    parser.add_argument('--json', action='store_true', help='one observation a line, as JSON')
    add_options(parser, [TIMEOUT])


def run(arguments: argparse.Namespace) -> int:
    from inspire_bringup.ros_listener import listening

    domain = os.environ.get('ROS_DOMAIN_ID', '0')
    print(f'listening in ROS domain {domain}; end: Ctrl-C', file=sys.stderr)
    with listening() as (listener, executor):
        watch = Watch(lambda: listener.observations, arguments.timeout, domain)

        def spin() -> bool:
            """Return whether a new observation came."""
            executor.spin_once(timeout_sec=REFRESH)
            return watch.is_new()

        if arguments.json:
            return print_lines(listener.view, spin, arguments.once)
        return draw(listener.view, spin, arguments.once)


class Watch:
    """Notices new observations, and their absence."""

    def __init__(self, count: Callable[[], int], timeout: float, domain: str) -> None:
        self._count, self._timeout, self._domain = count, timeout, domain
        self._seen, self._since = 0, time.monotonic()

    def is_new(self) -> bool:
        """Return whether an observation came since the last call.

        Raises:
            RuntimeError: none has come for the timeout.

        """
        seen, self._seen = self._seen, self._count()
        if self._seen > seen:
            self._since = time.monotonic()
            return True
        if self._timeout and time.monotonic() - self._since > self._timeout:
            raise RuntimeError(
                f'no reasoning in ROS domain {self._domain} for {self._timeout:g} s: is a graph '
                'running there, with an instruction given?'
            )
        return False


def print_lines(view: View, spin: Callable[[], bool], once: bool) -> int:
    """Print each observation as a line of JSON."""
    while True:
        if spin():
            print(json.dumps(view.as_record()), flush=True)
            if once:
                return 0


def draw(view: View, spin: Callable[[], bool], once: bool) -> int:
    """Redraw the view a few times a second."""
    console = Console()
    if once:
        while not spin():
            pass
        console.print(layout(view))
        return 0
    with Live(console=console, auto_refresh=False, screen=console.is_terminal) as live:
        drawn = 0.0
        while True:
            spin()
            if time.monotonic() - drawn > REFRESH:
                drawn = time.monotonic()
                live.update(layout(view), refresh=True)
