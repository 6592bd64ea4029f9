# SPDX-License-Identifier: Apache-2.0
"""A run is shown in a terminal and, without one, as plain lines."""

import io

from rich.console import Console

from inspire_bringup.narration import ERROR, PROGRESS
from inspire_bringup.narrator import CLEAR_LINE, Narrator


def narrator(terminal):
    made = Narrator(io.StringIO())
    made.console = Console(file=io.StringIO(), force_terminal=terminal, width=40, soft_wrap=True)
    return made


def shown(made):
    return made.console.file.getvalue()


def test_without_a_terminal_every_line_is_plain():
    made = narrator(terminal=False)
    made.show('episode', '   2.0 s  the ball: front')
    made.show('episode', PROGRESS + '3.0 s, 7 decisions')
    made.finish()
    assert shown(made) == '   2.0 s  the ball: front\n3.0 s, 7 decisions\n'


def test_without_a_terminal_progress_is_printed_now_and_then():
    made = narrator(terminal=False)
    for share in range(100):
        made.progress(f'video {share} %')
    assert shown(made) == 'video 0 %\n'


def test_in_a_terminal_the_progress_is_redrawn_below_the_lines():
    made = narrator(terminal=True)
    made.show('episode', PROGRESS + '3.0 s')
    made.show('episode', 'something')
    made.show('episode', PROGRESS + '3.5 s, ' + 'x' * 100)
    made.finish()
    text = shown(made)
    assert text.count('something') == 1
    assert text.endswith(CLEAR_LINE)
    last = text.split(CLEAR_LINE)[-2]
    assert '3.5 s' in last
    assert '\n' not in last
    assert last.count('x') < 40


def test_brackets_in_a_line_are_no_markup():
    made = narrator(terminal=False)
    made.show('episode', 'the ball [/bold] is at [0.1, 0.2]')
    assert shown(made) == 'the ball [/bold] is at [0.1, 0.2]\n'


def test_errors_of_other_stages_name_them():
    made = narrator(terminal=False)
    made.show('recorder', '[ERROR] the disk is full')
    assert shown(made) == 'recorder: [ERROR] the disk is full\n'


def test_why_the_conductor_gave_up_is_kept_for_stderr():
    made = narrator(terminal=False)
    made.show('episode', ERROR + 'sim refused reset_world')
    assert shown(made) == ''
    assert made.errors == ['sim refused reset_world']
