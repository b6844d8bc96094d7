"""The API reference: the OpenAPI document, and the page that is made of it."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mlestar.interfaces.http.examples import EXAMPLES
from mlestar.interfaces.http.reference import type_of
from support.browser import chromium, complaints, grave_violations
from support.rest import running_server

if TYPE_CHECKING:
    from collections.abc import Generator

    from support.rest import Rest

GUIDE = (Path(__file__).parents[2] / "data" / "integration-guide.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```http\nPOST (\S+)\n(\{.*?)```", GUIDE, re.DOTALL)
ERRORS = ("401", "403", "421", "422", "429", "503")


@pytest.fixture(scope="module")
def rest(tmp_path_factory: pytest.TempPathFactory) -> Generator[Rest]:
    with running_server(tmp_path_factory.mktemp("docs")) as server:
        yield server


@pytest.fixture(scope="module")
def document(rest: Rest) -> Any:
    return rest.get("/openapi.json").json


class Parsed(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def operations(document: Any) -> list[tuple[str, str, Any]]:
    return [(m.upper(), path, one) for path, methods in document["paths"].items() for m, one in methods.items()]


def test_the_page_shows_every_operation_and_needs_neither_network_nor_script(rest: Rest, document: Any) -> None:
    answer = rest.get("/docs")
    assert answer.status == 200
    page = Parsed(answer.text)
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {one["operationId"] for _, _, one in operations(document)} <= set(ids)
    assert not [tag for tag, attributes in page.tags if tag == "script" or "style" in attributes]
    addresses = [str(a.get(key)) for _, a in page.tags for key in ("href", "src") if a.get(key)]
    assert not [address for address in addresses if not address.startswith(("/", "#"))]
    assert {address[1:] for address in addresses if address.startswith("#")} <= set(ids)


def test_the_examples_are_those_of_the_guide_and_stand_on_the_page(rest: Rest, document: Any) -> None:
    page = rest.get("/docs").text.replace("&#34;", '"')
    assert len(BLOCKS) == len(EXAMPLES) == 10
    for path, text in BLOCKS:
        body = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
        schema = document["components"]["schemas"][body["$ref"].rpartition("/")[2]]
        assert schema["examples"] == [json.loads(text)]
        assert json.dumps(schema["examples"][0], indent=2) in page


def test_every_operation_documents_its_errors_in_the_one_form(document: Any) -> None:
    for method, path, operation in operations(document):
        assert set(ERRORS) <= set(operation["responses"]), (method, path)
        for status, answer in operation["responses"].items():
            if status >= "400":
                schema = answer["content"]["application/json"]["schema"]
                assert schema["$ref"].endswith("/Problem"), (method, path, status)
        if "requestBody" in operation:
            assert {"400", "413", "415"} <= set(operation["responses"]), (method, path)


def test_every_operation_says_what_it_answers(document: Any) -> None:
    bare = [
        path
        for _, path, operation in operations(document)
        if not next(iter(operation["responses"]["200"]["content"].values()))["schema"]
    ]
    assert bare == []
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(ids) == len(set(ids))


TYPES: dict[str, tuple[dict[str, Any], str]] = {
    "a schema": ({"$ref": "#/components/schemas/Run"}, "Run"),
    "one of two": ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "integer or null"),
    "a list": ({"type": "array", "items": {"$ref": "#/components/schemas/Run"}}, "list of Run"),
    "an object of numbers": ({"type": "object", "additionalProperties": {"type": "number"}}, "object of number"),
    "a free object": ({"type": "object", "additionalProperties": True}, "object"),
    "one of these words": ({"enum": ["a", "b"], "type": "string"}, '"a" | "b"'),
    "anything": ({"title": "Content"}, "any JSON"),
}


@pytest.mark.parametrize("case", TYPES)
def test_a_type_in_words(case: str) -> None:
    schema, expected = TYPES[case]
    assert type_of(schema) == expected


def test_the_page_is_fit_for_screen_readers_and_narrow_screens(rest: Rest) -> None:
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 390, "height": 800})
        said = complaints(page)
        page.goto(f"{rest.url}/docs")
        assert grave_violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        assert said == []
