# SPDX-License-Identifier: Apache-2.0
"""Vision-language-action models of a billion parameters and more, and small ones of their kind."""
