from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

import mlestar
from mlestar.settings import Settings

ROOT = Path(__file__).parent.parent
MANIFEST = json.loads((ROOT / "server.json").read_text(encoding="utf-8"))


def test_server_json_is_valid_against_the_registry_s_schema() -> None:
    schema = json.loads((ROOT / "tests" / "data" / "server.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft7Validator(schema).validate(MANIFEST)


def test_every_stated_version_is_the_package_s() -> None:
    stated = {MANIFEST["version"], *(package["version"] for package in MANIFEST["packages"])}
    assert stated == {mlestar.__version__}


def test_the_readme_carries_the_registry_name() -> None:
    assert f"mcp-name: {MANIFEST['name']}" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("package", MANIFEST["packages"], ids=lambda package: package["transport"]["type"])
def test_every_stated_variable_is_a_setting(package: dict[str, list[dict[str, str]]]) -> None:
    known = {f"MLESTAR_{name.upper()}" for name in Settings.model_fields}
    assert {variable["name"] for variable in package.get("environmentVariables", [])} <= known
