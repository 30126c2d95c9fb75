"""What the tests use of trimesh: vertices and triangles from a mesh file's bytes."""

from typing import BinaryIO

import numpy as np
import numpy.typing as npt

class Trimesh:
    @property
    def vertices(self) -> npt.NDArray[np.float64]: ...
    @property
    def faces(self) -> npt.NDArray[np.int64]: ...

def load_mesh(file_obj: BinaryIO, file_type: str, process: bool = ...) -> Trimesh: ...
