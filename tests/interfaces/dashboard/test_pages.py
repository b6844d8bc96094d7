from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING

import pytest

from mlestar.interfaces.access import digest
from support.rest import running_server

if TYPE_CHECKING:
    from collections.abc import Generator

    from support.rest import Rest

GRANTS = [{"name": "team", "sha256": digest("team-token"), "workspaces": ["team"]}]
ROOT = {"Authorization": "Bearer root-token"}
TEAM = {"Authorization": "Bearer team-token"}
PAGES = ("/", "/findings", "/checks/T1.3", "/windows", "/windows/1", "/thinking", "/runs", "/models")


@pytest.fixture(scope="module")
def rest(tmp_path_factory: pytest.TempPathFactory) -> Generator[Rest]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "MLESTAR_TOKENS", json.dumps(GRANTS))
        with running_server(tmp_path_factory.mktemp("pages"), "--token", "root-token") as server:
            yield server


@pytest.mark.parametrize("path", PAGES)
def test_an_empty_workspace_has_every_page(rest: Rest, path: str) -> None:
    answer = rest.get(path, **ROOT)
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.text.count("<h1") == 1


def test_a_page_offers_the_workspaces_that_the_caller_may_open(rest: Rest) -> None:
    for name in ("team", "secret"):
        body = {"windowId": 1, "content": "a goal", "workspace": name}
        assert rest.post("/api/mle-star/context7/update", body, **ROOT).status == 200
    everything, own = rest.get("/", **ROOT).text, rest.get("/windows?workspace=team", **TEAM).text
    assert '<a href="/?workspace=team">team</a>' in everything
    assert '<option value="secret">' in everything
    assert '<option value="team">' in own
    assert "secret" not in own


@pytest.mark.parametrize("path", PAGES)
def test_nothing_on_a_page_is_inline_or_from_elsewhere(rest: Rest, path: str) -> None:
    text = rest.get(path, **ROOT).text
    assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=|(?:src|href)=\"(?:https?:)?//", text)
    for address in re.findall(r"(?:src|href)=\"(/static/[^\"]+)\"", text):
        asset = rest.get(address, **ROOT)
        assert asset.status == 200
        assert "immutable" in asset.headers["cache-control"]


REFUSED = {
    "a window that is none": ("/windows/8", 404, "1, 2, 3"),
    "a window that is no number": ("/windows/%3Cscript%3E", 404, "&lt;script&gt;"),
    "a check that is none": ("/checks/T9.9", 404, "name one of these"),
    "a run that is none": ("/runs/run-x", 404, "run-x"),
    "a session that is none": ("/thinking/s-x", 404, "s-x"),
    "a workspace that cannot be": ("/?workspace=a%2Fb", 422, "churn-model"),
    "an outcome that is none": ("/findings?outcome=great", 422, "not_applicable"),
    "an offset that is no number": ("/findings?offset=-1", 422, "offset"),
    "an offset beyond all numbers": ("/findings?offset=99999999999999999999", 422, "offset"),
    "a path that climbs": ("/static/..%2F..%2Fpage.py", 404, ""),
    "SQL in every field": ("/findings?dimension=%27%20OR%201%3D1--", 422, "scoping"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_wrong_address_says_what_is_valid(rest: Rest, case: str) -> None:
    path, status, says = REFUSED[case]
    answer = rest.get(path, **ROOT)
    assert answer.status == status, answer.text
    assert says in answer.text
    assert "Traceback" not in answer.text


def test_an_offset_past_the_end_is_an_empty_page(rest: Rest) -> None:
    assert "Nothing here" in rest.get("/findings?offset=500", **ROOT).text
    assert "Nothing here" in rest.get("/findings?offset=500&show=all", **ROOT).text


def test_a_token_opens_the_pages_of_its_workspace_only(rest: Rest) -> None:
    assert rest.get("/findings?workspace=team", **TEAM).status == 200
    assert rest.get("/findings", **TEAM).status == 403
    assert rest.get("/findings").status == 401


def test_pages_only_answer_reads(rest: Rest) -> None:
    assert rest.post("/findings", {}, **ROOT).status == 405
