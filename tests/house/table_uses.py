"""Which tables a Python module uses: by name in its SQL, and by the classes of `models` in its statements."""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple


class TableUse(NamedTuple):
    """One place of a module; `writes`: inserts, updates or deletes rows."""

    line: int
    table: str
    writes: bool


class _Selection:
    """What is known of one level of parentheses: whether the next word is a table, and whether a comma begins one."""

    def __init__(self) -> None:
        self.in_list = False
        self.expects_name = False


_TOKEN = re.compile(r"(?:(?!\d)\w)[\w.]*|[(),;]")
# Not code: comments, and values in quotes.
_BLANKED = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'", re.DOTALL)
_COMMON_TABLE = re.compile(
    r"(\w+)\s*(?:\([^()]*\)\s*)?\bAS\s+(?:(?:NOT\s+)?MATERIALIZED\s*)?\(\s*(?:SELECT|WITH|VALUES|INSERT|UPDATE|DELETE)",
    re.IGNORECASE,
)
_BEGINS_NAME = {"FROM", "JOIN", "INTO", "UPDATE", "USING", "TRUNCATE", "LOCK"}
_BEFORE_NAME = {"ONLY", "LATERAL", "TABLE"}
_ENDS_LIST = {"WHERE", "SET", "SELECT", "RETURNING", "GROUP", "ORDER", "HAVING", "LIMIT", "UNION", "VALUES", "FOR"}
_WRITES = {"INTO", "UPDATE", "TRUNCATE", "DELETE"}


def tables_in_sql(sql: str) -> Iterator[TableUse]:
    """The names in the place of a table, in one statement or a part of one; names of common table expressions excepted.

    `line` counts from 0. Also yields what only looks like a table (`extract(epoch FROM x)`).
    """
    code = _BLANKED.sub(lambda match: "\n" * match[0].count("\n"), sql)
    common = {match[1].lower() for match in _COMMON_TABLE.finditer(code)}
    levels = [_Selection()]
    before = verb = ""
    for token in _TOKEN.finditer(code):
        word = token[0].upper()
        level = levels[-1]
        if word == "(":
            level.expects_name = False
            levels.append(_Selection())
        elif word == ")":
            levels = levels[:-1] or [_Selection()]
        elif word == ",":
            level.expects_name = level.in_list
        elif word in _BEGINS_NAME:
            verb = "DELETE" if before == "DELETE" else word
            level.in_list = level.expects_name = True
        elif word in _ENDS_LIST:
            level.in_list = level.expects_name = False
        elif word not in _BEFORE_NAME and level.expects_name:
            level.expects_name = False
            name = token[0].split(".")[-1].lower()
            if name not in common:
                yield TableUse(code.count("\n", 0, token.start()), name, verb in _WRITES)
            verb = ""
        before = word


def table_uses(path: Path, classes: Mapping[tuple[str, str], str]) -> list[TableUse]:
    """Each use of a table in a module; `classes`: the tables by the module and name of their class in `models`."""
    tree = ast.parse(path.read_text())
    in_sql = {
        TableUse(line + use.line, use.table, use.writes) for line, text in _texts(tree) for use in tables_in_sql(text)
    }
    return sorted(in_sql | set(_classes_used(tree, classes)))


def mapped_classes(models: Path) -> dict[tuple[str, str], str]:
    """The tables by the module and name of their class."""
    tables = {}
    for path in models.glob("*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef):
                for part in node.body:
                    if isinstance(part, ast.Assign) and ast.unparse(part.targets[0]) == "__tablename__":
                        tables[f"models.{path.stem}", node.name] = ast.literal_eval(part.value)
    return tables


def _texts(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Lines and texts of all strings but docstrings; a value that an f-string inserts is a question mark."""
    nested = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in ast.walk(node)
        if part is not node
    }
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    left_out = nested | docstrings
    for node in ast.walk(tree):
        if id(node) in left_out:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value
        elif isinstance(node, ast.JoinedStr):
            yield (
                node.lineno,
                "".join(str(part.value) if isinstance(part, ast.Constant) else "?" for part in node.values),
            )


def _classes_used(tree: ast.Module, classes: Mapping[tuple[str, str], str]) -> Iterator[TableUse]:
    """Uses of mapped classes but in annotations: the row that a function of the owner returns may be named."""
    tables = {
        name.asname or name.name: classes[node.module, name.name]
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module is not None
        for name in node.names
        if (node.module, name.name) in classes
    }
    annotations = {id(part) for annotation in _annotations(tree) for part in ast.walk(annotation)}
    written = {id(node) for call in ast.walk(tree) if isinstance(call, ast.Call) for node in _written(call)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in tables and id(node) not in annotations:
            yield TableUse(node.lineno, tables[node.id], id(node) in written)


def _annotations(tree: ast.Module) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns is not None:
            yield node.returns
        elif isinstance(node, ast.arg | ast.AnnAssign) and node.annotation is not None:
            yield node.annotation
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "cast":
            yield node.args[0]


def _written(call: ast.Call) -> Iterator[ast.expr]:
    """`insert(Row)`, `update(Row)` and `delete(Row)` write; `Row(…)` makes a row to be added."""
    yield call.func
    if isinstance(call.func, ast.Name) and call.func.id in {"insert", "update", "delete"}:
        yield from call.args
