# SPDX-License-Identifier: Apache-2.0
"""Starts the loops of InSpire, records their episodes, and holds the command line."""
