# SPDX-License-Identifier: Apache-2.0
"""Pictures from a thread of their own, so that the physics keeps time while they are made.

The physics hands over a copy of its state; OpenGL's context lives in the thread that uses it. When
the world is rebuilt, so is the renderer.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from threading import Condition, Thread, main_thread

import mujoco

from inspire_sim.rendering import Renderer
from inspire_sim.sights import Picture

START_TIMEOUT = 60.0   # [s], for OpenGL's first context on a busy machine
ORPHAN_LOOK = 0.2      # [s] between looks whether the main thread still lives


class Photographer:
    """Renders handed-over states and gives (stamp, camera -> picture) to `deliver`."""

    def __init__(self, cameras: Sequence[str], size: tuple[int, int],
                 deliver: Callable[[float, dict[str, Picture]], None]) -> None:
        """Start the thread; size is (width, height)."""
        # llvmpipe's own threads gain little at this size and take the other nodes' cores.
        os.environ.setdefault('LP_NUM_THREADS', '1')
        self.failure: Exception | None = None
        self._cameras, self._size, self._deliver = tuple(cameras), size, deliver
        self._changed = Condition()
        self._model: mujoco.MjModel | None = None
        self._data: mujoco.MjData | None = None
        self._stamp: float | None = None      # of the state that waits to be rendered
        self._busy = False
        self._ended = False
        self._thread = Thread(target=self._run, name='photographer')
        self._thread.start()

    @property
    def idle(self) -> bool:
        """Whether a state would be rendered at once."""
        return self._stamp is None and not self._busy

    def take(self, model: mujoco.MjModel, data: mujoco.MjData, stamp: float) -> None:
        """Hand over a state; call when `idle`. The state is copied before this returns."""
        with self._changed:
            if self._model is not model or self._data is None:
                self._model, self._data = model, mujoco.MjData(model)
            mujoco.mj_copyData(self._data, model, data)
            self._stamp = stamp
            self._changed.notify_all()

    def wait(self, timeout: float = START_TIMEOUT) -> None:
        """Return when idle. Raises the thread's failure, or TimeoutError."""
        with self._changed:
            done = self._changed.wait_for(
                lambda: self.idle or self._ended or self.failure is not None, timeout)
        if self.failure is not None:
            raise self.failure
        if not done:
            raise TimeoutError(f'no picture within {timeout} s')

    def close(self) -> None:
        """End the thread and join it."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        renderer: Renderer | None = None
        rendered: mujoco.MjModel | None = None
        try:
            while (stamp := self._next()) is not None:
                if rendered is not self._model:
                    if renderer is not None:
                        renderer.close()
                    renderer, rendered = Renderer(self._model, *self._size), self._model
                assert renderer is not None
                self._deliver(stamp, {name: renderer.render(self._data, name)
                                      for name in self._cameras})
                with self._changed:
                    self._busy = False
                    self._changed.notify_all()
        except Exception as failure:  # noqa: BLE001  whatever it is, the owner has to know
            with self._changed:
                self.failure = failure
                self._changed.notify_all()
        finally:
            if renderer is not None:
                renderer.close()

    def _next(self) -> float | None:
        """Wait for a state; its stamp, or None at the end.

        A main thread that was interrupted before it could close this one must not be survived.
        """
        with self._changed:
            while not self._changed.wait_for(lambda: self._stamp is not None or self._ended,
                                             ORPHAN_LOOK):
                self._ended = not main_thread().is_alive()
            if self._ended:
                return None
            stamp, self._stamp, self._busy = self._stamp, None, True
            return stamp
