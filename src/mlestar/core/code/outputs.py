"""What code leaves behind, and whether a second run of it leaves the same: by syntax tree, SQL text and dbt models."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlestar.core.facts.source import SourceModule

_TO_FILE = frozenset(
    """
    to_csv to_json to_parquet to_feather to_pickle to_excel to_hdf to_orc write_csv write_parquet write_json write_ipc
    save savez savetxt dump save_model save_pretrained write_text write_bytes sink_parquet
    """.split()  # noqa: SIM905 - a list of names reads better than a wall of quotes
)
_TO_STORE = frozenset(
    {"put_object", "upload_file", "upload_fileobj", "upload_blob", "upload_from_filename", "upload_from_string"}
)
_ADDS = frozenset(
    {"insert_one", "insert_many", "insert_rows", "insert_rows_json", "bulk_insert_mappings", "append_rows"}
)
_KEYED = frozenset(
    {"upsert", "bulk_upsert", "on_conflict_do_update", "on_conflict_do_nothing", "replace_one", "whenMatchedUpdateAll"}
)
_EACH_TIME = frozenset({"now", "utcnow", "time", "time_ns", "uuid1", "uuid4", "token_hex"})
_COMMON = frozenset({"save", "dump", "save_model"})
"""Names that many objects have: they count only when a path or a file is handed to them."""
_BY_CLOCK = re.compile(r"%[HIMSfsXcT]")
_LOG = re.compile(r"\blog|\.log\b|history", re.IGNORECASE)
_INSERT = re.compile(r"\binsert\s+into\s+(?:table\s+)?([\w.\"`\[\]]+)", re.IGNORECASE)
_KEYED_SQL = re.compile(
    r"\bon\s+conflict\b|\bon\s+duplicate\s+key\b|\bmerge\s+into\b|\binsert\s+or\s+(?:replace|ignore)\b|"
    r"\binsert\s+overwrite\b|\breplace\s+into\b|\bwhere\s+not\s+exists\b|\bcreate\s+or\s+replace\s+table\b",
    re.IGNORECASE,
)
_EMPTIES = r"\b(?:delete\s+from|truncate(?:\s+table)?|drop\s+table(?:\s+if\s+exists)?)\s+[\"`\[]?"
_DBT = re.compile(r"\{\{\s*config\((.*?)\)\s*\}\}", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Output:
    """One place that writes results.

    Attributes:
        repeatable: A second run leaves what one run would have left.
        how: In words, e.g. "to_csv adds to the file".
    """

    path: str
    line: int
    repeatable: bool
    how: str


def outputs_of(module: SourceModule) -> list[Output]:
    """Every write of a module that its syntax tree shows, by line."""
    if module.tree is None:
        return []
    reader = _Reader(module)
    return sorted(reader.read(), key=lambda output: output.line)


def outputs_of_sql(path: str, text: str) -> list[Output]:
    """The inserts of an SQL file, and how a dbt model is materialised."""
    found = [
        Output(path=path, line=text.count("\n", 0, match.start()) + 1, repeatable=ok, how=how)
        for match, ok, how in _inserts(text, text)
    ]
    config = _DBT.search(text)
    if config and "incremental" in config[1]:
        keyed = bool(re.search(r"unique_key|insert_overwrite|microbatch", config[1]))
        how = "an incremental dbt model " + ("with a key" if keyed else "without unique_key")
        found.append(Output(path=path, line=text.count("\n", 0, config.start()) + 1, repeatable=keyed, how=how))
    if not found and (keyed_sql := _KEYED_SQL.search(text)):
        line = text.count("\n", 0, keyed_sql.start()) + 1
        found.append(Output(path=path, line=line, repeatable=True, how="SQL that replaces or merges"))
    return found


def _inserts(text: str, around: str) -> Iterator[tuple[re.Match[str], bool, str]]:
    """Each `INSERT INTO` with whether the statement or its surroundings make it repeatable."""
    for match in _INSERT.finditer(text):
        table = match[1].strip('"`[]')
        statement = text[match.start() :].partition(";")[0]
        keyed = bool(_KEYED_SQL.search(statement))
        emptied = bool(re.search(_EMPTIES + re.escape(table), around, re.IGNORECASE))
        how = "has a conflict rule" if keyed else "after a delete" if emptied else "adds rows"
        yield match, keyed or emptied, f"INSERT INTO {table} {how}"


class _Reader:
    """One module's writes."""

    def __init__(self, module: SourceModule) -> None:
        self.path = module.path
        self.nodes = module.nodes
        documentation = {id(node.value) for node in self.nodes if isinstance(node, ast.Expr)}
        self.strings = [
            node
            for node in self.nodes
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation
        ]
        self.sql = "\n".join(str(node.value) for node in self.strings)
        self.assigned = {
            target.id: node.value
            for node in self.nodes
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }

    def read(self) -> Iterator[Output]:
        for node in self.nodes:
            if isinstance(node, ast.Call) and (found := self._call(node)) is not None:
                yield Output(path=self.path, line=node.lineno, repeatable=found[0], how=found[1])
        for node in self.strings:
            for _, repeatable, how in _inserts(str(node.value), self.sql):
                yield Output(path=self.path, line=node.lineno, repeatable=repeatable, how=how)

    def _call(self, call: ast.Call) -> tuple[bool, str] | None:
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        keywords = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
        if name in _KEYED or "idempotency_key" in keywords:
            return True, f"{name} by key"
        if name in _ADDS:
            return False, f"{name} adds rows"
        if name in _TO_STORE:
            return self._to_file(name, [*call.args, *keywords.values()])
        return self._with_mode(call, name, keywords)

    def _with_mode(
        self, call: ast.Call, name: str, keywords: dict[str, ast.expr]
    ) -> tuple[bool, str] | None:  # one answer a kind of write
        words = {key: str(value.value) for key, value in keywords.items() if isinstance(value, ast.Constant)}
        first = str(call.args[0].value) if call.args and isinstance(call.args[0], ast.Constant) else ""
        if name in {"to_sql", "to_gbq"}:
            return self._to_table(call, name, words.get("if_exists", "fail"))
        if name in {"mode", "saveAsTable", "insertInto", "save", "parquet"} and _is_spark(call):
            mode = first if name == "mode" else words.get("mode", "")
            mode = "overwrite" if words.get("overwrite") == "True" else mode
            known = {"append": False, "overwrite": True}
            return (known[mode], f"Spark write in mode {mode}") if mode in known else None
        if name == "open":
            return self._opened(call, words)
        if name in _TO_FILE:
            target = [
                *call.args[: 2 if name == "dump" else 1],
                *(v for k, v in keywords.items() if "path" in k or k == "f"),
            ]
            if name in {"write_text", "write_bytes"} and isinstance(call.func, ast.Attribute):
                target = [call.func.value]
            if words.get("mode") in {"a", "ab", "at"} and not any(map(self._is_log, target)):
                return False, f"{name} adds to the file"
            return self._to_file(name, target) if target and not self._is_passed_on(name, target) else None
        return None

    def _is_passed_on(self, name: str, target: list[ast.expr]) -> bool:
        """A method that many objects have, called with nothing that looks like a place."""
        return name in _COMMON and not any(
            re.search(r"path|file|dir|\.\w{2,8}['\"]|/|open", ast.unparse(part), re.IGNORECASE) for part in target
        )

    def _to_table(self, call: ast.Call, name: str, if_exists: str) -> tuple[bool, str]:
        table = str(call.args[0].value) if call.args and isinstance(call.args[0], ast.Constant) else ""
        emptied = bool(table and re.search(_EMPTIES + re.escape(table), self.sql, re.IGNORECASE))
        if if_exists == "replace" or emptied:
            return True, f"{name} replaces" if if_exists == "replace" else f"{name} after a delete"
        return False, f"{name} adds rows" if if_exists == "append" else f"{name} fails when the table is there"

    def _opened(self, call: ast.Call, words: dict[str, str]) -> tuple[bool, str] | None:
        is_method = isinstance(call.func, ast.Attribute) and not _is_module(call.func.value)
        place: list[ast.expr] = (
            [call.func.value] if is_method and isinstance(call.func, ast.Attribute) else call.args[:1]
        )
        rest = call.args if is_method else call.args[1:]
        given = str(rest[0].value) if rest and isinstance(rest[0], ast.Constant) else ""
        mode = words.get("mode", given)
        if not re.fullmatch(r"[awx]\+?[bt]?\+?|[bt][awx]", mode) or any(map(self._is_log, place)):
            return None
        return (False, "open adds to the file") if "a" in mode else self._to_file("open", place)

    def _to_file(self, name: str, target: list[ast.expr]) -> tuple[bool, str]:
        if any(map(self._is_new_each_time, target)):
            return False, f"{name} makes a new name each time"
        return True, f"{name} replaces"

    def _is_log(self, place: ast.expr) -> bool:
        return bool(_LOG.search(ast.unparse(self._resolved(place))) or _LOG.search(ast.unparse(place)))

    def _resolved(self, place: ast.expr) -> ast.expr:
        return self.assigned.get(place.id, place) if isinstance(place, ast.Name) else place

    def _is_new_each_time(self, place: ast.expr) -> bool:
        """Whether a name is made of the moment or of chance; the date alone is the same for a second run that day."""
        pending, seen = [place], set[str]()
        while pending:
            part = pending.pop()
            text = ast.unparse(part)
            formats = "strftime(" in text or (isinstance(part, ast.JoinedStr) and "%" in text)
            if ".date()" in text or (formats and not _BY_CLOCK.search(text)):
                continue
            for node in ast.walk(part):
                if isinstance(node, ast.Call) and _last_name(node.func) in _EACH_TIME:
                    return True
                if isinstance(node, ast.Name) and node.id in self.assigned and node.id not in seen:
                    seen.add(node.id)
                    pending.append(self.assigned[node.id])
        return False


def _is_spark(call: ast.Call) -> bool:
    return ".write" in ast.unparse(call.func)


def _is_module(value: ast.expr) -> bool:
    return isinstance(value, ast.Name) and value.id in {
        "io",
        "gzip",
        "bz2",
        "lzma",
        "codecs",
        "os",
        "fsspec",
        "smart_open",
    }


def _last_name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
