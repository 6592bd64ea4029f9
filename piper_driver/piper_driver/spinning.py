# SPDX-License-Identifier: Apache-2.0
"""The life of an executable: start, spin in the main thread, end cleanly on a signal.

A signal is noted and nothing else: no exception strikes in the middle of something, and the
context stays valid until the node has been closed. rclpy's own handlers are not used: Jazzy's now
and then miss a signal, and they take the context away under a callback that is publishing. Every
`main` is one call of `run`.
"""

from __future__ import annotations

import gc
import signal
import sys
import threading
from collections.abc import Callable

import rclpy
from rclpy.executors import Executor, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions


def run(node_factory: Callable[[], Node], executor: Callable[[], Executor] | None = None,
        arguments: list[str] | None = None) -> int:
    """Make a node, spin it until SIGINT or SIGTERM, and return the exit code.

    `executor` is called once the context exists (a class will do); single-threaded by default.
    Returns 0 after a signal, and 1 with one line on stderr when the node cannot start. What fails
    later is a fault of the program and keeps its traceback. A node that has a method `close()` is
    closed before it is destroyed. A signal during the start counts when the start is over.
    """
    told_to_end = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: told_to_end.set())
    node: Node | None = None
    spinner: Executor | None = None
    try:
        try:
            rclpy.init(args=arguments, signal_handler_options=SignalHandlerOptions.NO)
            spinner = (executor or SingleThreadedExecutor)()
            node = node_factory()
        except (ValueError, OSError, RuntimeError, LookupError) as error:
            return _complain(error)
        # What lives as long as the node need not be looked through again: with a tagger loaded a
        # full collection held the interpreter for 64 ms, command streams included.
        gc.collect()
        gc.freeze()
        spinner.add_node(node)
        while not told_to_end.is_set():
            spinner.spin_once(timeout_sec=0.2)
    finally:
        _end(node, spinner)
    return 0


def _complain(error: Exception) -> int:
    text = ' '.join(str(error).split()) or type(error).__name__
    print(f'error: {text}', file=sys.stderr, flush=True)
    return 1


def _end(node: Node | None, executor: Executor | None) -> None:
    """Release everything, in the order that does not abort."""
    if executor is not None:
        executor.shutdown(timeout_sec=2.0)
    close = getattr(node, 'close', None)
    if close is not None:
        close()
    if node is not None:
        node.destroy_node()
    rclpy.try_shutdown()
