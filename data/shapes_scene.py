"""Generated pictures: a scene with clutter, objects in it, light over it, and
the label that says which pixel is what.

A picture is made from a seed and its number alone, so any of them can be made
again without the others. Arrays are H x W x 3, 0 .. 255, red first.
"""

import numpy as np

from data.palette import VOID
from data.shapes_clutter import (
    ball,
    clutter,
    crate,
    hanging,
    house,
    post,
    rock,
    tree,
)
from data.shapes_objects import OBJECTS, aeroplane
from data.shapes_paint import Dice, Figure

SCENES = 'meadow', 'lake', 'street', 'room'
# (share of objects, smallest and largest radius in pixels). The smallest are
# about as large as one output pixel of FCN-32s
RADII = (0.3, 9, 15), (0.4, 17, 28), (0.3, 30, 44)
SEEN = 0.45  # of an object's pixels must stay visible


def picture(seed, number):
    """Gives: image H x W x 3 uint8; classes H x W uint8, 0 = background;
    border H x W bool: where VOC's labels are void"""
    dice = Dice(seed, number)
    height, width = 96 + dice.below(65), 96 + dice.below(65)
    kinds = sorted(OBJECTS)
    first = kinds[number % len(kinds)]  # so that all are about as frequent
    home = OBJECTS[first][1]
    name = dice.pick(home) if dice.chance(0.75) else dice.pick(SCENES)
    image, horizon = scene(dice, name, height, width)
    owner = np.zeros((height, width), int)  # 0, or 1 + index of the object
    drawn = []
    for _ in range(1 + dice.below(4)):
        kind = first if not drawn else other_kind(dice, name)
        figure = place(dice, kind, horizon, owner)
        if figure is None:
            continue
        drawn.append(kind)
        if OBJECTS[kind][0] is not aeroplane:
            shadow(image, figure)
        stamp(image, owner, figure, len(drawn))
    classes = np.array([0] + drawn, np.uint8)[owner]
    return finish(dice, image), classes, borders(owner)


def other_kind(dice, name):
    kinds = sorted(OBJECTS)
    at_home = [kind for kind in kinds if name in OBJECTS[kind][1]]
    return dice.pick(at_home if dice.chance(0.6) else kinds)


def place(dice, kind, horizon, owner):
    """A painted figure where it hides little of those before it, or None."""
    height, width = owner.shape
    paint = OBJECTS[kind][0]
    for _ in range(8):
        roll, radius = dice.between(0, 1), 20.0
        for share, low, high in RADII:
            if 0 <= roll < share:
                radius = dice.between(low, high)
            roll -= share
        inset = min(0.75 * radius, 0.4 * min(height, width))
        x = dice.between(inset, width - inset)
        y = dice.between(inset, height - inset)
        if paint is aeroplane:
            y = dice.between(inset, max(inset + 1, 1.4 * horizon))
        elif y < horizon - 0.3 * radius:  # feet on the ground, mostly
            y = min(height - inset, horizon + dice.between(-0.3, 0.6) * radius)
        tilt = dice.between(-0.06, 0.06)
        flip = dice.pick((-1, 1))
        figure = Figure(dice, x, y, radius, tilt, flip, owner.shape)
        paint(figure)
        mine = figure.cover >= 0.5
        if hides_little(owner, figure, mine):
            return figure
    return None


def hides_little(owner, figure, mine):
    window = owner[figure.rows, figure.columns]
    if mine.sum() < 40 or (window[mine] > 0).mean() > SEEN:
        return False
    for other in np.unique(window[mine]):
        hidden = (window[mine] == other).sum()
        if other and hidden > (1 - SEEN) * (owner == other).sum():
            return False
    return True


def stamp(image, owner, figure, number):
    window = image[figure.rows, figure.columns]
    window += (figure.colour - window) * figure.cover[:, :, None]
    owner[figure.rows, figure.columns][figure.cover >= 0.5] = number


def shadow(image, figure):
    feet = figure.v[figure.cover >= 0.5].max()
    dark = (0.6 - figure.ellipse(0.0, feet, 0.8, 0.16) * 4).clip(0, 0.4)
    image[figure.rows, figure.columns] *= (1 - dark)[:, :, None]


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
    light = 1 + dice.between(-0.18, 0.18) * down + dice.between(-0.18, 0.18) * right
    gain = dice.between(0.85, 1.2)
    cast = np.array([dice.between(0.93, 1.07) for _ in range(3)])
    noise = dice.array(*image.shape) + dice.array(*image.shape) - 1
    image = image * light * (gain * cast) + dice.between(3, 14) * noise
    return (image.clip(0, 255) + 0.5).clip(0, 255).astype(np.uint8)


def crop(seed, number, size=96):
    """One object alone in the middle, as ImageNet's pictures are.

    Gives: image size x size x 3 uint8; VOC's number of its class
    """
    dice = Dice(seed, number)
    kinds = sorted(OBJECTS)
    kind = kinds[number % len(kinds)]
    name = dice.pick(OBJECTS[kind][1] if dice.chance(0.5) else SCENES)
    image, _ = scene(dice, name, size, size)
    radius = dice.between(0.26, 0.46) * size
    x, y = (size * dice.between(0.44, 0.56) for _ in range(2))
    tilt, flip = dice.between(-0.06, 0.06), dice.pick((-1, 1))
    figure = Figure(dice, x, y, radius, tilt, flip, (size, size))
    OBJECTS[kind][0](figure)
    if OBJECTS[kind][0] is not aeroplane:
        shadow(image, figure)
    stamp(image, np.zeros((size, size), int), figure, 1)
    return finish(dice, image), kind


def scene(dice, name, height, width):
    """An empty scene of that name, and the row where its ground begins."""
    horizon = int(height * dice.between(0.3, 0.6))
    image = np.zeros((height, width, 3))
    paint = {'meadow': meadow, 'lake': lake, 'street': street, 'room': room}
    paint[name](dice, image, horizon)
    return image, horizon


def grained(dice, shape, colour, strength, cell=5, tall=1):
    """A surface: a colour with coarse and fine noise."""
    height, width = shape
    coarse = dice.noise(height, width, 6 * cell)
    fine = dice.noise(-(-height // tall), width, cell).repeat(tall, 0)[:height]
    texture = strength * (0.5 * coarse + fine + 0.5 * dice.array(*shape) - 1)
    return np.asarray(colour) + texture[:, :, None]


def sky(dice, image, horizon):
    top = dice.near(dice.pick([(92, 150, 220), (150, 170, 190), (228, 160, 120)]))
    down = np.linspace(0, 1, horizon)[:, None, None]
    clouds = (dice.noise(horizon, image.shape[1], 22) - 0.5).clip(0)[:, :, None]
    part = top + (225 - top) * down * 0.7
    image[:horizon] = part + (245 - part) * clouds * dice.between(0.4, 1.9)


def meadow(dice, image, horizon):
    height, width = image.shape[:2]
    sky(dice, image, horizon)
    hills = horizon - dice.between(4, 22) * dice.noise(1, width, 37)[0]
    behind = np.arange(height)[:, None] > hills[None]
    image[behind] = dice.near((96, 128, 104))
    green = dice.near(dice.pick([(104, 142, 62), (140, 148, 76), (76, 122, 60)]))
    ground = height - horizon, width
    image[horizon:] = grained(dice, ground, green, 52, 3, tall=2)
    for _ in range(dice.below(4)):
        tree(dice, image, dice.between(0, width), horizon + 4)
    clutter(dice, image, horizon, (rock, ball, post))


def lake(dice, image, horizon):
    height, width = image.shape[:2]
    sky(dice, image, horizon)
    shore = horizon - dice.between(2, 14) * dice.noise(1, width, 29)[0]
    image[np.arange(height)[:, None] > shore[None]] = dice.near((84, 110, 92))
    water = dice.near(dice.pick([(52, 104, 150), (70, 130, 140), (88, 104, 122)]))
    ground = height - horizon, width
    ripples = dice.noise(height - horizon, -(-width // 5), 2).repeat(5, 1)
    image[horizon:] = grained(dice, ground, water, 22, 6)
    image[horizon:] += 46 * (ripples[:, :width, None] - 0.5)
    clutter(dice, image, horizon, (rock, ball, post))


def street(dice, image, horizon):
    height, width = image.shape[:2]
    sky(dice, image, horizon)
    left = 0
    while left < width:
        right = left + 18 + dice.below(34)
        house(dice, image, left, right, int(horizon * dice.between(0.1, 0.7)), horizon)
        left = right
    road = dice.near(dice.pick([(104, 104, 108), (136, 130, 124)]))
    image[horizon:] = grained(dice, (height - horizon, width), road, 26, 3)
    kerb = min(height, horizon + 3)
    image[horizon:kerb] = dice.near((176, 172, 164))
    middle = horizon + int(0.55 * (height - horizon))
    for x in range(dice.below(14), width, 26):
        image[middle : middle + 3, x : x + 14] = dice.near((222, 220, 206))
    clutter(dice, image, horizon, (post, crate, ball))


def room(dice, image, horizon):
    height, width = image.shape[:2]
    wall = dice.near(dice.pick([(206, 190, 160), (168, 184, 190), (190, 160, 160)]))
    image[:horizon] = grained(dice, (horizon, width), wall, 16, 8)
    pitch = 7 + dice.below(8)
    if dice.chance(0.6):  # wallpaper
        image[:horizon, np.arange(width) % pitch < pitch // 2] -= dice.between(6, 22)
    floor = dice.near(dice.pick([(150, 104, 66), (120, 112, 104), (172, 140, 110)]))
    image[horizon:] = grained(dice, (height - horizon, width), floor, 24, 4)
    image[horizon::9] *= 0.8  # planks
    image[horizon - 3 : horizon] = dice.near((226, 220, 208))
    if dice.chance(0.5):
        hanging(dice, image, horizon)
    clutter(dice, image, horizon, (crate, ball, post))
