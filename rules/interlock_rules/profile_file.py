"""From a robot's file to its profile: sources spelt out, columns expanded, and every name in it known."""

from __future__ import annotations

from collections.abc import Iterable

from interlock.cartesian import CARTESIAN, columns_of, problems
from interlock.chunk import Channel, Layout
from interlock.profile import (
    AllowedCollision,
    Finger,
    Gripper,
    Inertia,
    Joint,
    LockedJoint,
    NamedPose,
    Profile,
    Stopping,
    ToolPoint,
    Urdf,
    UrdfCopy,
)

from .forms import bounds, pose
from .problems import nearest
from .profile_form import (
    ChannelForm,
    GripperForm,
    InertiaForm,
    JointForm,
    LayoutForm,
    PoseForm,
    ProfileForm,
    StoppingForm,
    UrdfForm,
)
from .reading import Reading
from .yaml_text import Document


def read_profile(document: Document) -> Profile:
    """The profile that a robot's file describes; raises BadFile with every problem that was found."""
    reading = Reading(document)
    form = reading.read(ProfileForm, document.root.tree)
    profile = reading.build((), lambda: _profile(form, reading)) if form else None
    found = reading.end(profile)
    for index, layout in enumerate(found.layouts):
        for message in problems(layout, found):
            reading.note(("layouts", index), message)
    return reading.end(found)


def _profile(form: ProfileForm, reading: Reading) -> Profile | None:
    joints = reading.each(("joints",), form.joints, lambda joint: _joint(joint, form))
    grippers = reading.each(("grippers",), form.grippers, lambda gripper: _gripper(gripper, form))
    layouts = reading.each(("layouts",), form.layouts, lambda layout: _layout(layout, form))
    poses = reading.each(("poses",), form.poses, lambda named: _pose(named, form))
    inertias = reading.each(("inertias",), form.inertias, lambda inertia: _inertia(inertia, form))
    measured = (form.stopping,) if form.stopping else ()
    stopping = reading.each(("stopping",), measured, lambda found: _stopping(found, form))
    if reading.problems:
        return None
    return Profile(
        name=form.name,
        joints=joints,
        grippers=grippers,
        layouts=layouts,
        control_rate_hz=form.control_rate,
        interpolation=form.interpolation,
        poses=poses,
        urdf=_urdf(form.urdf) if form.urdf else None,
        flange=form.flange or "",
        hand_links=form.hand_links,
        tool_points=tuple(ToolPoint(point.name, point.link, pose(point.at, point.rpy)) for point in form.tool_points),
        inertias=inertias,
        allowed_collisions=tuple(AllowedCollision(*one.pair, one.because) for one in form.allowed_collisions),
        locked=tuple(LockedJoint(one.joint, one.at, one.because) for one in form.locked),
        stopping=stopping[0] if stopping else None,
        stop_category=form.stop_category,
        vetoes_before_stop=form.vetoes_before_stop,
    )


def _urdf(form: UrdfForm) -> Urdf:
    package, _, path = form.file.partition(":")
    copies = tuple(UrdfCopy(copy.prefix, pose(copy.at, copy.rpy)) for copy in form.copies)
    return Urdf(package, path, form.sha256, form.meshes_sha256 or "", copies)


def _known(word: str, words: Iterable[str], what: str) -> str:
    """The word, if it is one of those; raises ValueError with the nearest."""
    known = tuple(words)
    if word not in known:
        raise ValueError(f'unknown {what} "{word}"{nearest(word, known) if known else "; the file names none"}')
    return word


def _source(name: str, form: ProfileForm) -> str:
    return form.sources[_known(name, form.sources, "source")]


def _joint(joint: JointForm, form: ProfileForm) -> Joint:
    lower, upper = bounds(joint.position, "rad")
    return Joint(
        name=joint.name,
        lower=lower,
        upper=upper,
        velocity=joint.velocity,
        acceleration=joint.acceleration,
        tracking=joint.tracking,
        source=f"{_source(joint.source, form)}; tracking: {_source(joint.tracking_source, form)}",
        jerk=joint.jerk,
        torque=joint.torque,
    )


def _gripper(gripper: GripperForm, form: ProfileForm) -> Gripper:
    closed, opened = bounds(gripper.travel, gripper.speed.unit)
    return Gripper(
        name=gripper.name,
        closed=closed,
        open=opened,
        unit=gripper.speed.unit,
        speed=gripper.speed.value,
        source=_source(gripper.source, form),
        force_n=gripper.force,
        fingers=tuple(Finger(finger.joint, finger.share) for finger in gripper.fingers),
    )


def _layout(layout: LayoutForm, form: ProfileForm) -> Layout:
    channels = [channel for columns in layout.channels for channel in _channels(columns, form)]
    return Layout(layout.name, tuple(channels))


def _channels(columns: ChannelForm, form: ProfileForm) -> list[Channel]:
    joints = [joint.name for joint in form.joints]
    known = ["joints", *joints, *(gripper.name for gripper in form.grippers)]
    if columns.quantity in CARTESIAN:
        tool = _known(columns.of, [point.name for point in form.tool_points], "tool point")
        names = list(columns_of(tool, columns.quantity, columns.rotation))
    else:
        names = joints if columns.of == "joints" else [_known(columns.of, known, "joint or gripper")]
    return [
        Channel(
            name=name,
            group=columns.group,
            quantity=columns.quantity,
            reference=columns.reference,
            unit=columns.unit,
            frame=columns.frame,
            rotation=columns.rotation,
            polarity=columns.polarity,
            on_loss=columns.on_loss,
        )
        for name in names
    ]


def _pose(named: PoseForm, form: ProfileForm) -> NamedPose:
    if len(named.joints) != len(form.joints):
        raise ValueError(
            f'pose "{named.name}" has {len(named.joints)} positions; the robot has {len(form.joints)} joints'
        )
    for joint, position in zip(form.joints, named.joints, strict=True):
        if not joint.position.low <= position <= joint.position.high:
            raise ValueError(f'pose "{named.name}" is beyond the travel of {joint.name}, at {position:g} rad')
    return NamedPose(named.name, named.joints)


def _inertia(inertia: InertiaForm, form: ProfileForm) -> Inertia:
    return Inertia(inertia.link, inertia.mass, inertia.com, inertia.tensor, _source(inertia.source, form))


def _stopping(stopping: StoppingForm, form: ProfileForm) -> Stopping:
    if len(stopping.angles) != len(form.joints):
        raise ValueError(f"stopping has {len(stopping.angles)} angles; the robot has {len(form.joints)} joints")
    return Stopping(stopping.time, stopping.angles, _source(stopping.source, form))
