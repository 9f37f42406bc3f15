"""The table of rules can be read, and trusted."""

from dataclasses import replace
from pathlib import Path

import pytest

from inference.decoding.formats import FORMATS
from scripts.package.prune import RuleFailed, prune, tree_size
from scripts.package.report import LAMBDA_LIMIT_BYTES, contents_table, savings_table
from scripts.package.rules import CUTS, FUNCTION_FILES, LIMIT_BYTES, RULES, Rule

PROJECT = Path(__file__).parents[2]

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


def test_every_rule_has_a_name_of_its_own_and_a_reason() -> None:
    names = [*(rule.name for rule in RULES), *(cut.name for cut in CUTS)]
    reasons = [*(rule.reason for rule in RULES), *(cut.reason for cut in CUTS)]

    assert len(set(names)) == len(names)
    assert all(reasons)


def test_the_limits_are_below_lambdas() -> None:
    assert LIMIT_BYTES == {"arm64": 200_000_000, "x86_64": 245_000_000}
    assert max(LIMIT_BYTES.values()) < LAMBDA_LIMIT_BYTES == 262_144_000


def test_every_file_of_the_function_exists() -> None:
    assert [name for name in FUNCTION_FILES if not (PROJECT / name).exists()] == []


def test_no_format_that_is_decoded_is_among_what_is_left_out() -> None:
    """AVIF goes; a format that is taken in one day has to be taken out of the rules first."""
    assert {name for name, *_ in FORMATS} == {"JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"}


def test_rules_delete_what_they_name_and_say_how_much(tree: Path) -> None:
    savings = prune(tree, [TESTS, STUBS], [])

    assert [(saving.name, saving.size) for saving in savings] == [("tests", 570), ("stubs", 307)]
    assert files(tree) == {"numpy/__init__.py", "numpy/linalg/linalg.py", "multipart.py"}
    assert tree_size(tree) == 1070


def test_a_directory_inside_of_a_deleted_one_counts_once(tree: Path) -> None:
    (tree / "numpy/tests/tests").mkdir()
    (tree / "numpy/tests/tests/more.py").write_bytes(b"x" * 5)

    (saving,) = prune(tree, [TESTS], [])

    assert saving.size == 575


@pytest.mark.parametrize("pattern", ["numpy/f2py", "**/*.pxd"])
def test_a_rule_that_matches_nothing_is_an_error(tree: Path, pattern: str) -> None:
    rule = replace(TESTS, name="old", patterns=(*TESTS.patterns, pattern))

    with pytest.raises(RuleFailed, match="Rule 'old': nothing matches"):
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
        "200,000,000  is the limit of this project",
        "262,144,000  is Lambda's",
    ]
