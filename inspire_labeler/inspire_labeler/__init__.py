# SPDX-License-Identifier: Apache-2.0
"""Where the objects of an instruction are, in words: questions, answers and their agreement."""
