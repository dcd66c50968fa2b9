"""Workers for the jobs of a search, by dask.distributed: processes here, or any cluster."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Protocol, TypeVar

from ...boards.build import clear_unfinished
from ...errors import ScneuroError
from ...tools.source import said

__all__ = ["Crew", "cores", "crew", "require"]

_CONNECTS = 5.0  # seconds to find a scheduler, and workers there
_LOOKS = 1.0  # seconds between two looks at whether it is still there
_PATIENCE = 60.0  # seconds without a single worker
_TRIES = 3  # of a job that is lost
_KILLED = "its worker was killed, again and again"

Name = TypeVar("Name", bound=Hashable)


def require() -> None:
    """Fail early, and in one line, where there is no dask.distributed.

    Raises
    ------
    ScneuroError
    """
    try:
        import distributed  # noqa: F401
    except ImportError:
        raise ScneuroError(
            "a search needs dask.distributed", 'pip install "scneuro[explore]"'
        ) from None


def cores() -> int:
    """The cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Crew(Protocol):
    """What does jobs."""

    def each(self, function: Callable[..., Any], *given: Any) -> list[Any]:
        """What a function returns on each worker."""

    def answers(
        self, function: Callable[..., Any], calls: Mapping[Name, tuple[Any, ...]]
    ) -> Iterator[tuple[Name, dict[str, Any]]]:
        """The results of calls by name, each as soon as it is there.

        A call that dies with its worker is made again, elsewhere, up to three times; then its
        result says ``failed``.
        """


@contextmanager
def crew(workers: int = 1, scheduler: str | None = None) -> Iterator[Crew]:
    """A crew: ``workers`` processes on this machine, or those of a scheduler.

    Parameters
    ----------
    workers : int
    scheduler : str, optional
        The address of a running one, such as ``tcp://host:8786``.

    Raises
    ------
    ScneuroError
        There is no scheduler, it has no workers, or it is lost.
    """
    require()
    if scheduler is not None:
        with _connected(scheduler) as client:
            yield _Dask(client, f"the scheduler {scheduler}")
        return
    from distributed import Client, LocalCluster

    with _undisturbed():
        local = LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            memory_limit=0,
            dashboard_address="127.0.0.1:0",  # any port that is free
            silence_logs=logging.CRITICAL,
        )
        client = Client(local, set_as_default=False)
    try:
        yield _Dask(client, "the local cluster")
    finally:
        with _undisturbed():
            pids = [pid for nanny in local.workers.values() if (pid := nanny.pid)]
            tools = _tools_of(pids)
            client.close()
            local.close()
            _end(tools)
            for pid in pids:
                clear_unfinished(pid)


@contextmanager
def _connected(address: str) -> Iterator[Any]:
    from distributed import Client

    hint = "start one with `dask scheduler`, or leave out --scheduler to work on this machine"
    logger = logging.getLogger("distributed")
    level = logger.level
    logger.setLevel(logging.CRITICAL)  # what is wrong is said here, in one line
    try:
        try:
            client = Client(address, timeout=_CONNECTS, set_as_default=False)
        except (OSError, ValueError) as error:
            raise ScneuroError(f"no scheduler at {address}: {error}", hint) from None
        try:
            try:
                client.wait_for_workers(1, timeout=_CONNECTS)
            except (OSError, TimeoutError):
                raise ScneuroError(
                    f"the scheduler {address} has no workers",
                    f"start some with `dask worker {address}`",
                ) from None
            yield client
        finally:
            with suppress(Exception):  # it may be gone
                client.close(timeout=_CONNECTS)
    finally:
        logger.setLevel(level)


class _Dask:
    """A crew of dask's workers."""

    def __init__(self, client: Any, name: str) -> None:
        self._client, self._name = client, name

    def each(self, function: Callable[..., Any], *given: Any) -> list[Any]:
        try:
            return list(self._client.run(function, *given).values())
        except Exception as error:
            raise ScneuroError(
                f"a worker of {self._name} cannot begin: {said(error)}",
                "it needs the same scneuro and the same dask as here",
            ) from None

    def answers(
        self, function: Callable[..., Any], calls: Mapping[Name, tuple[Any, ...]]
    ) -> Iterator[tuple[Name, dict[str, Any]]]:
        from distributed import wait

        left, lost, alone = dict(calls), Counter[Name](), 0.0
        waiting: dict[Any, Name] = {}
        try:
            while left or waiting:
                for name, given in left.items():
                    waiting[self._client.submit(function, *given, pure=False)] = name
                left = {}
                try:
                    with self._client.as_current():
                        wait(list(waiting), timeout=_LOOKS, return_when="FIRST_COMPLETED")
                except TimeoutError:
                    alone = 0.0 if self._has_workers() else alone + _LOOKS
                    if alone > _PATIENCE:
                        raise self._lost("has lost all its workers") from None
                except Exception:  # some are called off: with their workers, or with everything
                    self._has_workers()
                for future in [f for f in waiting if f.done()]:
                    name = waiting.pop(future)
                    result = self._result(future)
                    if result is None:
                        lost[name] += 1
                        if lost[name] <= _TRIES:
                            left[name] = calls[name]
                            continue
                        result = {"failed": _KILLED, "again": True}
                    yield name, result
        finally:
            with suppress(Exception):
                self._client.cancel(list(waiting), force=True)

    def _has_workers(self) -> bool:
        """Whether there are any now; ScneuroError if there is nobody to ask."""
        try:
            if self._client.status != "running":
                raise OSError
            return bool(self._client.nthreads())
        except Exception:
            raise self._lost("is gone") from None

    def _result(self, future: Any) -> dict[str, Any] | None:
        """What a job came to; None if it was lost on the way."""
        if future.status == "error":
            error = future.exception()
            killed = type(error).__name__ == "KilledWorker"
            return {"failed": _KILLED if killed else said(error), "again": True}
        try:
            found: dict[str, Any] = future.result()
            return found
        except Exception:
            self._has_workers()
            return None

    def _lost(self, how: str) -> ScneuroError:
        return ScneuroError(
            f"{self._name} {how}", "what was found is kept: the same command goes on from there"
        )


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Let an interruption wait for the end of the block, and never meet what is started in it.

    A terminal sends Ctrl-C to all processes; the workers are ended by this one, once it knows.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    known = [n for name in ("SIGINT", "SIGTERM", "SIGHUP") if (n := getattr(signal, name, None))]
    before = {n: handler for n in known if (handler := signal.getsignal(n)) is not None}
    for number in before:
        signal.signal(number, lambda number, _: came.append(number))
    mask: set[Any] | None = None
    if hasattr(signal, "pthread_sigmask"):  # what is started has the mask of who starts it
        from multiprocessing.resource_tracker import ensure_running

        ensure_running()  # it would let signals through when the first worker is started
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        if mask is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for number, handler in before.items():
            signal.signal(number, handler)
    for number in came[:1]:
        signal.raise_signal(number)


def _tools_of(pids: list[int]) -> list[Any]:
    """What workers are running in processes of their own."""
    import psutil  # dask's own dependency

    found: list[Any] = []
    for pid in pids:
        with suppress(psutil.Error):
            found += psutil.Process(pid).children(recursive=True)
    return found


def _end(processes: list[Any]) -> None:
    """End those that are left: nobody waits for them any more."""
    import psutil

    for process in processes:
        with suppress(psutil.Error):
            process.kill()
