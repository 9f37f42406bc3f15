"""OpenCV for all modules: `from inference.opencv import cv2`.

While OpenCV's package is imported, it replaces `cv2` in `sys.modules` for a moment, so the import
fails in a second thread. Models load in a thread while the rest is imported. Python's lock for the
import of this module makes the second thread wait.
"""

from __future__ import annotations

import cv2
from cv2.typing import MatLike

__all__ = ["MatLike", "cv2"]

# Pictures are processed in parallel, so threads inside OpenCV would compete for the few cores.
cv2.setNumThreads(1)
