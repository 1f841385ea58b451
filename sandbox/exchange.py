"""From a request to its answer: finds the route, writes the log, lets the fault of the moment have its way."""

import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sandbox.errors import refusal
from sandbox.faults import AFTER, BEFORE, Fault, Faults, Hangs
from sandbox.log import Entry, Log
from sandbox.messages import Answer, Request

type Handler = Callable[[Request, dict[str, str]], Answer]


@dataclass(frozen=True)
class Route:
    method: str
    pattern: re.Pattern[str]
    action: str
    handler: Handler
    logged: bool = False


def route(method: str, path: str, action: str, handler: Handler, *, logged: bool = False) -> Route:
    """`{name}` in a path stands for one segment."""
    pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path.replace(".", r"\."))
    return Route(method, re.compile(pattern), action, handler, logged)


class Exchange:
    def __init__(self, routes: Sequence[Route], faults: Faults, hangs: Hangs, log: Log) -> None:
        self._routes = routes
        self._faults = faults
        self._hangs = hangs
        self._log = log
        self.stopping = threading.Event()

    def answer(self, request: Request) -> tuple[Answer, Entry | None]:
        path = request.path.partition("?")[0]
        fitting = [(each, found) for each in self._routes if (found := each.pattern.fullmatch(path))]
        for each, found in fitting:
            if each.method == request.method:
                return self._through(each, request, found.groupdict())
        if fitting:
            return refusal(request, "MethodNotAllowed", "Method not allowed.", 405), None
        return refusal(request, "BadRequest", "Resource not found for the segment."), None

    def _through(self, chosen: Route, request: Request, names: dict[str, str]) -> tuple[Answer, Entry | None]:
        call_id = names.get("call_id")
        entry = self._log.arrive(request, chosen.action, call_id) if chosen.logged else None
        fault = self._faults.take(chosen.action, request.method, call_id, operations=False)
        answer = self._perform(chosen, request, names, fault, entry)
        if entry:
            entry.answered = None if answer.cut == "closed" else answer.status
            entry.cut = answer.cut
        return answer, entry

    def _perform(
        self, chosen: Route, request: Request, names: dict[str, str], fault: Fault | None, entry: Entry | None
    ) -> Answer:
        if fault and fault.when == BEFORE:
            early = self._suffer(fault, request, None)
            if early:
                return early
        answer = chosen.handler(request, names)
        if entry:
            entry.acted = answer.acted
        if fault and fault.when == AFTER:
            return self._suffer(fault, request, answer) or answer
        return answer

    def _suffer(self, fault: Fault, request: Request, answer: Answer | None) -> Answer | None:
        """What the fault makes of an answer; None where it only cost time."""
        match fault.do:
            case "error":
                return fault.error(request)
            case "garbage":
                return fault.garbage()
            case "close":
                return Answer(0, cut="closed")
            case "half" | "drip" if answer:
                return replace(answer, cut=fault.do, pace=fault.seconds)
            case "clock" if answer:
                return replace(answer, clock=fault.seconds)
            case "hang":
                self._hangs.hold(request)
            case "delay":
                self.stopping.wait(fault.seconds)
        return None
