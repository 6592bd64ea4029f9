# SPDX-License-Identifier: Apache-2.0
"""`./inspire adopt FAMILY FOLDER`: somebody's weights taken in, with what they do not say.

What does the work is inspire_policy.large.published and checkpoint.take_in.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from inspire_bringup import parts
from inspire_labeler.formulation import Formulation
from inspire_labeler.viewer import VIEWERS

HELP = "Take in the weights of a published model: minivla (InspireVLA-1B) or pi0fast."
FAMILIES = ('minivla', 'pi0fast')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        'FOLDER holds the weights as they were published, tokenizer.json (as the `tokenizers` '
        "library writes it; of MiniVLA with its 256 extra tokens) and the codec's file. "
        'Everything is opened once and compared with what the family consists of. Where it fits, '
        'inspire.json is written, and FOLDER is a checkpoint: --policy FAMILY --checkpoint '
        'FOLDER, and ./inspire train --from FOLDER. Where it does not, the error names the '
        'tensor, the token or the setting, and nothing is written. -1 and 1 of the model mean '
        '--low and --high: the 1 % and 99 % quantiles of its dataset, times what its controller '
        'made of them, in m, rad and m of gripper, 20 steps a second; fine-tuning takes them from '
        'its own data. An example: docs/families.md.')
    parser.add_argument('family', choices=FAMILIES, metavar='FAMILY',
                        help=', '.join(FAMILIES))
    parser.add_argument('folder', type=Path, metavar='FOLDER')
    parser.add_argument('--weights', required=True, metavar='FILE',
                        help='in FOLDER: .pt, .safetensors, or a folder of these')
    parser.add_argument('--low', type=float, nargs=7, required=True, metavar='X',
                        help='what -1 of each number of an action means')
    parser.add_argument('--high', type=float, nargs=7, required=True, metavar='X',
                        help='what 1 means')
    parser.add_argument('--state-low', type=float, nargs=8, metavar='X',
                        help="pi0fast: what -1 of the state's numbers means: position and "
                             "rotation vector of the tcp, each finger's distance from the middle")
    parser.add_argument('--state-high', type=float, nargs=8, metavar='X', help='what 1 means')
    codec = parser.add_argument_group('the action tokens')
    codec.add_argument('--codec', default='', choices=('autoencoder', 'edges', 'universal_fast'),
                       help='minivla: autoencoder (residual VQ) or edges (bins, without VQ); '
                            "pi0fast: universal_fast (default: the family's first)")
    codec.add_argument('--codec-file', default='', metavar='FILE',
                       help="in FOLDER: the autoencoder's .pt, or FAST's tokenizer.json")
    codec.add_argument('--set', action='append', default=[], metavar='NAME=VALUE',
                       help='change a setting of the codec, as chunk=10 (again for each)')
    asked = parser.add_argument_group('what it sees and is asked')
    asked.add_argument('--cameras', default='camera', metavar='NAMES',
                       help='whose pictures it looks at, with commas between (default: camera)')
    asked.add_argument('--viewer', default='libero', choices=sorted(VIEWERS),
                       help='for whom left is left (default: libero)')
    asked.add_argument('--formulation', default='direction', choices=[*map(str, Formulation)],
                       help='how it is asked (default: direction)')
    asked.add_argument('--no-questions', action='store_true',
                       help='it was trained without them, and is not to be asked')
    asked.add_argument('--say', action='append', metavar='WORD=OTHER',
                       help='what it says in place of a word of an answer (again for each; '
                            'default: grasped=catch, as the authors)')
    asked.add_argument('--split', action='store_true',
                       help='take words of answers that the tokenizer splits')
    parser.add_argument('--begin', default='first', choices=('first', 'last'),
                        help="pi0fast: where <bos> stands in the prefix: first (openpi), last "
                             '(LeRobot) (default: first)')
    parser.add_argument('--size', type=Path, metavar='FILE',
                        help='a model of another size: a JSON file like `size` in inspire.json')


def run(arguments: argparse.Namespace) -> int:
    from inspire_policy.chunk_scale import Scale
    if (arguments.state_low is None) != (arguments.state_high is None):
        raise ValueError('--state-low and --state-high belong together')
    scale = Scale(tuple(arguments.low), tuple(arguments.high))
    state = arguments.state_low and Scale(tuple(arguments.state_low),
                                          tuple(arguments.state_high))
    said = None if arguments.say is None else dict(map(other, arguments.say))
    parts.ensure('train')
    from inspire_policy.checkpoint_file import read_json
    from inspire_policy.large import published
    from inspire_policy.large.checkpoint import take_in
    from inspire_policy.large.settings import size_of
    size = arguments.size and size_of(read_json(arguments.size), str(arguments.size))
    made = take_in(arguments.folder, published.description(
        arguments.folder, arguments.family, published.Named(
            arguments.weights, scale, arguments.codec, arguments.codec_file, arguments.set, state,
            tuple(name.strip() for name in arguments.cameras.split(',') if name.strip()),
            arguments.viewer, Formulation(arguments.formulation), not arguments.no_questions,
            said, arguments.split, arguments.begin, size)))
    millions = sum(one.numel() for one in made.network.parameters()) / 1e6
    print(f'{arguments.folder} is a checkpoint of {arguments.family}: {millions:,.1f} million '
          f'parameters, chunks of {made.codec.chunk} steps in up to {made.codec.longest} tokens\n'
          f'./inspire demo --policy {arguments.family} --checkpoint {arguments.folder}')
    return 0


def other(text: str) -> tuple[str, str]:
    """A word and what is said in its place. Raises ValueError."""
    word, sign, said = (part.strip() for part in text.partition('='))
    if not (word and sign and said):
        raise ValueError(f'--say {text!r}; valid: WORD=OTHER, as grasped=catch')
    return word, said
