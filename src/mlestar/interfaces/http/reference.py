"""The OpenAPI document as a page shows it: operations by tag, with fields and types in words."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]
LIMITS = {
    "minimum": "at least",
    "exclusiveMinimum": "above",
    "maximum": "at most",
    "maxLength": "at most this long:",
    "maxItems": "at most this many:",
    "pattern": "matches",
}


@dataclass(frozen=True, kw_only=True)
class Field:
    """A parameter, or a member of an object. `links` are the schemas its type names."""

    name: str
    type: str
    links: tuple[str, ...]
    required: bool
    says: str
    place: str = ""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One documented status."""

    status: str
    says: str
    type: str
    link: str


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One method of one path. `example` is JSON text."""

    id: str
    method: str
    path: str
    says: str
    parameters: tuple[Field, ...]
    body: str
    body_fields: tuple[Field, ...]
    example: str
    answers: tuple[Answer, ...]
    errors: tuple[Answer, ...]


@dataclass(frozen=True, kw_only=True)
class Named:
    """A schema with a name."""

    name: str
    says: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, kw_only=True)
class Reference:
    """The whole page. `statuses` are the errors, said once for all."""

    tags: Mapping[str, tuple[Operation, ...]]
    schemas: tuple[Named, ...]
    statuses: Mapping[str, str]


def reference_of(document: Schema) -> Reference:
    """The page of an OpenAPI 3.1 document."""
    schemas: Schema = document["components"]["schemas"]
    tags: dict[str, list[Operation]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            tags.setdefault(operation["tags"][0], []).append(_operation(method.upper(), path, operation, schemas))
    operations = [operation for group in tags.values() for operation in group]
    bodies = {operation.body for operation in operations}
    return Reference(
        tags={tag: tuple(group) for tag, group in tags.items()},
        schemas=tuple(
            Named(name=name, says=schema.get("description", ""), fields=_fields(schema))
            for name, schema in sorted(schemas.items())
            if name not in bodies and schema.get("properties")
        ),
        statuses=dict(sorted({error.status: error.says for one in operations for error in one.errors}.items())),
    )


def _operation(method: str, path: str, operation: Schema, schemas: Schema) -> Operation:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    body = next(iter(_links(content)), "")
    body_schema = schemas.get(body, {})
    example = next(iter(body_schema.get("examples", [])), None)
    answers = [_answer(status, answer) for status, answer in operation["responses"].items()]
    return Operation(
        id=operation["operationId"],
        method=method,
        path=path,
        says=operation.get("description", ""),
        parameters=tuple(_parameter(one) for one in operation.get("parameters", [])),
        body=body,
        body_fields=_fields(body_schema),
        example="" if example is None else json.dumps(example, indent=2, ensure_ascii=False),
        answers=tuple(answer for answer in answers if answer.status < "400"),
        errors=tuple(answer for answer in answers if answer.status >= "400"),
    )


def _answer(status: str, answer: Schema) -> Answer:
    media, content = next(iter(answer.get("content", {}).items()), ("", {}))
    link = next(iter(_links(content.get("schema", {}))), "")
    return Answer(status=status, says=answer.get("description", ""), type=media, link=link)


def _parameter(parameter: Schema) -> Field:
    schema = parameter["schema"]
    return Field(
        name=parameter["name"],
        type=type_of(schema),
        links=(),
        required=parameter.get("required", False),
        says=_says(schema | {"description": parameter.get("description", "")}),
        place=parameter["in"],
    )


def _fields(schema: Schema) -> tuple[Field, ...]:
    required = schema.get("required", [])
    return tuple(
        Field(name=name, type=type_of(one), links=_links(one), required=name in required, says=_says(one))
        for name, one in schema.get("properties", {}).items()
    )


def _links(schema: Schema) -> tuple[str, ...]:
    return tuple(dict.fromkeys(re.findall(r'"\$ref": "#/components/schemas/([^"]+)"', json.dumps(schema))))


def type_of(schema: Schema) -> str:  # noqa: PLR0911 - one return a kind of schema
    """A schema's type in words."""
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(type_of(one) for one in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(json.dumps(value) for value in schema["enum"])
    if "const" in schema:
        return json.dumps(schema["const"])
    match schema.get("type"):
        case "array":
            return f"list of {type_of(schema.get('items', {}))}"
        case "object" if isinstance(schema.get("additionalProperties"), Mapping):
            return f"object of {type_of(schema['additionalProperties'])}"
        case None:
            return "any JSON"
        case kind:
            return str(kind)


def _says(schema: Schema) -> str:
    inner = [schema, *schema.get("anyOf", [])]
    limits = [f"{words} {one[key]}" for one in inner for key, words in LIMITS.items() if key in one]
    default = schema.get("default")
    shown = [] if default in (None, "", {}, []) else [f"default {json.dumps(default)}"]
    return "; ".join(part for part in (str(schema.get("description", "")), *limits, *shown) if part)
