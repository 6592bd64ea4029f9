# SPDX-License-Identifier: Apache-2.0
"""The life of an executable: start, spin in the main thread, end cleanly on a signal.

Jazzy now and then misses a signal while it spins, publishes into a context that is just being
shut down, and aborts when a spinning thread outlives the interpreter. Each of that is dealt with
here, once: every `main` is one call of `run`.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable

import rclpy
from rclpy._rclpy_pybind11 import RCLError
from rclpy.executors import Executor, ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node


def run(node_factory: Callable[[], Node], executor: Callable[[], Executor] | None = None,
        arguments: list[str] | None = None) -> int:
    """Make a node, spin it until SIGINT or SIGTERM, and return the exit code.

    `executor` is called once the context exists (a class will do); single-threaded by default.
    Returns 0 after a signal, and 1 with one line on stderr when the node cannot start. What fails
    later is a fault of the program and keeps its traceback. A node that has a method `close()` is
    closed before it is destroyed.
    """
    node: Node | None = None
    spinner: Executor | None = None
    try:
        try:
            rclpy.init(args=arguments)
            # Before the node, which takes its time: an executor that is made while a signal takes
            # the context away is made by halves, and complains when it is collected.
            spinner = (executor or SingleThreadedExecutor)()
            node = node_factory()
        except (ValueError, OSError, RuntimeError, LookupError) as error:
            if rclpy.ok():
                return _complain(error)
            return 0 if _interrupted(error) else _complain(error)
        # What lives as long as the node need not be looked through again: with a tagger loaded a
        # full collection held the interpreter for 64 ms, command streams included.
        gc.collect()
        gc.freeze()
        spinner.add_node(node)
        while rclpy.ok():
            spinner.spin_once(timeout_sec=0.2)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except RCLError:
        if rclpy.ok():
            raise
    finally:
        _end(node, spinner)
    return 0


def _interrupted(error: Exception) -> bool:
    """Whether a start failed only because a signal took the context away."""
    return isinstance(error, RCLError) and 'context' in str(error)


def _complain(error: Exception) -> int:
    text = ' '.join(str(error).split()) or type(error).__name__
    print(f'error: {text}', file=sys.stderr, flush=True)
    return 1


def _end(node: Node | None, executor: Executor | None) -> None:
    """Release everything, in the order that does not abort; a second signal changes nothing."""
    try:
        if executor is not None:
            executor.shutdown(timeout_sec=2.0)
        close = getattr(node, 'close', None)
        if close is not None:
            close()
        if node is not None:
            node.destroy_node()
    except (KeyboardInterrupt, RCLError):
        pass
    finally:
        rclpy.try_shutdown()
