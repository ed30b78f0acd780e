"""Prints how the code is built, in figures (`make house`): sizes, names, imports, types, docstrings."""

import ast
import statistics
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ("models", "worker", "tasks", "migrations", "devstack")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One file: its dotted name, tree and number of lines."""

    name: str
    path: Path
    tree: ast.Module
    lines: int


@dataclass
class Report:
    """What is printed: a line for each figure, and the names behind those that should not be."""

    lines: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    def add(self, what: str, value: str, limit: str, *, within_limit: bool) -> None:
        """One figure and its limit."""
        self.lines.append(f"{'ok  ' if within_limit else 'MISS'}  {what:<46} {value:<22} {limit}")
        if not within_limit:
            self.missed.append(what)


def modules_of(*roots: str) -> list[Module]:
    """Every Python file below these folders, without what a build left there."""
    modules = []
    for root in roots:
        for path in sorted(set((ROOT / root).rglob("*.py")) - set((ROOT / root / "build").rglob("*.py"))):
            text = path.read_text()
            relative = path.relative_to(ROOT).with_suffix("")
            parts = relative.parts[:-1] if relative.name == "__init__" else relative.parts
            modules.append(Module(".".join(parts), path, ast.parse(text), len(text.splitlines())))
    return modules


def functions_of(module: Module) -> Iterator[Function]:
    """Its functions and methods, nested ones included."""
    return (node for node in ast.walk(module.tree) if isinstance(node, Function))


def variables_of(module: Module) -> Iterator[tuple[str, int]]:
    """Names of its variables and parameters, with their lines."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno


def is_annotated(function: Function) -> bool:
    """Whether every parameter (but self and cls) and the result has a type."""
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    extra = [each for each in (arguments.vararg, arguments.kwarg) if each is not None]
    untyped = [each for each in (*named, *extra) if each.annotation is None and each.arg not in {"self", "cls"}]
    return function.returns is not None and not untyped


def class_names(modules: list[Module]) -> dict[str, list[str]]:
    """Modules by the names of their public top-level classes."""
    names: dict[str, list[str]] = defaultdict(list)
    for module in modules:
        for node in module.tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                names[node.name].append(module.name)
    return names


def imports_of(module: Module, known: set[str]) -> set[str]:
    """The modules of ours that it imports anywhere, inside functions too, but not for types alone."""
    imports: set[str] = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                imports.add(inner if inner in known else node.module)
        elif isinstance(node, ast.Import):
            imports |= {alias.name for alias in node.names}
    return (imports & known) - {module.name}


def cycles_in(graph: dict[str, set[str]]) -> list[list[str]]:
    """Groups of modules that import one another (strongly connected components of more than one; Tarjan)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    groups: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for other in graph[name]:
            if other not in index:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], index[other])
        if low[name] == index[name]:
            group = stack[stack.index(name) :]
            del stack[stack.index(name) :]
            if len(group) > 1:
                groups.append(group)

    for name in graph:
        if name not in index:
            visit(name)
    return groups


def docstring_share(modules: list[Module]) -> float:
    """Share of public modules, classes, functions and methods that have a docstring."""
    counts: Counter[bool] = Counter()
    for module in modules:
        nodes: list[ast.AST] = [module.tree]
        for statement in module.tree.body:
            nodes.append(statement)
            nodes += statement.body if isinstance(statement, ast.ClassDef) else []
        for node in nodes:
            if isinstance(node, ast.Module) or (
                isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_")
            ):
                counts[ast.get_docstring(node) is not None] += 1
    return counts[True] / counts.total()


def spread(values: list[int]) -> tuple[int, int, int]:
    """Median, 90th percentile and maximum."""
    ranked = sorted(values)
    return round(statistics.median(ranked)), ranked[round(0.9 * (len(ranked) - 1))], ranked[-1]


def within(values: tuple[int, int, int], limits: tuple[int, int, int]) -> bool:
    """Whether each is at most its limit."""
    return all(value <= limit for value, limit in zip(values, limits, strict=True))


def report() -> Report:
    """Measure everything."""
    sources, tests = modules_of(*SOURCE), modules_of("tests", "benchmarks")
    result = Report()
    sizes = spread([module.lines for module in sources])
    result.add("lines of a module: median / p90 / max", " / ".join(map(str, sizes)), "68 / 155 / 297",
               within_limit=within(sizes, (68, 155, 297)))  # fmt: skip
    # Migrations are a list in the order of time.
    folders = Counter(module.path.parent for module in sources if not module.name.startswith("migrations."))
    ((fullest, count),) = folders.most_common(1)
    largest = f"{count} ({fullest.relative_to(ROOT)})"
    result.add("modules of one folder, at most", largest, "≤ 32", within_limit=count <= 32)
    lengths = spread([(f.end_lineno or f.lineno) - f.lineno + 1 for m in sources for f in functions_of(m)])
    result.add("lines of a function: median / p90 / max", " / ".join(map(str, lengths)), "6 / 18 / 44",
               within_limit=within(lengths, (6, 18, 44)))  # fmt: skip
    names = class_names(sources)
    several = sorted(name for name, places in names.items() if len(places) > 1)
    share = len(several) / len(names)
    result.add("class names with several meanings", f"{share:.1%} ({', '.join(several) or 'none'})", "≤ 2 %",
               within_limit=share <= 0.02)  # fmt: skip
    known = {module.name for module in sources}
    graph = {module.name: imports_of(module, known) for module in sources}
    importers = Counter(name for imported in graph.values() for name in imported)
    single = sum(1 for name in importers if importers[name] == 1) / len(known)
    result.add("modules with exactly one importer", f"{single:.0%}", "≤ 35 %", within_limit=single <= 0.35)
    cycles = cycles_in(graph)
    result.add("import cycles, those inside functions included", str(len(cycles)), "0", within_limit=not cycles)
    for what, modules in (("source", sources), ("tests and benchmarks", tests)):
        bare = sum(1 for module in modules for function in functions_of(module) if not is_annotated(function))
        result.add(f"functions without all types, {what}", str(bare), "0", within_limit=bare == 0)
    documented = docstring_share(sources)
    result.add("public names with a docstring", f"{documented:.1%}", "≥ 95 %", within_limit=documented >= 0.95)
    return result


if __name__ == "__main__":
    measured = report()
    print("\n".join(measured.lines))  # noqa: T201 - its output is the report
    sys.exit(1 if measured.missed else 0)
