"""Generated pictures: a scene with clutter, objects in it, light over it, and
the label that says which pixel is what.

A picture is made from a seed and its number alone, so any of them can be made
again without the others. Arrays are H x W x 3, 0 .. 255, red first.
"""

import numpy as np

from data.classes import VOID
from data.figures.objects import AEROPLANE, OBJECTS
from data.figures.paint import Dice, Figure
from data.figures.scenes import SCENES, scene

KINDS = sorted(OBJECTS)
# Smallest and largest radius in pixels. Labels scaled down by 32, 16 and 8, and
# up again, still reach a mean IU of 0.68, 0.89 and 0.98: the room that the
# strides of FCN-32s, 16s and 8s leave.
RADII = (14, 22), (36, 56), (46, 68), (60, 90)
# Every class keeps to a colour, and scenes are pale and hazy: a net with a
# hundredth of VGG's weights has minutes to learn what is what.
HUES = {
    1: (60, 196, 240),
    4: (222, 34, 34),
    5: (6, 124, 70),
    6: (252, 206, 10),
    7: (24, 52, 214),
    8: (244, 128, 16),
    15: (206, 50, 196),
    16: (132, 220, 30),
    17: (255, 240, 226),
    20: (18, 18, 28),
}
HUE, CHROMA, CONTRAST, HAZE = 0.75, 0.25, 0.5, 120  # shares; a gray
HIDDEN = 0.35  # of an object's pixels, at most, when another is put before it


def picture(seed, number):
    """Gives: image H x W x 3 uint8; classes H x W uint8, 0 = background;
    border H x W bool: where VOC's labels are void"""
    dice = Dice(seed, number)
    height, width = 140 + dice.below(61), 140 + dice.below(61)
    first = KINDS[number % len(KINDS)]  # so that all are about as frequent
    home = OBJECTS[first][1]
    name = dice.pick(home) if dice.chance(0.75) else dice.pick(list(SCENES))
    image, horizon = scene(dice, name, height, width)
    image = pale(image)
    owner = np.zeros((height, width), int)  # 0, or 1 + index of the object
    drawn = []
    for _ in range(2 + dice.below(3)):
        kind = first if not drawn else other_kind(dice, name)
        figure = place(dice, kind, horizon, owner)
        if figure is None:
            continue
        drawn.append(kind)
        shadow(image, figure, kind)
        figure.onto(image)
        figure.window(owner)[figure.solid] = len(drawn)
    classes = np.array([0] + drawn, np.uint8)[owner]
    return finish(dice, image), classes, borders(owner)


def other_kind(dice, name):
    at_home = [kind for kind in KINDS if name in OBJECTS[kind][1]]
    return dice.pick(at_home if dice.chance(0.6) else KINDS)


def place(dice, kind, horizon, owner):
    """A painted figure where it hides little of those before it, or None."""
    height, width = owner.shape
    for _ in range(8):
        radius = dice.between(*dice.pick(RADII))
        inset = min(0.75 * radius, 0.4 * min(height, width))
        x = dice.between(inset, width - inset)
        y = dice.between(inset, height - inset)
        if kind == AEROPLANE:
            y = dice.between(inset, max(inset + 1, 1.4 * horizon))
        elif y < horizon - 0.3 * radius:  # feet on the ground, mostly
            y = min(height - inset, horizon + dice.between(-0.3, 0.6) * radius)
        figure = painted(dice, kind, x, y, radius, owner.shape)
        if hides_little(figure, owner):
            return figure
    return None


def painted(dice, kind, x, y, radius, area):
    tilt, flip = dice.between(-0.06, 0.06), dice.pick((-1, 1))
    figure = Figure(dice, x, y, radius, tilt, flip, area)
    OBJECTS[kind][0](figure)
    light = 0.6 + 0.4 * figure.colour.mean(2, keepdims=True) / 128
    figure.colour += HUE * (light * HUES[kind] - figure.colour)
    return figure


def pale(image):
    gray = image.mean(2, keepdims=True)
    return HAZE + CONTRAST * (gray - HAZE) + CHROMA * (image - gray)


def hides_little(figure, owner):
    under = figure.window(owner)[figure.solid]
    if under.size < 40 or (under > 0).sum() > HIDDEN * under.size:
        return False
    return all(
        (under == other).sum() <= HIDDEN * (owner == other).sum()
        for other in np.unique(under[under > 0])
    )


def shadow(image, figure, kind):
    if kind == AEROPLANE:
        return
    feet = figure.v[figure.solid].max()
    at, u, v = figure.around(-1.0, feet - 0.25, 1.0, feet + 0.25)
    dark = 0.6 * (1 - u * u - (v - feet) * (v - feet) * 20).clip(0, 0.6)
    window = figure.window(image)[at]
    window *= (1 - dark)[:, :, None]


def borders(owner):
    """Pixels beside another object or the background: as in VOC, a band of
    void along every outline."""
    padded = np.pad(owner, 1, mode='edge')
    height, width = owner.shape
    edge = np.zeros(owner.shape, bool)
    for i in range(3):
        for j in range(3):
            edge |= padded[i : i + height, j : j + width] != owner
    return edge


def voc_label(classes, border):
    return np.where(border, VOID, classes).astype(np.uint8)


def finish(dice, image):
    """Light from one side, a cast, sensor noise; then 8 bits."""
    height, width = image.shape[:2]
    down = np.linspace(-1, 1, height)[:, None, None]
    right = np.linspace(-1, 1, width)[None, :, None]
    across, along = dice.between(-0.18, 0.18), dice.between(-0.18, 0.18)
    light = 1 + across * right + along * down
    gain = dice.between(0.88, 1.15)
    cast = np.array([dice.between(0.95, 1.05) for _ in range(3)])
    noise = dice.array(*image.shape) - 0.5
    image = image * light * (gain * cast) + dice.between(3, 13) * noise
    return (image.clip(0, 255) + 0.5).clip(0, 255).astype(np.uint8)


def crop(seed, number, size=128):
    """One object alone in the middle, as ImageNet's pictures are.

    Gives: image size x size x 3 uint8; VOC's number of its class
    """
    dice = Dice(seed, number)
    kind = KINDS[number % len(KINDS)]
    name = dice.pick(OBJECTS[kind][1] if dice.chance(0.5) else list(SCENES))
    image = pale(scene(dice, name, size, size)[0])
    radius = dice.between(0.26, 0.46) * size
    x, y = (size * dice.between(0.44, 0.56) for _ in range(2))
    figure = painted(dice, kind, x, y, radius, (size, size))
    shadow(image, figure, kind)
    figure.onto(image)
    return finish(dice, image), kind
