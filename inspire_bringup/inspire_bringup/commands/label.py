# SPDX-License-Identifier: Apache-2.0
"""`./inspire label EPISODE`: labels from an episode's bag, written beside it as labels.parquet."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from inspire_labeler.formulation import Formulation
from inspire_labeler.labelling import GRASP_SOURCES

if TYPE_CHECKING:
    from inspire_bringup.episode_reader import EpisodeReader
    from inspire_labeler.episode_hindsight import HindsightLabel
    from inspire_labeler.label_table import Row
    from inspire_labeler.recompute import Comparison, Recomputed, Recorded

HELP = 'Compute the labels of an episode from its bag and compare them with the live ones.'
FILE = 'labels.parquet'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument('episode', type=Path,
                        help="runs/<time>, the bag's folder, or a .mcap file; may be cut off")
    parser.add_argument('--hindsight', action='store_true',
                        help='from the gripper closing and opening alone, without object frames')
    parser.add_argument('--compare', action='store_true',
                        help='compare with the labels published live (exit 1 where unequal); with '
                        '--hindsight: measure its error against TF')
    parser.add_argument('--formulation', choices=[each.value for each in Formulation],
                        help='how a place is asked for (default: as in the bag, or direction)')
    parser.add_argument('--grasp-source', choices=GRASP_SOURCES, default='contacts',
                        help='how it is known what is held (default: contacts)')
    parser.add_argument('--catalogue', type=Path, metavar='FILE',
                        help="names and frames (default: the labeler's objects.yaml)")


def run(arguments: argparse.Namespace) -> int:
    """Labels an episode; 1 with an error on stderr where it cannot be, or is unequal."""
    from inspire_bringup.episode_reader import EpisodeReader

    try:
        return _label(EpisodeReader(arguments.episode), arguments)
    except (ValueError, OSError) as error:
        print(f'error: {error}', file=sys.stderr)
        return 1


def _label(episode: EpisodeReader, arguments: argparse.Namespace) -> int:
    from inspire_labeler import label_table
    from inspire_labeler.catalogue import Catalogue
    from inspire_labeler.episode_hindsight import hindsight
    from inspire_labeler.labelling import LabelSettings
    from inspire_labeler.recompute import recompute, survey

    recorded = survey(_messages(episode))
    formulation = arguments.formulation or recorded.formulation or Formulation.DIRECTION
    settings = LabelSettings(formulation=Formulation(formulation),
                             grasp_source=arguments.grasp_source)
    made = hindsight(_messages(episode), settings) if arguments.hindsight else []
    if arguments.hindsight and not arguments.compare:
        return _write(episode, label_table.rows_of_hindsight(made), 'hindsight')
    catalogue = Catalogue.load(arguments.catalogue or _catalogue())
    recomputed = recompute(_messages(episode), recorded, catalogue, settings)
    for topic, count in recomputed.malformed.items():
        print(f'{topic}: {count} messages could not be read and were left out', file=sys.stderr)
    if arguments.hindsight:
        _write(episode, label_table.rows_of_hindsight(made), 'hindsight')
        return _report_error(recomputed, made)
    code = _write(episode, label_table.rows_of_labels(recomputed.labels), 'tf')
    return _report(recorded, recomputed) if arguments.compare else code


def _messages(episode: EpisodeReader) -> Iterator[tuple[str, bytes]]:
    from inspire_labeler.recompute import TOPICS

    for record in episode.records(TOPICS):
        yield record.topic, record.data


def _catalogue() -> Path:
    from ament_index_python.packages import get_package_share_directory

    return Path(get_package_share_directory('inspire_labeler')) / 'config' / 'objects.yaml'


def _write(episode: EpisodeReader, rows: Iterator[Row], source: str) -> int:
    from inspire_labeler import label_table
    from inspire_labeler.recompute import without_times

    listed = list(rows)
    path = episode.place.folder / FILE
    for damage in episode.damage:
        print(f'the bag is damaged: {damage}', file=sys.stderr)
    if not listed:
        print(f'error: {episode.place.bag} gives no labels: it needs camera_info and an '
              f'instruction that names an object', file=sys.stderr)
        return 1
    label_table.write(path, label_table.table(listed, source,
                                              label_table.sha256(episode.place.bag)))
    withheld = Counter(without_times(row[6]) for row in listed if row[6])
    print(f'{path}: {len(listed)} labels ({source}) of {len({row[0] for row in listed})} images, '
          f'{sum(withheld.values())} withheld')
    _print_reasons('withheld', withheld)
    return 0


def _report(recorded: Recorded, recomputed: Recomputed) -> int:
    from inspire_labeler.recompute import compare

    result: Comparison = compare(recorded, recomputed)
    live, bag, both = (sum(each.values()) for each in (
        result.withheld_live, result.withheld_bag, result.withheld_both))
    print(f'live against recomputed: {result.equal} equal, {len(result.unequal)} unequal, '
          f'withheld {live} live, {bag} recomputed, {both} both')
    for difference in result.unequal[:10]:
        print(f'  unequal: {difference}')
    if len(result.unequal) > 10:
        print(f'  ... and {len(result.unequal) - 10} more')
    _print_reasons('withheld live', result.withheld_live)
    _print_reasons('withheld recomputed', result.withheld_bag)
    _print_reasons('withheld both', result.withheld_both)
    if not result.equal and not result.unequal:
        print('error: the bag has no live label that could be compared', file=sys.stderr)
    return 0 if result.is_equal else 1


def _report_error(recomputed: Recomputed, made: list[HindsightLabel]) -> int:
    from inspire_labeler.episode_hindsight import measure

    errors = measure(recomputed.labels, made)
    for each in errors:
        x, y, z = each.bias
        share = f'{each.words_equal} of {each.words}' if each.words else 'none to compare'
        print(f'{each.object}: hindsight is off by {each.error * 1000:.0f} mm (median of '
              f'{each.count}); bias {x * 1000:+.0f} {y * 1000:+.0f} {z * 1000:+.0f} mm (x y z of '
              f'the viewer); words equal outside a 3 cm margin: {share}')
    if not errors:
        print('error: no object is known both from TF and in hindsight', file=sys.stderr)
    return 0 if errors else 1


def _print_reasons(title: str, reasons: Counter[str]) -> None:
    for reason, count in reasons.most_common(10):
        print(f'  {title}, {count} times: {reason}')
    if len(reasons) > 10:
        print(f'  {title}: {len(reasons) - 10} more reasons')
