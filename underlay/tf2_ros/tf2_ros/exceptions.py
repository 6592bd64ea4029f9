# SPDX-License-Identifier: Apache-2.0
"""Why a transform cannot be given: tf2's exceptions, by tf2's names and hierarchy."""


class TransformException(Exception):
    """Any failure to give a transform."""


class LookupException(TransformException):
    """A frame does not exist, or the tree has a loop."""


class ConnectivityException(TransformException):
    """Two frames have no common ancestor."""


class ExtrapolationException(TransformException):
    """The time asked for lies outside the data."""


class InvalidArgumentException(TransformException):
    """A frame name is empty or starts with a slash."""


class TimeoutException(TransformException):
    """The transform did not come in time."""
