"""Read, change and check shared libraries that the machine's C compiler builds."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.package import elf
from scripts.package.linkage import MACHINES, problems
from scripts.package.prune import orphans, prune
from scripts.package.rules import Cut

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("cc") is None,
    reason="needs Linux and a C compiler to make shared libraries with",
)

CODEC = "int encode(int value) { return value + 1; }"
CODEC_VERSIONS = "CODEC_1 { global: encode; };"
HELPER = "int help(void) { return 1; }"
MODULE = """
#include <math.h>
int encode(int value);
int record(void) { return encode(1); }
double resize(double value) { return cos(value); }
"""
USE = """
import ctypes, sys
module = ctypes.CDLL(sys.argv[1])
module.resize.restype = ctypes.c_double
module.resize.argtypes = [ctypes.c_double]
print(module.resize(0.0), module.record() if len(sys.argv) > 2 else "")
"""


def compile_library(output: Path, source: str, *options: str) -> Path:
    output.parent.mkdir(parents=True, exist_ok=True)
    code = output.with_suffix(".c")
    code.write_text(source)
    command = ["cc", "-shared", "-fPIC", "-O0", "-o", str(output), str(code), *options]
    subprocess.run(command, check=True)
    code.unlink()
    return output


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A package whose module is linked to a codec, which is linked to a helper."""
    libraries = tmp_path / "video.libs"
    compile_library(libraries / "libhelper-1.so", HELPER, "-Wl,-soname,libhelper-1.so")
    versions = tmp_path / "versions"
    versions.write_text(CODEC_VERSIONS)
    link = (f"-L{libraries}", "-Wl,--no-as-needed")
    compile_library(
        libraries / "libcodec-1.so",
        CODEC,
        *(*link, "-l:libhelper-1.so", "-Wl,-rpath,$ORIGIN"),
        *("-Wl,-soname,libcodec-1.so", f"-Wl,--version-script={versions}"),
    )
    versions.unlink()
    compile_library(
        tmp_path / "video/module.so",
        MODULE,
        *(*link, "-lm", "-l:libcodec-1.so", "-Wl,-rpath,$ORIGIN/../video.libs"),
    )
    return tmp_path


def use(module: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", USE, str(module), *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def this_architecture(module: Path) -> str:
    names = {machine: architecture for architecture, machine in MACHINES.items()}
    return names[elf.read(module).machine]


def test_a_library_is_read(tree: Path) -> None:
    module = elf.read(tree / "video/module.so")

    assert "libcodec-1.so" in module.needed
    assert module.search == ((tree / "video.libs").resolve(),)
    assert "CODEC_1" in module.versions
    assert {"record", "resize"} <= elf.exports(module.path)
    assert "encode" not in elf.exports(module.path)


def test_a_module_loads_without_a_removed_library(tree: Path) -> None:
    module, codec = tree / "video/module.so", tree / "video.libs/libcodec-1.so"
    assert use(module, "record").stdout == "1.0 2\n"
    size = module.stat().st_size

    elf.cut(module, [codec])
    codec.unlink()

    assert use(module).stdout == "1.0 \n"
    assert module.stat().st_size == size
    assert "libcodec-1.so" not in elf.read(module).needed
    assert "CODEC_1" not in elf.read(module).versions


def test_an_unchanged_module_does_not(tree: Path) -> None:
    """Show that the test above would fail without the removal."""
    (tree / "video.libs/libcodec-1.so").unlink()

    assert use(tree / "video/module.so").returncode == 1


def test_calling_a_removed_function_crashes(tree: Path) -> None:
    elf.cut(tree / "video/module.so", [tree / "video.libs/libcodec-1.so"])

    assert use(tree / "video/module.so", "record").returncode < 0


def test_only_linked_libraries_can_be_removed(tree: Path) -> None:
    module = tree / "video/module.so"
    before = module.read_bytes()

    with pytest.raises(elf.ElfError):
        elf.cut(module, [tree / "video.libs/libhelper-1.so"])

    assert module.read_bytes() == before


def test_libraries_of_a_removed_library_are_deleted(tree: Path) -> None:
    libraries = list((tree / "video.libs").iterdir())
    size = sum(path.stat().st_size for path in libraries)
    assert orphans(tree) == set()

    (saving,) = prune(tree, [], [Cut("video", "no videos", "video/module.so", ("libcodec-*",))])

    assert saving.size == size
    assert not any(path.exists() for path in libraries)
    assert problems(tree, this_architecture(tree / "video/module.so")) == []


def test_a_plugin_stays(tree: Path) -> None:
    plugin = compile_library(tree / "video.libs/libplugin-1.so", HELPER)

    prune(tree, [], [Cut("video", "no videos", "video/module.so", ("libcodec-*",))])

    assert plugin.exists()


def test_a_missing_library_is_a_problem(tree: Path) -> None:
    (tree / "video.libs/libhelper-1.so").unlink()

    found = problems(tree, this_architecture(tree / "video/module.so"))

    [problem] = found
    assert {"video.libs/libcodec-1.so", "libhelper-1.so"} <= set(re.split("[ ,]", problem))


def test_another_processors_library_is_a_problem(tree: Path) -> None:
    architecture = this_architecture(tree / "video/module.so")
    (other,) = set(MACHINES) - {architecture}

    found = problems(tree, other)

    assert any("video/module.so" in problem and other in problem for problem in found)


def test_a_symbol_version_that_lambda_lacks_is_a_problem(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "scripts.package.linkage.NEWEST_VERSIONS",
        {"GLIBC": (2, 1), "GLIBCXX": (3, 4), "CXXABI": (1, 3)},
    )

    found = problems(tree, this_architecture(tree / "video/module.so"))

    assert any("video/module.so" in each and "GLIBC_2." in each for each in found)
