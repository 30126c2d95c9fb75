"""What Interlock and its simulation use of PyBullet 3.2.7. Positions in m, angles in rad, quaternions x, y, z, w."""

from collections.abc import Sequence
from typing import Final, TypeAlias

Vector3: TypeAlias = tuple[float, float, float]
Quaternion: TypeAlias = tuple[float, float, float, float]

# flag, unique id A, unique id B, link A, link B, position on A, position on B, normal on B towards A, distance,
# normal force, friction force 1, friction direction 1, friction force 2, friction direction 2
ContactPoint: TypeAlias = tuple[
    int, int, int, int, int, Vector3, Vector3, Vector3, float, float, float, Vector3, float, Vector3
]
# index, name, type, index in q, index in u, flags, damping, friction, lower, upper, largest force, largest velocity,
# name of the child link, axis, position in the parent, orientation in the parent, index of the parent
JointInfo: TypeAlias = tuple[
    int, bytes, int, int, int, int, float, float, float, float, float, float, bytes, Vector3, Vector3, Quaternion, int
]
# position, velocity, reaction forces, applied torque
JointState: TypeAlias = tuple[float, float, tuple[float, float, float, float, float, float], float]
# world pose of the centre of mass, that in the link's frame, world pose of the link's frame
LinkState: TypeAlias = tuple[Vector3, Quaternion, Vector3, Quaternion, Vector3, Quaternion]
# mass, lateral friction, inertia diagonal, inertial position, inertial orientation, restitution, rolling friction,
# spinning friction, contact damping, contact stiffness, body type, collision margin
DynamicsInfo: TypeAlias = tuple[
    float, float, Vector3, Vector3, Quaternion, float, float, float, float, float, int, float
]
# unique id, link, geometry type, dimensions, file, position, orientation
CollisionShapeData: TypeAlias = tuple[int, int, int, Vector3, bytes, Vector3, Quaternion]
VisualShapeData: TypeAlias = tuple[
    int, int, int, Vector3, bytes, Vector3, Quaternion, tuple[float, float, float, float]
]
# width, height, RGBA, depth, segmentation; sequences, or numpy arrays where PyBullet was built with numpy
CameraImage: TypeAlias = tuple[int, int, Sequence[int], Sequence[float], Sequence[int]]

DIRECT: Final[int]
GUI: Final[int]
GEOM_SPHERE: Final[int]
GEOM_BOX: Final[int]
GEOM_CYLINDER: Final[int]
GEOM_MESH: Final[int]
GEOM_PLANE: Final[int]
GEOM_CAPSULE: Final[int]
GEOM_FORCE_CONCAVE_TRIMESH: Final[int]
JOINT_REVOLUTE: Final[int]
JOINT_PRISMATIC: Final[int]
JOINT_FIXED: Final[int]
JOINT_POINT2POINT: Final[int]
JOINT_GEAR: Final[int]
POSITION_CONTROL: Final[int]
VELOCITY_CONTROL: Final[int]
TORQUE_CONTROL: Final[int]
PD_CONTROL: Final[int]
URDF_USE_INERTIA_FROM_FILE: Final[int]
URDF_USE_SELF_COLLISION: Final[int]
URDF_USE_SELF_COLLISION_EXCLUDE_PARENT: Final[int]
URDF_USE_SELF_COLLISION_EXCLUDE_ALL_PARENTS: Final[int]
URDF_USE_IMPLICIT_CYLINDER: Final[int]
URDF_MERGE_FIXED_LINKS: Final[int]
URDF_MAINTAIN_LINK_ORDER: Final[int]
URDF_IGNORE_VISUAL_SHAPES: Final[int]
URDF_IGNORE_COLLISION_SHAPES: Final[int]
WORLD_FRAME: Final[int]
LINK_FRAME: Final[int]
ER_TINY_RENDERER: Final[int]
ER_BULLET_HARDWARE_OPENGL: Final[int]
ER_NO_SEGMENTATION_MASK: Final[int]
ER_SEGMENTATION_MASK_OBJECT_AND_LINKINDEX: Final[int]

def connect(method: int, key: int = ..., options: str = ...) -> int: ...
def disconnect(physicsClientId: int = ...) -> None: ...
def isConnected(physicsClientId: int = ...) -> int: ...
def resetSimulation(flags: int = ..., physicsClientId: int = ...) -> None: ...
def stepSimulation(physicsClientId: int = ...) -> None: ...
def performCollisionDetection(physicsClientId: int = ...) -> None: ...
def setGravity(gravX: float, gravY: float, gravZ: float, physicsClientId: int = ...) -> None: ...
def setTimeStep(timeStep: float, physicsClientId: int = ...) -> None: ...
def setPhysicsEngineParameter(
    fixedTimeStep: float = ...,
    numSolverIterations: int = ...,
    numSubSteps: int = ...,
    contactBreakingThreshold: float = ...,
    enableFileCaching: int = ...,
    deterministicOverlappingPairs: int = ...,
    allowedCcdPenetration: float = ...,
    solverResidualThreshold: float = ...,
    physicsClientId: int = ...,
) -> None: ...
def setAdditionalSearchPath(path: str, physicsClientId: int = ...) -> None: ...
def loadURDF(
    fileName: str,
    basePosition: Sequence[float] = ...,
    baseOrientation: Sequence[float] = ...,
    useMaximalCoordinates: bool | int = ...,
    useFixedBase: bool | int = ...,
    flags: int = ...,
    globalScaling: float = ...,
    physicsClientId: int = ...,
) -> int: ...
def createCollisionShape(
    shapeType: int,
    radius: float = ...,
    halfExtents: Sequence[float] = ...,
    height: float = ...,
    fileName: str = ...,
    meshScale: Sequence[float] = ...,
    planeNormal: Sequence[float] = ...,
    flags: int = ...,
    collisionFramePosition: Sequence[float] = ...,
    collisionFrameOrientation: Sequence[float] = ...,
    vertices: Sequence[Sequence[float]] = ...,
    indices: Sequence[int] = ...,
    physicsClientId: int = ...,
) -> int: ...
def createCollisionShapeArray(
    shapeTypes: Sequence[int],
    radii: Sequence[float] = ...,
    halfExtents: Sequence[Sequence[float]] = ...,
    lengths: Sequence[float] = ...,
    collisionFramePositions: Sequence[Sequence[float]] = ...,
    collisionFrameOrientations: Sequence[Sequence[float]] = ...,
    physicsClientId: int = ...,
) -> int: ...
def removeCollisionShape(collisionShapeId: int, physicsClientId: int = ...) -> None: ...
def createVisualShape(
    shapeType: int,
    radius: float = ...,
    halfExtents: Sequence[float] = ...,
    length: float = ...,
    fileName: str = ...,
    meshScale: Sequence[float] = ...,
    planeNormal: Sequence[float] = ...,
    flags: int = ...,
    rgbaColor: Sequence[float] = ...,
    specularColor: Sequence[float] = ...,
    visualFramePosition: Sequence[float] = ...,
    visualFrameOrientation: Sequence[float] = ...,
    vertices: Sequence[Sequence[float]] = ...,
    indices: Sequence[int] = ...,
    normals: Sequence[Sequence[float]] = ...,
    physicsClientId: int = ...,
) -> int: ...
def changeVisualShape(
    objectUniqueId: int,
    linkIndex: int,
    shapeIndex: int = ...,
    textureUniqueId: int = ...,
    rgbaColor: Sequence[float] = ...,
    specularColor: Sequence[float] = ...,
    physicsClientId: int = ...,
) -> None: ...
def createMultiBody(
    baseMass: float = ...,
    baseCollisionShapeIndex: int = ...,
    baseVisualShapeIndex: int = ...,
    basePosition: Sequence[float] = ...,
    baseOrientation: Sequence[float] = ...,
    baseInertialFramePosition: Sequence[float] = ...,
    baseInertialFrameOrientation: Sequence[float] = ...,
    useMaximalCoordinates: int = ...,
    flags: int = ...,
    physicsClientId: int = ...,
) -> int: ...
def removeBody(bodyUniqueId: int, physicsClientId: int = ...) -> None: ...
def getNumBodies(physicsClientId: int = ...) -> int: ...
def getBodyUniqueId(serialIndex: int, physicsClientId: int = ...) -> int: ...
def getBodyInfo(bodyUniqueId: int, physicsClientId: int = ...) -> tuple[bytes, bytes]: ...
def getNumJoints(bodyUniqueId: int, physicsClientId: int = ...) -> int: ...
def getJointInfo(bodyUniqueId: int, jointIndex: int, physicsClientId: int = ...) -> JointInfo: ...
def getJointState(bodyUniqueId: int, jointIndex: int, physicsClientId: int = ...) -> JointState: ...
def getJointStates(
    bodyUniqueId: int, jointIndices: Sequence[int], physicsClientId: int = ...
) -> tuple[JointState, ...]: ...
def resetJointState(
    bodyUniqueId: int, jointIndex: int, targetValue: float, targetVelocity: float = ..., physicsClientId: int = ...
) -> None: ...
def resetJointStatesMultiDof(
    bodyUniqueId: int,
    jointIndices: Sequence[int],
    targetValues: Sequence[Sequence[float]],
    targetVelocities: Sequence[Sequence[float]] = ...,
    physicsClientId: int = ...,
) -> None: ...
def setJointMotorControl2(
    bodyUniqueId: int,
    jointIndex: int,
    controlMode: int,
    targetPosition: float = ...,
    targetVelocity: float = ...,
    force: float = ...,
    positionGain: float = ...,
    velocityGain: float = ...,
    maxVelocity: float = ...,
    physicsClientId: int = ...,
) -> None: ...
def setJointMotorControlArray(
    bodyUniqueId: int,
    jointIndices: Sequence[int],
    controlMode: int,
    targetPositions: Sequence[float] = ...,
    targetVelocities: Sequence[float] = ...,
    forces: Sequence[float] = ...,
    positionGains: Sequence[float] = ...,
    velocityGains: Sequence[float] = ...,
    physicsClientId: int = ...,
) -> None: ...
def enableJointForceTorqueSensor(
    bodyUniqueId: int, jointIndex: int, enableSensor: int = ..., physicsClientId: int = ...
) -> None: ...
def getLinkState(
    bodyUniqueId: int,
    linkIndex: int,
    computeLinkVelocity: int = ...,
    computeForwardKinematics: int = ...,
    physicsClientId: int = ...,
) -> LinkState: ...
def getLinkStates(
    bodyUniqueId: int,
    linkIndices: Sequence[int],
    computeLinkVelocity: int = ...,
    computeForwardKinematics: int = ...,
    physicsClientId: int = ...,
) -> tuple[LinkState, ...]: ...
def getBasePositionAndOrientation(bodyUniqueId: int, physicsClientId: int = ...) -> tuple[Vector3, Quaternion]: ...
def resetBasePositionAndOrientation(
    bodyUniqueId: int, posObj: Sequence[float], ornObj: Sequence[float], physicsClientId: int = ...
) -> None: ...
def getBaseVelocity(bodyUniqueId: int, physicsClientId: int = ...) -> tuple[Vector3, Vector3]: ...
def resetBaseVelocity(
    objectUniqueId: int,
    linearVelocity: Sequence[float] = ...,
    angularVelocity: Sequence[float] = ...,
    physicsClientId: int = ...,
) -> None: ...
def applyExternalForce(
    objectUniqueId: int,
    linkIndex: int,
    forceObj: Sequence[float],
    posObj: Sequence[float],
    flags: int,
    physicsClientId: int = ...,
) -> None: ...
def changeDynamics(
    bodyUniqueId: int,
    linkIndex: int,
    mass: float = ...,
    lateralFriction: float = ...,
    spinningFriction: float = ...,
    rollingFriction: float = ...,
    restitution: float = ...,
    linearDamping: float = ...,
    angularDamping: float = ...,
    contactStiffness: float = ...,
    contactDamping: float = ...,
    frictionAnchor: int = ...,
    localInertiaDiagonal: Sequence[float] = ...,
    jointDamping: float = ...,
    maxJointVelocity: float = ...,
    collisionMargin: float = ...,
    activationState: int = ...,
    physicsClientId: int = ...,
) -> None: ...
def getDynamicsInfo(bodyUniqueId: int, linkIndex: int, physicsClientId: int = ...) -> DynamicsInfo: ...
def getCollisionShapeData(
    objectUniqueId: int, linkIndex: int, physicsClientId: int = ...
) -> tuple[CollisionShapeData, ...]: ...
def getVisualShapeData(
    objectUniqueId: int, flags: int = ..., physicsClientId: int = ...
) -> tuple[VisualShapeData, ...]: ...
def setCollisionFilterPair(
    bodyUniqueIdA: int,
    bodyUniqueIdB: int,
    linkIndexA: int,
    linkIndexB: int,
    enableCollision: int,
    physicsClientId: int = ...,
) -> None: ...
def setCollisionFilterGroupMask(
    bodyUniqueId: int,
    linkIndexA: int,
    collisionFilterGroup: int,
    collisionFilterMask: int,
    physicsClientId: int = ...,
) -> None: ...
def getContactPoints(
    bodyA: int = ..., bodyB: int = ..., linkIndexA: int = ..., linkIndexB: int = ..., physicsClientId: int = ...
) -> tuple[ContactPoint, ...]: ...
def getClosestPoints(
    bodyA: int,
    bodyB: int,
    distance: float,
    linkIndexA: int = ...,
    linkIndexB: int = ...,
    collisionShapeA: int = ...,
    collisionShapeB: int = ...,
    collisionShapePositionA: Sequence[float] = ...,
    collisionShapePositionB: Sequence[float] = ...,
    collisionShapeOrientationA: Sequence[float] = ...,
    collisionShapeOrientationB: Sequence[float] = ...,
    physicsClientId: int = ...,
) -> tuple[ContactPoint, ...]: ...
def getOverlappingObjects(
    aabbMin: Sequence[float], aabbMax: Sequence[float], physicsClientId: int = ...
) -> tuple[tuple[int, int], ...] | None: ...
def calculateInverseDynamics(
    bodyUniqueId: int,
    objPositions: Sequence[float],
    objVelocities: Sequence[float],
    objAccelerations: Sequence[float],
    physicsClientId: int = ...,
) -> tuple[float, ...]: ...
def calculateInverseKinematics(
    bodyUniqueId: int,
    endEffectorLinkIndex: int,
    targetPosition: Sequence[float],
    targetOrientation: Sequence[float] = ...,
    lowerLimits: Sequence[float] = ...,
    upperLimits: Sequence[float] = ...,
    jointRanges: Sequence[float] = ...,
    restPoses: Sequence[float] = ...,
    jointDamping: Sequence[float] = ...,
    solver: int = ...,
    currentPositions: Sequence[float] = ...,
    maxNumIterations: int = ...,
    residualThreshold: float = ...,
    physicsClientId: int = ...,
) -> tuple[float, ...]: ...
def calculateMassMatrix(
    bodyUniqueId: int, objPositions: Sequence[float], physicsClientId: int = ...
) -> tuple[tuple[float, ...], ...]: ...
def createConstraint(
    parentBodyUniqueId: int,
    parentLinkIndex: int,
    childBodyUniqueId: int,
    childLinkIndex: int,
    jointType: int,
    jointAxis: Sequence[float],
    parentFramePosition: Sequence[float],
    childFramePosition: Sequence[float],
    parentFrameOrientation: Sequence[float] = ...,
    childFrameOrientation: Sequence[float] = ...,
    physicsClientId: int = ...,
) -> int: ...
def changeConstraint(
    userConstraintUniqueId: int,
    jointChildPivot: Sequence[float] = ...,
    jointChildFrameOrientation: Sequence[float] = ...,
    maxForce: float = ...,
    gearRatio: float = ...,
    gearAuxLink: int = ...,
    relativePositionTarget: float = ...,
    erp: float = ...,
    physicsClientId: int = ...,
) -> None: ...
def removeConstraint(userConstraintUniqueId: int, physicsClientId: int = ...) -> None: ...
def getQuaternionFromEuler(eulerAngles: Sequence[float], physicsClientId: int = ...) -> Quaternion: ...
def getEulerFromQuaternion(quaternion: Sequence[float], physicsClientId: int = ...) -> Vector3: ...
def getMatrixFromQuaternion(quaternion: Sequence[float], physicsClientId: int = ...) -> tuple[float, ...]: ...
def multiplyTransforms(
    positionA: Sequence[float],
    orientationA: Sequence[float],
    positionB: Sequence[float],
    orientationB: Sequence[float],
    physicsClientId: int = ...,
) -> tuple[Vector3, Quaternion]: ...
def invertTransform(
    position: Sequence[float], orientation: Sequence[float], physicsClientId: int = ...
) -> tuple[Vector3, Quaternion]: ...
def computeViewMatrix(
    cameraEyePosition: Sequence[float],
    cameraTargetPosition: Sequence[float],
    cameraUpVector: Sequence[float],
    physicsClientId: int = ...,
) -> tuple[float, ...]: ...
def computeViewMatrixFromYawPitchRoll(
    cameraTargetPosition: Sequence[float],
    distance: float,
    yaw: float,
    pitch: float,
    roll: float,
    upAxisIndex: int,
    physicsClientId: int = ...,
) -> tuple[float, ...]: ...
def computeProjectionMatrixFOV(
    fov: float, aspect: float, nearVal: float, farVal: float, physicsClientId: int = ...
) -> tuple[float, ...]: ...
def getCameraImage(
    width: int,
    height: int,
    viewMatrix: Sequence[float] = ...,
    projectionMatrix: Sequence[float] = ...,
    lightDirection: Sequence[float] = ...,
    lightColor: Sequence[float] = ...,
    lightDistance: float = ...,
    shadow: int = ...,
    lightAmbientCoeff: float = ...,
    lightDiffuseCoeff: float = ...,
    lightSpecularCoeff: float = ...,
    renderer: int = ...,
    flags: int = ...,
    physicsClientId: int = ...,
) -> CameraImage: ...
