# SPDX-License-Identifier: Apache-2.0
"""Fine-tunes a pretrained language model with spatial questions, by LoRA, and examines it before
and after.

    python -m inspire_policy.language.tuning --data DIR --out DIR

Started again with the same folder it goes on where it was, to the same end. The loss is on the
answers' tokens alone. The examination is on seeds that were held out: the model is asked one
question after the other through the same `Speaker` by which a policy answers, scored over the
options' own logits, and reads its own answers.

The folder: adapter/ (the LoRA as peft writes it), state/ (what going on needs), log.jsonl (the
loss), results.json (the answers before and after).
"""

from __future__ import annotations

import argparse
import json
import shutil
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from inspire_policy import dataset
from inspire_policy.language.lessons import HELD_OUT, Lessons, Situation
from inspire_policy.language.model import LanguageReader, LanguageWords, Silence, pretrained
from inspire_policy.speaking import Speaker
from inspire_policy.success_rate import wilson
from inspire_policy.supervision import IGNORED

ADAPTER, STATE, RESULTS, LOG = 'adapter', 'state', 'results.json', 'log.jsonl'
EXAMINATION = 1_000_003    # seed of the situations that are examined
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Recipe:
    """How is trained. targets: the layers that get a LoRA."""

    steps: int = 150
    batch: int = 4
    rate: float = 1e-3
    warmup: int = 12
    rank: int = 32
    alpha: int = 64
    targets: tuple[str, ...] = ('q_proj', 'k_proj', 'v_proj', 'o_proj')
    clip: float = 1.0
    save: int = 5
    examined: int = 40     # situations, each of up to three questions
    held_out: int = HELD_OUT
    seed: int = 0


def tune(recipe: Recipe, data: Path, out: Path, model: Any, tokenizer: Any,
         tell: Tell = print, stop_at: int = 0) -> dict[str, Any]:
    """Examine, train, examine; the results. stop_at: leave at this step, as if stopped.

    Raises ValueError where the folder is of another run.
    """
    import torch
    from peft import LoraConfig, get_peft_model
    out.mkdir(parents=True, exist_ok=True)
    words, lessons = LanguageWords(tokenizer), Lessons(dataset.open(data), recipe.held_out)
    results = _results(out, recipe, data)
    if 'before' not in results:
        results['before'] = examine(model, words, lessons, recipe)
        _write(out / RESULTS, results)
    tell(f'before: {said(results["before"])}')
    torch.manual_seed(recipe.seed)
    tuned = get_peft_model(model, LoraConfig(
        r=recipe.rank, lora_alpha=recipe.alpha, target_modules=list(recipe.targets),
        task_type='CAUSAL_LM'))
    trained = [one for one in tuned.parameters() if one.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=recipe.rate, weight_decay=0.0)
    first = _restore(out / STATE, tuned, optimizer)
    tell(f'{sum(one.numel() for one in trained):,} of '
         f'{sum(one.numel() for one in tuned.parameters()):,} parameters are trained'
         + (f'; on from step {first}' if first else ''))
    for step in range(first, recipe.steps):
        if stop_at and step >= stop_at:
            return results
        begin = time.perf_counter()
        loss, tokens = _step(step, recipe, tuned.train(), optimizer, trained, words, lessons)
        seconds = time.perf_counter() - begin
        with (out / LOG).open('a', encoding='utf-8') as log:
            log.write(json.dumps({'step': step + 1, 'loss': round(loss, 5), 'tokens': tokens,
                                  'seconds': round(seconds, 3)}) + '\n')
        if (step + 1) % recipe.save == 0 or step + 1 == recipe.steps:
            _keep(out, tuned, optimizer, step + 1)
            left = seconds * (recipe.steps - step - 1) / 60
            tell(f'step {step + 1}: loss {loss:.3f}, {tokens / seconds:.0f} tokens/s, {left:.1f} '
                 'min to go')
    if 'after' not in results:
        results['after'] = examine(tuned, words, lessons, recipe)
        results['seconds a step'] = round(_median_seconds(out / LOG), 3)
        _write(out / RESULTS, results)
    tell(f'after: {said(results["after"])}')
    return results


def examine(model: Any, words: LanguageWords, lessons: Lessons, recipe: Recipe) -> dict[str, Any]:
    """How many answers of held-out situations are right, and what always saying the commonest
    answer would give."""
    reader = LanguageReader(getattr(model, 'get_base_model', lambda: model)())
    speaker = Speaker(reader, words, Silence())
    situations = lessons.draw(recipe.examined, np.random.default_rng(EXAMINATION), held_out=True)
    cases: Counter[tuple[str, str]] = Counter()
    for one in situations:
        # the right answers as drafts: they are checked, so nothing changes but that less is read
        given = speaker.speak(reader.begin(), one.prompt, one.answers).answers
        cases.update(zip(one.answers, given, strict=True))
    true = Counter[str]()
    for (right, _), count in cases.items():
        true[right] += count
    return {'right': sum(count for (right, given), count in cases.items() if right == given),
            'questions': true.total(), 'commonest': true.most_common(1)[0],
            'by word': {word: [cases[word, word], count] for word, count in sorted(true.items())}}


def said(found: dict[str, Any]) -> str:
    """An examination in a line."""
    right, asked = found['right'], found['questions']
    low, high = wilson(right, asked)
    word, count = found['commonest']
    return (f'{right} of {asked} answers right ({right / asked:.1%}; 95 %: {low:.1%} to '
            f'{high:.1%}); always {word!r}: {count / asked:.1%}')


def encoded(situation: Situation, words: LanguageWords) -> tuple[list[int], list[int]]:
    """Ids of a situation with its right answers, and what is to be said after each of them."""
    ids: list[int] = []
    targets: list[int] = []
    for segment, answer in zip(situation.prompt, situation.answers, strict=False):
        text, answered = words.encode(segment.text), list(words.word(answer, 0))
        ids += text + answered
        targets += [IGNORED] * (len(text) - 1) + answered + [IGNORED]
    return ids, targets


def _step(step: int, recipe: Recipe, tuned: Any, optimizer: Any, trained: Sequence[Any],
          words: LanguageWords, lessons: Lessons) -> tuple[float, int]:
    """One step; what is drawn depends on its number alone. Gives the loss and the tokens read."""
    import torch

    from inspire_policy.training_run import warmed
    random = np.random.default_rng([recipe.seed, step])
    rows = [encoded(one, words) for one in lessons.draw(recipe.batch, random)]
    longest = max(len(ids) for ids, _ in rows)
    ids = torch.zeros((len(rows), longest), dtype=torch.int64)
    targets = torch.full_like(ids, IGNORED)
    for number, (text, wanted) in enumerate(rows):
        ids[number, :len(text)] = torch.tensor(text)
        targets[number, :len(wanted)] = torch.tensor(wanted)
    causal = tuned.get_base_model()
    # what is padded comes after everything that is read, and a head of 49,152 rows costs as much
    # as a quarter of the layers: it is asked where something is answered
    hidden = causal.model(input_ids=ids, use_cache=False).last_hidden_state
    asked = targets != IGNORED
    loss: Any = torch.nn.functional.cross_entropy(causal.lm_head(hidden[asked]), targets[asked])
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(trained, recipe.clip)
    for group in optimizer.param_groups:
        group['lr'] = recipe.rate * warmed(step + 1, recipe.steps, recipe.warmup, 0.1)
    optimizer.step()
    return float(loss.detach()), int(ids.numel())


def _keep(out: Path, tuned: Any, optimizer: Any, step: int) -> None:
    """Write the adapter, and what going on needs; the state is whole or the one before."""
    from safetensors.torch import save_file
    fresh = out / f'{STATE}.new'
    shutil.rmtree(fresh, ignore_errors=True)
    tuned.save_pretrained(fresh)
    moments = {f'{number}.{name}': value.contiguous()
               for number, state in optimizer.state_dict()['state'].items()
               for name, value in state.items()}
    save_file(moments, fresh / 'optimizer.safetensors')
    _write(fresh / 'progress.json', {'step': step})
    old = out / STATE
    shutil.rmtree(old, ignore_errors=True)
    fresh.rename(old)
    shutil.copytree(old, out / ADAPTER, dirs_exist_ok=True,
                    ignore=shutil.ignore_patterns('optimizer*', 'progress*', 'README.md'))


def _restore(state: Path, tuned: Any, optimizer: Any) -> int:
    """Go on from what was kept; how many steps were done."""
    from peft import set_peft_model_state_dict
    from safetensors.torch import load_file
    if not state.exists():
        return 0
    set_peft_model_state_dict(tuned, load_file(state / 'adapter_model.safetensors'))
    moments: dict[int, dict[str, Any]] = {}
    for name, value in load_file(state / 'optimizer.safetensors').items():
        number, _, kind = name.partition('.')
        moments.setdefault(int(number), {})[kind] = value
    optimizer.load_state_dict({**optimizer.state_dict(), 'state': moments})
    return int(json.loads((state / 'progress.json').read_text())['step'])


def _results(out: Path, recipe: Recipe, data: Path) -> dict[str, Any]:
    """What is known of a run so far. Raises ValueError for another run's folder."""
    own = json.loads(json.dumps({'recipe': asdict(recipe), 'data': str(data.resolve())}))
    if not (out / RESULTS).exists():
        return dict(own)
    there: dict[str, Any] = json.loads((out / RESULTS).read_text())
    for name, value in own.items():
        if there.get(name) != value:
            raise ValueError(f'{out} is of another run: {name} is {there.get(name)} there, '
                             f'{value} here')
    return there


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2) + '\n', encoding='utf-8')


def _median_seconds(log: Path) -> float:
    return float(np.median([json.loads(line)['seconds'] for line in log.read_text().splitlines()]))


def main() -> None:
    import torch
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('--data', type=Path, required=True, metavar='DIR',
                        help='the dataset, of ./inspire collect or export')
    parser.add_argument('--out', type=Path, required=True, metavar='DIR',
                        help='folder of the run; one that was stopped goes on')
    parser.add_argument('--model', default='', metavar='DIR',
                        help='the language model (default: the SmolLM2-135M of the set-up)')
    parser.add_argument('--steps', type=int, default=Recipe.steps)
    parser.add_argument('--threads', type=int, default=1, help='of the processor (default: 1)')
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    tune(Recipe(steps=arguments.steps), arguments.data, arguments.out,
         *pretrained(arguments.model), tell=lambda text: print(text, flush=True))


if __name__ == '__main__':
    main()
