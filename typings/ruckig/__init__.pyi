from enum import Enum

class Result(Enum):
    Working = 0
    Finished = 1
    Error = -1

class ControlInterface(Enum):
    Position = 0
    Velocity = 1

class InputParameter:
    control_interface: ControlInterface
    current_position: list[float]
    current_velocity: list[float]
    current_acceleration: list[float]
    target_velocity: list[float]
    target_acceleration: list[float]
    max_acceleration: list[float]
    max_jerk: list[float]
    def __init__(self, degrees_of_freedom: int) -> None: ...

class Trajectory:
    def __init__(self, degrees_of_freedom: int) -> None: ...
    @property
    def duration(self) -> float: ...
    def at_time(self, time: float) -> tuple[list[float], list[float], list[float]]: ...

class Ruckig:
    def __init__(self, degrees_of_freedom: int) -> None: ...
    def calculate(self, parameters: InputParameter, trajectory: Trajectory) -> Result: ...
