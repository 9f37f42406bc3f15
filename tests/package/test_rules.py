"""Rules delete files and report their size."""

from dataclasses import replace
from pathlib import Path

import pytest

from scripts.package.prune import RuleFailed, prune, tree_size
from scripts.package.report import contents_table, savings_table
from scripts.package.rules import Rule

TREE = {
    "numpy/__init__.py": 1000,
    "numpy/__init__.pyi": 300,
    "numpy/tests/test_all.py": 500,
    "numpy/linalg/tests/data.csv": 70,
    "numpy/linalg/linalg.py": 20,
    "bin/f2py": 7,
    "multipart.py": 50,
}
TESTS = Rule("tests", "only tests import them", ("**/tests",))
STUBS = Rule("stubs", "only editors read them", ("**/*.pyi", "bin"))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, size in TREE.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x" * size)
    return tmp_path


def files(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def test_modules_that_others_import_stay_empty(tree: Path) -> None:
    rule = Rule("linalg", "nobody calls it", ("numpy/linalg/linalg.py",), is_imported=True)

    assert [saving.size for saving in prune(tree, [rule], [])] == [20]
    assert (tree / "numpy/linalg/linalg.py").read_bytes() == b""


def test_rules_delete_files_and_report_their_size(tree: Path) -> None:
    savings = prune(tree, [TESTS, STUBS], [])

    assert [(saving.name, saving.size) for saving in savings] == [("tests", 570), ("stubs", 307)]
    assert files(tree) == {"numpy/__init__.py", "numpy/linalg/linalg.py", "multipart.py"}
    assert tree_size(tree) == 1070


def test_nested_directories_count_once(tree: Path) -> None:
    (tree / "numpy/tests/tests").mkdir()
    (tree / "numpy/tests/tests/more.py").write_bytes(b"x" * 5)

    (saving,) = prune(tree, [TESTS], [])

    assert saving.size == 575


@pytest.mark.parametrize("pattern", ["numpy/f2py", "**/*.pxd"])
def test_rules_must_match(tree: Path, pattern: str) -> None:
    rule = replace(TESTS, name="old", patterns=(*TESTS.patterns, pattern))

    with pytest.raises(RuleFailed):
        prune(tree, [rule], [])


def test_the_table_of_savings(tree: Path) -> None:
    assert savings_table(prune(tree, [TESTS, STUBS], [])).splitlines() == [
        "bytes saved  by           because",
        "        570  tests        only tests import them",
        "        307  stubs        only editors read them",
        "        877  all of them",
    ]


def test_the_table_of_contents(tree: Path) -> None:
    assert contents_table(tree, 200_000_000).splitlines() == [
        "      bytes  of",
        "      1,890  numpy",
        "         50  multipart.py",
        "          7  bin",
        "      1,947  in all",
        "200,000,000  is the limit of this project, without models",
        "262,144,000  is Lambda's",
    ]
