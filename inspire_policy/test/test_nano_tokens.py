# SPDX-License-Identifier: Apache-2.0
import json

import pytest

from inspire_labeler.question import question
from inspire_policy.nano.tokens import TokenizerError, Words
from inspire_policy.nano.vocabulary import sentences
from inspire_policy.prompt import Mark, ask


@pytest.fixture(scope='module')
def words():
    return Words.trained(sentences())


def test_a_question_about_a_known_object_is_a_token_a_word_and_one_at_each_side(words):
    assert len(words.encode(ask(question('the orange cup')))) == 3 + 2


@pytest.mark.parametrize('text', ['the ball', 'the zebra in ÅÄÖ', '球', '', '<do>x', "a'b\"c"])
def test_any_text_can_be_encoded(words, text):
    ids = words.encode((Mark.DO, text, Mark.ACT))
    assert ids[0] != ids[-1]
    assert all(0 <= one < words.text_size for one in ids)


def test_an_answers_word_is_another_token_than_the_same_word_in_a_name(words):
    (left,) = words.answer('left')
    assert left not in words.encode(('the left bowl',))


def test_an_answer_of_several_words_is_a_token_for_each(words):
    assert len(words.answer('front left up')) == 3
    assert len(words.answer('-3 0 9')) == 3
    with pytest.raises(KeyError):
        words.answer('nowhere')


def test_a_tokenizer_comes_back_from_its_text(words):
    again = Words.parsed(words.text)
    assert again.encode((Mark.DO, 'put the ball on the book')) == \
        words.encode((Mark.DO, 'put the ball on the book'))


def test_a_tokenizer_without_an_answer_is_refused_by_name(words):
    content = json.loads(words.text)
    content['added_tokens'] = [one for one in content['added_tokens']
                               if one['content'] != '<=left>']
    with pytest.raises(TokenizerError, match='<=left>'):
        Words.parsed(json.dumps(content))
    with pytest.raises(TokenizerError, match='cannot be read'):
        Words.parsed('{}')
