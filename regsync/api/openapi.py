"""The OpenAPI document of what can be asked, made of the operations that the routes have: it has no path of its own."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from regsync import __version__
from regsync.api.schemas import SCHEMAS
from regsync.web.operation import Answer, Operation, Parameter
from regsync.web.route import Route

_Part = dict[str, Any]
_PATTERN: Final = re.compile(r"\{(\w+):[^}]*\}")
_SCHEME: Final = "bearer"
_ABOUT: Final = "How fresh mirrors are, what was copied and what failed. docs/reference/api.md says it in words."


def document(routes: Iterable[Route]) -> _Part:
    """Return the document of those routes that have an operation."""
    paths: dict[str, _Part] = {}
    secured = False
    for route in routes:
        if route.operation is not None:
            path = paths.setdefault(_PATTERN.sub(r"{\1}", route.path), {})
            path[route.method.lower()] = _operation(route.operation)
            secured |= route.operation.secured
    schemes = {"securitySchemes": {_SCHEME: {"type": "http", "scheme": "bearer"}}} if secured else {}
    return {
        "openapi": "3.1.0",
        "info": {"title": "regsync", "version": __version__, "description": _ABOUT},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"schemas": SCHEMAS, **schemes},
    }


def _operation(operation: Operation) -> _Part:
    return {
        "operationId": operation.name,
        "summary": operation.summary,
        **({"parameters": [_parameter(one) for one in operation.parameters]} if operation.parameters else {}),
        "responses": {f"{status}": _answer(answer) for status, answer in sorted(operation.answers.items())},
        **({"security": [{_SCHEME: []}]} if operation.secured else {}),
    }


def _parameter(parameter: Parameter) -> _Part:
    return {
        "name": parameter.name,
        "in": parameter.where,
        "required": parameter.where == "path",
        "description": parameter.text,
        "schema": parameter.schema,
        "example": parameter.example,
    }


def _answer(answer: Answer) -> _Part:
    return {"description": answer.text, "content": {answer.kind: {"schema": answer.schema}}}
