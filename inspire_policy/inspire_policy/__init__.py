# SPDX-License-Identifier: Apache-2.0
"""Policies that say where things are before they move."""
