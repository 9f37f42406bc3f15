"""The contents of the package, and the parts of the wheels that it leaves out.

A rule that matches nothing fails the build: when pinned versions change, check its reason again.
"""

from __future__ import annotations

from dataclasses import dataclass

FUNCTION_FILES = (
    "lambda_function.py",
    "gateway",
    "inference",
    "service",
    "pages",
    "LICENSE",
    "NOTICE",
)
"""Files and folders of the function; the licences go with the models. Models are added as their
manifests say."""

LIMIT_BYTES = {"arm64": 200_000_000, "x86_64": 245_000_000}
"""Our own size limits in bytes, without models. They reveal unexpected growth."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Files that run time never opens.

    Attributes:
        name: Name in the table that the build prints.
        reason: Why nothing needs the files.
        patterns: Globs of files or directories, relative to the package's root.
        is_imported: True for modules that stay, without content, because others import them.
    """

    name: str
    reason: str
    patterns: tuple[str, ...]
    is_imported: bool = False


@dataclass(frozen=True, slots=True)
class Cut:
    """Shared libraries to remove from a module, because the product does not use their features.

    Attributes:
        name: Name in the table that the build prints.
        reason: The features that stop working.
        module: Glob of the module, relative to the package's root.
        libraries: Globs of the libraries' file names.
    """

    name: str
    reason: str
    module: str
    libraries: tuple[str, ...]


RULES = (
    Rule(
        "onnxruntime's C library",
        "for programs in other languages; the Python module links it statically",
        ("onnxruntime/capi/libonnxruntime.so.*",),
    ),
    Rule(
        "onnxruntime's tools",
        "tools that create, convert and quantize models; running a model needs only `capi`",
        tuple(
            f"onnxruntime/{folder}"
            for folder in ("transformers", "quantization", "tools", "datasets", "backend")
        ),
    ),
    Rule(
        "tests",
        "numpy's own tests, and the C modules that only they import",
        (
            "**/tests",
            "numpy/conftest.py",
            "numpy/_core/_simd.*.so",
            "numpy/_core/_*_tests.*.so",
        ),
    ),
    Rule(
        "numpy's docstrings",
        "texts that numpy attaches to compiled functions, for 5 ms of every start",
        ("numpy/_core/_add_newdocs.py", "numpy/_core/_add_newdocs_scalars.py"),
        is_imported=True,
    ),
    Rule(
        "f2py",
        "numpy's Fortran wrapper generator",
        ("numpy/f2py",),
    ),
    Rule(
        "files for compilers",
        "headers, Cython declarations and static libraries, which only builds need",
        (
            "numpy/_core/include",
            "numpy/_core/lib",
            "numpy/random/lib",
            "numpy/random/_examples",
            "numpy/**/*.pxd",
        ),
    ),
    Rule(
        "files for editors",
        "type stubs of compiled modules; Python never reads them",
        ("**/*.pyi", "**/py.typed"),
    ),
    Rule(
        "installer's records",
        "pip's lists of installed files; METADATA and the licences stay",
        (
            "*.dist-info/RECORD",
            "*.dist-info/WHEEL",
            "*.dist-info/INSTALLER",
            "*.dist-info/REQUESTED",
            "*.dist-info/top_level.txt",
            "*.dist-info/entry_points.txt",
            "*.dist-info/sboms",
            "bin",
        ),
    ),
    Rule(
        "second copies of licences",
        "the same files are in OpenCV's dist-info",
        ("cv2/LICENSE*.txt",),
    ),
    Rule(
        "Pillow's colour profiles",
        "colour profiles are not applied (inference/decoding/decode.py)",
        ("PIL/_imagingcms.*.so",),
    ),
    Rule(
        "Pillow's Tk",
        "displays pictures in windows; the Lambda runtime has no Tk",
        ("PIL/_imagingtk.*.so",),
    ),
)

CUTS = (
    Cut(
        "OpenCV's FFmpeg",
        "VideoCapture and VideoWriter; this API does not process videos",
        "cv2/cv2.abi3.so",
        ("libavcodec-*", "libavformat-*", "libavutil-*", "libswscale-*"),
    ),
    Cut(
        "OpenCV's OpenBLAS",
        "linear algebra of large matrices; we only resize, and numpy has its own OpenBLAS",
        "cv2/cv2.abi3.so",
        ("libopenblas*",),
    ),
    Cut(
        "Pillow's X11",
        "screenshots of a desktop",
        "PIL/_imaging.*.so",
        ("libxcb-*",),
    ),
)
