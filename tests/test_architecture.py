"""The code keeps to the floors, the sizes and the words that ARCHITECTURE.md and ruff.toml describe."""

import ast
import re
from collections import defaultdict
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGE = REPOSITORY / "pix2seq_keras"
MAX_LINES = 350
WORDS = re.compile(r"\b(told|tells|readings?|pictures?)\b", re.IGNORECASE)
# Where these words are right: file -> the phrases that may hold them.
WORD_EXCEPTIONS = {
    "CHANGELOG.md": ("`--readings 16`", "`detect(…, readings=8, mirror=True)`"),  # old names
    "pix2seq_keras/exporting/description.py": ('"readings"',),  # a field of format 1
    "pix2seq_keras/data/sources/voc/layout.py": ('"pictures"',),  # a folder's name in some data sets
}


def table(heading):
    """The rows of the table under a heading of ARCHITECTURE.md, each a list of its cells."""
    text = (REPOSITORY / "ARCHITECTURE.md").read_text(encoding="utf-8")
    section = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    assert len(rows) > 2, f"ARCHITECTURE.md has no table under '## {heading}'"
    return [[cell.strip() for cell in row] for row in rows[2:]]


def quoted(cell):
    """What stands between backticks."""
    return re.findall(r"`([^`]+)`", cell)


def python_files(*folders):
    return sorted(path for folder in folders for path in (REPOSITORY / folder).rglob("*.py"))


def parsed(path):
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def module_name(path):
    parts = path.relative_to(REPOSITORY).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room(module):
    """The folder or file of `pix2seq_keras` that a module belongs to."""
    return (module.split(".") + ["__init__"])[1]


@pytest.fixture(scope="module")
def trees():
    """The syntax tree of every module of the package."""
    return {module_name(path): parsed(path) for path in python_files("pix2seq_keras")}


@pytest.fixture(scope="module")
def imports(trees):
    """Module -> the modules of the package that it imports or names in a string, anywhere in the file."""
    exports = {}  # (package, name) -> the module that defines the name
    for package, tree in trees.items():
        for call in [node for node in ast.walk(tree) if isinstance(node, ast.Call)]:
            if ast.unparse(call.func) == "lazy_exports" and isinstance(call.args[1], ast.Dict):
                for module, names in ast.literal_eval(call.args[1]).items():
                    exports |= {(package, name): module for name in names or [module.rpartition(".")[2]]}

    def target(package, name):
        whole = f"{package}.{name}"
        return exports.get((package, name)) or (whole if whole in trees else package)

    graph = {}
    for module, tree in trees.items():
        graph[module] = set()
        for node in _executed_nodes(tree):
            if isinstance(node, ast.Import):
                graph[module] |= {alias.name for alias in node.names if alias.name in trees}
            elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "pix2seq_keras":
                graph[module] |= {target(node.module, alias.name) for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{module} has a relative import"
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):  # "module" or "module:name"
                graph[module] |= {node.value.partition(":")[0]} & trees.keys() - {"pix2seq_keras"}
    for file, upper, _ in table("Imports inside functions"):
        module = module_name(PACKAGE / quoted(file)[0])
        late = {imported for imported in graph[module] if room(imported) in quoted(upper)}
        assert set(map(room, late)) == set(quoted(upper)), f"ARCHITECTURE.md: {module} does not import all of {upper}"
        assert not late & _imported_at_the_top(trees[module]), f"{module} imports {upper} at the top of the file"
        graph[module] -= late
    return graph


def _imported_at_the_top(tree):
    return {node.module for node in tree.body if isinstance(node, ast.ImportFrom)}


def _executed_nodes(tree):
    """The nodes of a tree, without imports that only editors see and without the tables of lazy exports."""
    for node in ast.iter_child_nodes(tree):
        only_for_editors = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        if not only_for_editors and not (isinstance(node, ast.Call) and ast.unparse(node.func) == "lazy_exports"):
            yield node
            yield from _executed_nodes(node)


def test_every_room_imports_only_from_below(imports):
    order = [name for row in reversed(table("Floors")) for name in quoted(row[1])]
    rooms = defaultdict(lambda: defaultdict(list))
    for module, imported in imports.items():
        for other in imported:
            if room(other) != room(module):
                rooms[room(module)][room(other)].append(f"{module} imports {other}")
    for name in reversed(order):
        if name in rooms:
            print(f"{name:16} -> {', '.join(sorted(rooms[name], key=order.index))}")
    existing = {room(module) for module in imports}
    assert existing == set(order), (
        f"not in ARCHITECTURE.md: {existing.difference(order)}, gone: {set(order) - existing}"
    )
    upward = [
        line
        for name, below in rooms.items()
        for other, lines in below.items()
        if order.index(other) > order.index(name)
        for line in lines
    ]
    assert not upward, "imports from a higher floor:\n" + "\n".join(sorted(upward))


def test_no_imports_form_a_circle(imports):
    graph = {module: {other for other in imported if other != module} for module, imported in imports.items()}
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail("a circle: " + " <- ".join(error.args[1]))


def test_no_file_is_longer_than_350_lines():
    folders = ("pix2seq_keras", "tests", "export", "docs", "benchmarks")
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in python_files(*folders)}
    assert not {str(path.relative_to(REPOSITORY)): n for path, n in lengths.items() if n > MAX_LINES}


def test_type_hints_stand_only_in_commands_and_in_the_fields_of_dataclasses(trees):
    wrong = []
    for module, tree in trees.items():
        if room(module) == "commands":
            continue
        fields = {
            id(statement)
            for node in ast.walk(tree)
            if isinstance(node, ast.ClassDef)
            and (
                "dataclass" in "".join(map(ast.unparse, node.decorator_list))
                or "NamedTuple" in map(ast.unparse, node.bases)
            )
            for statement in node.body
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                arguments = node.args
                every = [
                    *arguments.posonlyargs,
                    *arguments.args,
                    *arguments.kwonlyargs,
                    arguments.vararg,
                    arguments.kwarg,
                ]
                if node.returns or any(argument is not None and argument.annotation for argument in every):
                    wrong.append(f"{module}:{node.lineno} {node.name}")
            elif isinstance(node, ast.AnnAssign) and id(node) not in fields:
                wrong.append(f"{module}:{node.lineno} {ast.unparse(node.target)}")
    assert not wrong, "\n" + "\n".join(wrong)


def test_every_module_has_a_test_of_its_name_or_a_line_in_the_architecture_page():
    elsewhere = {quoted(module)[0]: quoted(tests) for module, tests in table("Modules tested elsewhere")}
    missing, needless = [], []
    for path in python_files("pix2seq_keras"):
        relative = path.relative_to(PACKAGE)
        if path.name == "__init__.py":
            continue
        folder = REPOSITORY / "tests" / relative.parent
        own = any(folder.glob(f"test_{path.stem}.py")) or any(folder.glob(f"test_{path.stem}_*.py"))
        own = own or any((folder / path.stem).glob("test_*.py"))
        named = elsewhere.pop(relative.as_posix(), None)
        if not own and not named:
            missing.append(relative.as_posix())
        if own and named:
            needless.append(relative.as_posix())
        assert all((REPOSITORY / test).exists() for test in named or []), f"{named} are no files"
    assert not missing, "no test file of their name, and no line in ARCHITECTURE.md:\n" + "\n".join(missing)
    assert not needless, "lines in ARCHITECTURE.md for modules that have a test file of their name"
    assert not elsewhere, "lines in ARCHITECTURE.md for modules that are gone"


def test_code_and_documents_use_the_words_of_the_field():
    wrong = []
    paths = [path for end in ("py", "yaml", "md", "json") for path in PACKAGE.rglob(f"*.{end}")]
    for path in sorted([*paths, *(REPOSITORY / "docs").rglob("*.md"), *REPOSITORY.glob("*.md")]):
        name = path.relative_to(REPOSITORY).as_posix()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            for phrase in WORD_EXCEPTIONS.get(name, ()):
                line = line.replace(phrase, "")
            if WORDS.search(line):
                wrong.append(f"{name}:{number}: {line.strip()[:100]}")
    assert not wrong, "\n" + "\n".join(wrong)
