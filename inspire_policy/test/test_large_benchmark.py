# SPDX-License-Identifier: Apache-2.0
"""What the comparison of reasoning counts is what decisions take."""

import pytest

torch = pytest.importorskip('torch', reason='the part `train` of the set-up is not installed')

from inspire_policy.large import benchmarks, untrained  # noqa: E402
from inspire_policy.large.law import policy_of  # noqa: E402
from inspire_policy.large.lessons import WRITINGS  # noqa: E402
from inspire_policy.large.reasoning_benchmark import compared  # noqa: E402

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope='module')
def figures(tmp_path_factory):
    plot = tmp_path_factory.mktemp('plot') / 'reasoning.png'
    found = {}
    for family, objects in (('pi0fast', '2'), ('minivla', '1,2')):
        found |= {name: values for name, values, _ in benchmarks.reasoning(
            family, 'tiny', objects, decisions='2', plot=str(plot))}
    return found, plot


def test_a_decision_looks_once_and_the_authors_once_for_each_question_and_the_actions(figures):
    found, _ = figures
    looks = {(family, objects, way): found[f'{family}_tiny_{objects}_{way}_pictures'][0]
             for family, objects in (('pi0fast', 2), ('minivla', 1), ('minivla', 2))
             for way in ('none', 'authors', 'full', 'drafted')}
    assert {one for (_, _, way), one in looks.items() if way != 'authors'} == {1.0}
    assert (looks['minivla', 1, 'authors'], looks['minivla', 2, 'authors']) == (2.0, 3.0)
    assert looks['pi0fast', 2, 'authors'] == 9.0    # two of three pictures are black


def test_questions_cost_their_own_tokens_and_no_others(figures):
    """Twice: read once, and no token more whether answers are drafted or not."""
    found, _ = figures
    for family in ('minivla', 'pi0fast'):
        policy = policy_of(untrained.made(family))
        words = policy.checkpoint.words
        from inspire_labeler.formulation import Formulation
        from inspire_labeler.question import question
        from inspire_policy.prompt import Layout
        asked = [question(name, Formulation.DIRECTION) for name in ('the banana', 'the plate')]
        own, without = (
            sum(len(words.encode(one.marks)) + (one.question is not None)
                for one in WRITINGS[family].segments(
                    layout, 'put the banana in the plate', asked))
            for layout in (policy.checkpoint.description.layout, Layout.NONE))
        none = found[f'{family}_tiny_2_none_tokens'][0]
        for way in ('full', 'drafted'):
            assert found[f'{family}_tiny_2_{way}_tokens'][0] == none + own - without
        assert found[f'{family}_tiny_2_authors_tokens'][0] > 1.5 * none


def test_operations_are_ordered_as_the_tokens_are(figures):
    found, plot = figures
    for family in ('minivla', 'pi0fast'):
        none, full, authors = (found[f'{family}_tiny_2_{way}_flops'][0]
                               for way in ('none', 'full', 'authors'))
        assert 0 < none < full < authors
        assert len(found[f'{family}_tiny_2_full_decision']) == 2
        assert found[f'{family}_tiny_2_full_decision_p95'] <= found[
            f'{family}_tiny_2_full_decision_p99']
    assert plot.stat().st_size > 5000


def test_what_there_is_not_is_named():
    with pytest.raises(ValueError, match='tiny, small, published'):
        list(benchmarks.reasoning(families='minivla', sizes='huge'))
    with pytest.raises(ValueError, match='minivla, pi0fast'):
        list(benchmarks.reasoning(families='nano'))
    with pytest.raises(ValueError, match='4 objects; valid: 1 to 3'):
        compared(policy_of(untrained.made('minivla')), 4, 1)


def test_the_law_is_measured_with_what_differs_counted():
    found = {name: values for name, values, _ in benchmarks.law(count='2')}
    assert found['law_minivla_float64_compared'] == [1.0]
    assert found['law_pi0fast_bfloat16_different'] == [0.0]
    assert [name for name, *_ in benchmarks.law(count='2', kinds='float32')][::4] == [
        'law_minivla_float32_compared', 'law_pi0fast_float32_compared']
    with pytest.raises(ValueError, match="'half'; valid: float64, float32, bfloat16"):
        list(benchmarks.law(kinds='half'))
