# SPDX-License-Identifier: Apache-2.0
"""The prompt with its answers, as text: first where things are, then what to do (the paper's VQA-
first layout).
"""

from __future__ import annotations

from collections.abc import Sequence

from inspire_policy.policy import Answer


def transcript(instruction: str, answers: Sequence[Answer]) -> str:
    """Return the questions with their answers, a line each, and the request for actions at the
    end.
    """
    lines = [f'Question: {answer.question.text} Answer: {answer.text}' for answer in answers]
    lines.append(f'What action should the robot take to {instruction.strip().lower()}?')
    return '\n'.join(lines)
