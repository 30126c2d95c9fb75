"""A Panda of pybullet_data, built in Python, with motions of it: what the tests of physics run on."""

from __future__ import annotations

import hashlib
import importlib.util
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from interlock.arrays import FloatArray
from interlock.geometry import Pose, Shape, Vector
from interlock.motion import Motion, Phase
from interlock.profile import AllowedCollision, Finger, Gripper, Inertia, Joint, Profile, ToolPoint, Urdf
from interlock.robot_model import UrdfRobot
from interlock.rules import Demand
from interlock.scene import Body, Cell, Held, Scene, SceneObject, Zone

NOW = 1_000_000_000
ARM = tuple(f"panda_link{number}" for number in range(1, 8))
HAND = ("panda_hand", "panda_leftfinger", "panda_rightfinger")
MOVING = (*ARM, *HAND)
READY = np.array([0.0, -0.785, 0.0, -2.356, 0.0, 1.571, 0.785])
LOWER = np.array([-2.8973, -1.7628, -2.8973, -3.0718, -2.8973, -0.0175, -2.8973])
UPPER = np.array([2.8973, 1.7628, 2.8973, -0.0698, 2.8973, 3.7525, 2.8973])

ALLOWED = (
    ("panda_link0", "panda_link1"),
    ("panda_link1", "panda_link2"),
    ("panda_link2", "panda_link3"),
    ("panda_link3", "panda_link4"),
    ("panda_link4", "panda_link5"),
    ("panda_link5", "panda_link6"),
    ("panda_link5", "panda_link7"),
    ("panda_link6", "panda_link7"),
    ("panda_link6", "panda_hand"),
    ("panda_link7", "panda_hand"),
    ("panda_hand", "panda_leftfinger"),
    ("panda_hand", "panda_rightfinger"),
    ("panda_leftfinger", "panda_rightfinger"),
)

# Gaz et al., RA-L 4(4), 2019, as in franka_ros (inertial.yaml): mass, centre, then xx, xy, xz, yy, yz, zz about it.
INERTIAS: dict[str, tuple[float, Vector, tuple[float, float, float, float, float, float]]] = {
    "panda_link0": (
        0.629769, (-0.041018, -0.00014, 0.049974), (0.00315, 8.2904e-07, 0.00015, 0.00388, 8.2299e-06, 0.004285),
    ),
    "panda_link1": (
        4.970684, (0.003875, 0.002081, -0.04762),
        (0.70337, -0.000139, 0.006772, 0.70661, 0.019169, 0.009117),
    ),
    "panda_link2": (
        0.646926, (-0.003141, -0.02872, 0.003495),
        (0.007962, -0.003925, 0.010254, 0.02811, 0.000704, 0.025995),
    ),
    "panda_link3": (
        3.228604, (0.027518, 0.039252, -0.066502),
        (0.037242, -0.004761, -0.011396, 0.036155, -0.012805, 0.01083),
    ),
    "panda_link4": (
        3.587895, (-0.05317, 0.104419, 0.027454),
        (0.025853, 0.007796, -0.001332, 0.019552, 0.008641, 0.028323),
    ),
    "panda_link5": (
        1.225946, (-0.011953, 0.041065, -0.038437),
        (0.035549, -0.002117, -0.004037, 0.029474, 0.000229, 0.008627),
    ),
    "panda_link6": (
        1.666555, (0.060149, -0.014117, -0.010517),
        (0.001964, 0.000109, -0.001158, 0.004354, 0.000341, 0.005433),
    ),
    "panda_link7": (
        0.735522, (0.010517, -0.004252, 0.061597),
        (0.012516, -0.000428, -0.001196, 0.010027, -0.000741, 0.004815),
    ),
    "panda_hand": (
        0.73, (-0.01, 0.0, 0.03),
        (0.001, 0.0, 0.0, 0.0025, 0.0, 0.0017),
    ),
    "panda_leftfinger": (
        0.015, (0.0, 0.0, 0.0),
        (2.375e-06, 0.0, 0.0, 2.375e-06, 0.0, 7.5e-07),
    ),
    "panda_rightfinger": (
        0.015, (0.0, 0.0, 0.0),
        (2.375e-06, 0.0, 0.0, 2.375e-06, 0.0, 7.5e-07),
    ),
}  # fmt: skip


def package_folder(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(next(iter(spec.submodule_search_locations)))


def urdf() -> Urdf:
    folder = package_folder("pybullet_data")
    path = "franka_panda/panda.urdf"
    content = (folder / path).read_bytes()
    meshes = re.findall(r'<mesh filename="package://(meshes/collision/[^"]+)"', content.decode())
    lines = [
        f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n"
        for name in sorted({f"franka_panda/{mesh}" for mesh in meshes})
    ]
    return Urdf("pybullet_data", path, hashlib.sha256(content).hexdigest(), digest("".join(lines)))


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def profile(tracking: float = 1e-6) -> Profile:
    """The Panda; with as good as no tracking error unless one is asked for."""
    limits = zip(LOWER.tolist(), UPPER.tolist(), strict=True)
    return Profile(
        name="panda",
        joints=tuple(
            Joint(f"panda_joint{number}", lower, upper, 2.175, 10.0, tracking, "test")
            for number, (lower, upper) in enumerate(limits, start=1)
        ),
        grippers=(
            Gripper(
                "hand", 0.0, 0.08, "m", 0.1, "test",
                fingers=(Finger("panda_finger_joint1", 0.5), Finger("panda_finger_joint2", 0.5)),
            ),
        ),
        layouts=(),
        control_rate_hz=1000.0,
        interpolation="linear",
        urdf=urdf(),
        flange="panda_link8",
        hand_links=HAND,
        tool_points=(ToolPoint("tcp", "panda_link8", Pose((0.0, 0.0, 0.1034))),),
        inertias=tuple(Inertia(link, *numbers, "Gaz 2019") for link, numbers in INERTIAS.items()),
        allowed_collisions=tuple(AllowedCollision(a, b, "test") for a, b in ALLOWED),
    )  # fmt: skip


def cell(bodies: Sequence[Body] = (), zones: Sequence[Zone] = (), mount: Pose | None = None) -> Cell:
    return Cell("test", Pose() if mount is None else mount, tuple(bodies), tuple(zones))


def motion(
    model: UrdfRobot | None,
    positions: FloatArray,
    opening: float = 0.04,
    held: Held | None = None,
    period_s: float = 0.02,
) -> Motion:
    nodes = len(positions)
    zeros = np.zeros_like(positions)
    return Motion(
        now_ns=NOW,
        times_s=np.arange(nodes, dtype=np.float64) * period_s,
        phase=np.full(nodes, int(Phase.ROW)),
        row=np.arange(nodes),
        positions=positions,
        velocities=zeros,
        accelerations=zeros,
        jerks=None,
        grippers=np.full((nodes, 1), opening),
        torques=None,
        poses=np.empty((nodes, 0, 4, 4)) if model is None else model.forward(positions),
        tool_points={},
        held=held,
        measured_grippers=np.array([opening]),
        model=model,
        late_s=np.zeros(nodes),
    )


def demand(
    others: Sequence[str],
    min_m: float,
    nodes: int,
    links: Sequence[str] = MOVING,
    exclude: Sequence[tuple[str, str]] = (),
) -> Demand:
    return Demand(tuple(links), tuple(others), min_m, np.ones(nodes, dtype=np.bool_), frozenset(exclude))


def thing(name: str, shape: Shape, pose: Pose, uncertainty: float = 0.0, speed: float | None = 0.0) -> SceneObject:
    return SceneObject(name, shape, pose, NOW, uncertainty, speed)


def scene(*objects: SceneObject) -> Scene:
    return Scene("run", tuple(objects))


def sweep(start: FloatArray, end: FloatArray, nodes: int) -> FloatArray:
    return np.linspace(start, end, nodes)
