"""What stands about in the generated scenes and belongs to no class."""

import numpy as np

from data.figures.paint import Figure


def _thing(dice, image, x, y, radius):
    return Figure(dice, x, y, radius, area=image.shape[:2])


def clutter(dice, image, horizon, kinds):
    """A few things of those kinds, anywhere on the ground."""
    height, width = image.shape[:2]
    for _ in range(1 + dice.below(4)):
        thing = dice.pick(kinds)
        thing(
            dice, image, dice.between(0, width), dice.between(horizon, height)
        )


def tree(dice, image, x, y):
    figure = _thing(dice, image, x, y - 12, dice.between(14, 26))
    figure.paint(figure.bar(0, 0.1, 0, 0.6, 0.09), (92, 70, 52))
    leaves = dice.near((58, 96, 56), 18)
    for _ in range(9):
        u, v = dice.between(-0.5, 0.5), dice.between(-0.7, 0.0)
        colour = figure.grain(leaves * dice.between(0.8, 1.15), 0.1, 40)
        figure.paint(figure.circle(u, v, 0.28), colour)
    figure.onto(image)


def rock(dice, image, x, y):
    figure = _thing(dice, image, x, y, dice.between(5, 14))
    colour = figure.grain(dice.near((122, 116, 108), 20), 0.3, 50)
    figure.paint(figure.ellipse(0, 0, 0.95, dice.between(0.45, 0.8)), colour)
    figure.shade(0.5)
    figure.onto(image)


def ball(dice, image, x, y):
    figure = _thing(dice, image, x, y, dice.between(4, 10))
    colour = np.array([dice.between(40, 240) for _ in range(3)])
    figure.paint(figure.circle(0, 0, 0.9), colour)
    figure.decorate(figure.box(-1, -0.2, 1, 0.2), colour * 0.5 + 100)
    figure.shade(0.6)
    figure.onto(image)


def post(dice, image, x, y):
    figure = _thing(dice, image, x, y - 10, dice.between(14, 34))
    figure.paint(figure.bar(0, -0.9, 0, 0.9, 0.05), dice.near((84, 84, 88), 30))
    if dice.chance(0.5):
        sign = dice.near((210, 210, 216), 30)
        figure.paint(figure.circle(0, -0.75, 0.2), sign)
        figure.decorate(figure.circle(0, -0.75, 0.14), sign * 0.6)
    figure.onto(image)


def crate(dice, image, x, y):
    figure = _thing(dice, image, x, y, dice.between(7, 17))
    wood = dice.near((164, 124, 78), 24)
    figure.paint(figure.box(-0.9, -0.7, 0.9, 0.7), figure.grain(wood, 0.2, 30))
    for v in (-0.3, 0.1, 0.5):
        figure.decorate(figure.box(-0.9, v, 0.9, v + 0.08), wood * 0.6)
    figure.decorate(figure.bar(-0.9, 0.7, 0.9, -0.7, 0.08), wood * 0.75)
    figure.onto(image)


def house(dice, image, left, right, top, bottom):
    colour = dice.near(
        dice.pick([(156, 108, 88), (178, 168, 150), (120, 122, 130)])
    )
    image[top:bottom, left:right] = colour
    lit = dice.near((70, 84, 100)) if dice.chance(0.7) else (226, 206, 130)
    pitch = 7 + dice.below(4)
    for y in range(top + 3, bottom - 4, pitch + 2):
        for x in range(left + 3, right - 4, pitch):
            image[y : y + pitch - 3, x : x + pitch - 4] = lit


def hanging(dice, image, horizon):
    """A picture on the wall."""
    height, width = 10 + dice.below(16), 10 + dice.below(20)
    y, x = (
        dice.below(max(1, horizon - height)),
        dice.below(image.shape[1] - width),
    )
    image[y : y + height, x : x + width] = dice.near((140, 100, 50))
    inner = image[y + 2 : y + height - 2, x + 2 : x + width - 2]
    inner[:] = dice.near((190, 180, 150), 40)
    inner[inner.shape[0] // 2 :] -= dice.between(20, 80)
