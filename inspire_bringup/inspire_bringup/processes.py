# SPDX-License-Identifier: Apache-2.0
"""Stages as processes: the command line that starts each, where launch_ros is absent.

The parameters of a stage are written into a file beside its log. It shows later what was started,
and it has no trouble with quotes: a parameter on the command line is parsed as YAML, where an
empty instruction is not text and `7` is not a name.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import yaml
from ament_index_python.packages import (
    PackageNotFoundError,
    get_package_prefix,
    get_package_share_directory,
)

from inspire_bringup.runner import Process
from inspire_bringup.stages import ResolvedStage


class StageUnavailable(RuntimeError):
    """A stage's package or executable is not installed."""


def processes(stages: Iterable[ResolvedStage], folder: Path) -> tuple[Process, ...]:
    """Return the process of each stage; their parameters are written into `folder`.

    Raises:
        StageUnavailable: names each package or executable that is not installed.

    """
    folder.mkdir(parents=True, exist_ok=True)
    return tuple(
        Process(
            stage.name,
            command(stage, folder),
            foreground=stage.foreground,
            stop_first=stage.stop_first,
        )
        for stage in stages
    )


def command(stage: ResolvedStage, folder: Path) -> tuple[str, ...]:
    """Return the command line of a stage, after writing its parameters to `<name>.yaml`."""
    words = [str(executable(stage.package, stage.executable, stage.name))]
    share = Path(get_package_share_directory('inspire_bringup'))
    for option, file in stage.files.items():
        words += [option, str(share / file)]
    words.append('--ros-args')
    if stage.config:
        config = Path(get_package_share_directory(stage.package), 'config', stage.config)
        if not config.exists():
            raise StageUnavailable(f'stage {stage.name}: {stage.package} has no {config}')
        words += ['--params-file', str(config)]
    written = folder / f'{stage.name}.yaml'
    written.write_text(parameter_file(stage))
    words += ['--params-file', str(written)]
    for old, new in stage.remappings.items():
        words += ['--remap', f'{old}:={new}']
    return tuple(words)


def parameter_file(stage: ResolvedStage) -> str:
    """Return the stage's parameters as a ROS 2 parameter file, for every node of its process."""
    return str(yaml.safe_dump({'/**': {'ros__parameters': dict(stage.parameters)}}))


def executable(package: str, name: str, stage: str) -> Path:
    """Return the path of a package's executable, from the ament index.

    Raises:
        StageUnavailable: the package or the executable is not installed.

    """
    try:
        path = Path(get_package_prefix(package), 'lib', package, name)
    except PackageNotFoundError:
        raise StageUnavailable(
            f'stage {stage} needs the package {package}, which is not in this workspace nor in '
            'the ROS distribution: build it (./inspire setup), or install it'
        ) from None
    if not path.exists():
        raise StageUnavailable(f'stage {stage}: {package} has no executable {name} ({path})')
    return path
