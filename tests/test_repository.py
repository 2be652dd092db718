"""What holds of the repository as a whole: lists that agree, nothing that must not be there."""

import ast
import importlib.metadata
import re
import subprocess
import tomllib
from pathlib import Path

PACKAGE = "plm_geometry"
ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def declared() -> set[str]:
    groups = PROJECT["optional-dependencies"].values()
    return set(PROJECT["dependencies"]).union(*groups)


def constrained() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().split()
    return {canonical(name): version for name, version in (line.split("==") for line in lines)}


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def tracked() -> list[Path]:
    names = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def test_environment_yml_lists_the_dependencies_of_pyproject():
    lines = (ROOT / "environment.yml").read_text().partition("- pip:\n")[2].splitlines()
    listed = {line.strip().removeprefix("- ") for line in lines}
    listed = {entry for entry in listed if not entry.startswith(("#", "--"))}
    assert listed == declared()


def test_every_dependency_is_pinned_once_and_fits_what_is_declared():
    pins = constrained()
    for requirement in declared():
        name, bound = re.match(r"([\w.-]+)(.*)", requirement).groups()
        assert canonical(name) in pins, f"{name} is not in constraints.txt"
        if bound.startswith("=="):
            assert pins[canonical(name)] == bound.removeprefix("==")
    assert pins["torch"] == "2.13.0"
    assert pins["jupyter-book"].startswith("1.")


def test_constraints_pin_everything_that_is_installed_with_the_package():
    todo, seen = [PROJECT["name"]], set()
    while todo:
        name = todo.pop()
        for needed in installed_requirements(name, with_extras=name == PROJECT["name"]) - seen:
            assert needed in constrained(), f"{needed} is installed but not pinned"
            seen.add(needed)
            todo.append(needed)
    assert {"numpy", "sphinx"} <= seen


def installed_requirements(name: str, *, with_extras: bool) -> set[str]:
    found = set()
    for requirement in importlib.metadata.requires(name) or []:
        needed, _, marker = requirement.partition(";")
        if with_extras or "extra" not in marker:
            found.add(canonical(re.match(r"[\w.-]+", needed).group()))
    # What a marker excludes on this platform is not installed.
    return {needed for needed in found if is_installed(needed)}


def is_installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def test_no_tracked_text_names_a_machine_path_or_a_package_registry():
    # Spelt in pieces, so that this file does not find itself.
    forbidden = re.compile("|".join(["/wo" + "rk/", "/ro" + "ot/", "pythonhosted" + r"\.org"]))
    for path in tracked():
        if path.suffix in {".gz", ".png", ".safetensors", ".npz", ".svg"}:
            continue
        found = forbidden.search(path.read_text(errors="replace"))
        assert not found, f"{path.relative_to(ROOT)} holds {found.group()!r}"


def test_shipped_data_stay_under_twelve_megabytes():
    size = sum(path.stat().st_size for path in tracked() if ROOT / "data" in path.parents)
    assert 0 < size < 12e6


SOURCE = ROOT / "src" / PACKAGE


def subpackages_in_order() -> list[str]:
    table = (ROOT / "CONTRIBUTING.md").read_text().partition("| subpackage | holds |")[2]
    return re.findall(r"^\| `(\w+)` \|", table, flags=re.MULTILINE)


def imported_modules(path: Path) -> set[str]:
    """The package's modules that a file imports anywhere, as SUBPACKAGE or SUBPACKAGE.MODULE."""
    return imported_by(ast.parse(path.read_text()))


def imported_by(tree: ast.AST) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PACKAGE):
            found |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
        elif isinstance(node, ast.Import):
            found |= {name.name for name in node.names if name.name.startswith(f"{PACKAGE}.")}
    return {name.removeprefix(f"{PACKAGE}.") for name in found if name != PACKAGE}


def test_the_package_is_its_subpackages_and_nothing_else():
    found = {path.name for path in SOURCE.iterdir() if path.name != "__pycache__"}
    assert found == {*subpackages_in_order(), "__init__.py"}


def test_a_subpackage_imports_only_those_above_it():
    subpackages = subpackages_in_order()
    assert len(subpackages) == 13
    for path in SOURCE.glob("*/*.py"):
        subpackage = path.parent.name
        below = {name.split(".")[0] for name in imported_modules(path)} & set(
            subpackages[subpackages.index(subpackage) + 1 :]
        )
        if subpackage == "experiments":
            below -= {"study"}  # see the next test
        assert not below, f"{path.relative_to(SOURCE)} imports {below}"


def test_experiments_name_the_study_in_annotations_alone():
    for path in (SOURCE / "experiments").glob("*.py"):
        for node in ast.parse(path.read_text()).body:
            is_checked_only = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
            found = {name.split(".")[0] for name in imported_by(node)}
            assert is_checked_only or "study" not in found, path.name


def test_no_modules_of_a_subpackage_import_each_other_in_a_circle():
    for subpackage in subpackages_in_order():
        modules = {f"{subpackage}.{path.stem}": path for path in (SOURCE / subpackage).glob("*.py")}
        imports = {name: imported_modules(path) & modules.keys() for name, path in modules.items()}
        while leaves := {name for name in imports if not imports[name] & imports.keys()}:
            imports = {name: found for name, found in imports.items() if name not in leaves}
        assert not imports, f"a circle among {sorted(imports)}"
