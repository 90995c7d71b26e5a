"""Empty scenes: four kinds of place, each with a ground, light and clutter.

A scene is painted into an H x W x 3 array, 0 .. 255, red first.
"""

import numpy as np

from data.figures.clutter import (
    ball,
    clutter,
    crate,
    hanging,
    house,
    post,
    rock,
    tree,
)


def grained(dice, shape, colour, strength, cell=5, tall=1):
    """A surface: a colour with coarse and fine noise."""
    height, width = shape
    coarse = dice.noise(height, width, 6 * cell)
    fine = dice.noise(-(-height // tall), width, cell).repeat(tall, 0)[:height]
    texture = strength * (0.5 * coarse + fine + 0.5 * dice.array(*shape) - 1)
    return np.asarray(colour) + texture[:, :, None]


def sky(dice, image, horizon):
    top = dice.near(
        dice.pick([(92, 150, 220), (150, 170, 190), (228, 160, 120)])
    )
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
    green = dice.near(
        dice.pick([(104, 142, 62), (140, 148, 76), (76, 122, 60)])
    )
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
    water = dice.near(
        dice.pick([(52, 104, 150), (70, 130, 140), (88, 104, 122)])
    )
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
        house(
            dice,
            image,
            left,
            right,
            int(horizon * dice.between(0.1, 0.7)),
            horizon,
        )
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
    wall = dice.near(
        dice.pick([(206, 190, 160), (168, 184, 190), (190, 160, 160)])
    )
    image[:horizon] = grained(dice, (horizon, width), wall, 16, 8)
    pitch = 7 + dice.below(8)
    if dice.chance(0.6):  # wallpaper
        image[:horizon, np.arange(width) % pitch < pitch // 2] -= dice.between(
            6, 22
        )
    floor = dice.near(
        dice.pick([(150, 104, 66), (120, 112, 104), (172, 140, 110)])
    )
    image[horizon:] = grained(dice, (height - horizon, width), floor, 24, 4)
    image[horizon::9] *= 0.8  # planks
    image[horizon - 3 : horizon] = dice.near((226, 220, 208))
    if dice.chance(0.5):
        hanging(dice, image, horizon)
    clutter(dice, image, horizon, (crate, ball, post))


SCENES = {'meadow': meadow, 'lake': lake, 'street': street, 'room': room}


def scene(dice, name, height, width):
    """An empty scene of that name, and the row where its ground begins."""
    horizon = int(height * dice.between(0.3, 0.6))
    image = np.zeros((height, width, 3))
    SCENES[name](dice, image, horizon)
    return image, horizon
