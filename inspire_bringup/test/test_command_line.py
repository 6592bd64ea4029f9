# SPDX-License-Identifier: Apache-2.0
"""Commands are listed, found, and fail in one line."""

import subprocess
import sys
import types
from pathlib import Path

import pytest

from inspire_bringup import command_line

PACKAGE = Path(command_line.__file__).resolve().parents[1]


def command(monkeypatch, run, passes_on=False):
    """Make `./inspire demo` do this."""
    module = types.SimpleNamespace(
        HELP='Do it.',
        add_arguments=lambda parser: parser.add_argument('--seed', type=int, default=0),
        run=run,
        PASSES_ON=passes_on,
    )
    monkeypatch.setattr(command_line.importlib, 'import_module', lambda name: module)


def test_alone_it_lists_every_command_with_one_line(capsys):
    assert command_line.main([]) == 0
    listed = capsys.readouterr().out
    for name in (*command_line.names(), *command_line.OF_THE_SHELL):
        assert f'  {name} ' in listed
        text = command_line.help_line(name)
        assert text in listed
        assert '\n' not in text
        assert len(text) <= 86, name
        assert text.endswith('.'), name


def test_every_command_has_its_place_in_the_list():
    placed = [name for members in command_line.SECTIONS.values() for name in members]
    assert sorted(placed) == sorted([*command_line.names(), *command_line.OF_THE_SHELL])


def test_the_list_needs_nothing_but_python():
    """`./inspire` alone works before anything is set up."""
    listed = subprocess.run(
        [sys.executable, '-I', '-S', '-c',
         f'import sys; sys.path.insert(0, {str(PACKAGE)!r}); '
         'from inspire_bringup.command_line import main; sys.exit(main([]))'],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert listed.returncode == 0, listed.stderr
    assert 'demo' in listed.stdout


def test_an_unknown_command_is_an_error_with_near_matches(capsys):
    assert command_line.main(['dmeo']) == 2
    error = capsys.readouterr().err
    assert error.count('\n') == 1
    assert "no command 'dmeo'; did you mean demo" in error


def test_a_command_like_no_other_is_answered_with_all_of_them(capsys):
    assert command_line.main(['x' * 10_000]) == 2
    error = capsys.readouterr().err
    assert 'commands: ' in error
    assert len(error) < 400


@pytest.mark.parametrize('status', [0, 1, 3])
def test_a_command_s_status_is_ours(monkeypatch, status):
    command(monkeypatch, lambda arguments: status)
    assert command_line.main(['demo']) == status


def test_an_expected_error_is_one_line_on_stderr(monkeypatch, capsys):
    def fails(arguments):
        raise ValueError('there is no task pick_bal')

    command(monkeypatch, fails)
    assert command_line.main(['demo']) == 1
    assert capsys.readouterr().err == 'inspire demo: there is no task pick_bal\n'
    with pytest.raises(ValueError, match='pick_bal'):
        command_line.main(['demo', '--debug'])


def test_a_defect_of_ours_keeps_its_traceback(monkeypatch):
    def fails(arguments):
        raise KeyError('x')

    command(monkeypatch, fails)
    with pytest.raises(KeyError):
        command_line.main(['demo'])


def test_ctrl_c_is_no_traceback(monkeypatch, capsys):
    def interrupted(arguments):
        raise KeyboardInterrupt

    command(monkeypatch, interrupted)
    assert command_line.main(['demo']) == 130
    assert capsys.readouterr().err == ''


def test_a_command_may_pass_words_on(monkeypatch):
    seen = []
    command(monkeypatch, lambda arguments: seen.append(arguments) or 0, passes_on=True)
    assert command_line.main(['test', '-k', 'runner', '--seed', '3']) == 0
    assert (seen[0].rest, seen[0].seed) == (['-k', 'runner'], 3)


def test_a_wrong_option_is_refused(monkeypatch):
    command(monkeypatch, lambda arguments: 0)
    with pytest.raises(SystemExit) as refused:
        command_line.main(['demo', '--sed', '3'])
    assert refused.value.code == 2
