"""Ten of VOC's classes as figures: each has a shape, colours and a texture by
which it can be told, and enough play in all three that none alone will do.

Coordinates: u to the right, v down, the longest side from -1 to 1.
"""

import numpy as np

from data.figures.paint import both
from data.figures.vehicles import (
    DARK,
    PAINTS,
    TYRE,
    WHITE,
    aeroplane,
    boat,
    bus,
    car,
)

SKINS = (236, 196, 164), (198, 146, 108), (132, 90, 62), (90, 60, 44)
FURS = (222, 132, 46), (196, 120, 60), (170, 104, 50)
HAIRS = FURS + ((60, 56, 60), (150, 146, 140))


def bottle(f):
    f.stretch(u=1.35)
    glass = f.dice.near(f.dice.pick([(20, 138, 86), (30, 118, 64)]))
    f.paint(f.box(-0.11, -0.86, 0.11, 0.0, 0.05), glass)
    f.paint(f.ellipse(0.0, -0.12, 0.3, 0.3), glass)
    f.paint(f.box(-0.3, -0.14, 0.3, 0.97, 0.1), glass)
    edge = (abs(f.u) / 0.3).clip(0, 1)
    f.colour *= (1.25 - 0.6 * edge * edge)[:, :, None]
    f.decorate(f.box(-0.3, 0.16, 0.3, 0.62), f.dice.near((236, 226, 196)))
    f.decorate(f.box(-0.3, 0.28, 0.3, 0.4), f.dice.near(f.dice.pick(PAINTS)))
    f.paint(f.box(-0.14, -0.98, 0.14, -0.8, 0.03), f.dice.near((206, 176, 70)))
    f.decorate(f.bar(-0.17, -0.08, -0.17, 0.86, 0.028), (232, 244, 240))


def cat(f):
    fur = f.dice.near(f.dice.pick(FURS))
    dark, light = fur * 0.55, fur * 0.4 + 150
    f.paint(f.bar(0.3, 0.8, 0.72, 0.5, 0.1), dark)
    f.paint(f.bar(0.72, 0.5, 0.66, 0.08, 0.1, 0.07), fur)
    f.paint(f.ellipse(0.0, 0.46, 0.44, 0.52), f.grain(fur, 0.08, 50))
    waves = f.v * 5 + 0.6 * abs(f.u)  # tabby: bars across the body
    saw = abs(waves - np.floor(waves) - 0.5) * 2
    f.decorate(
        both((f.all, 0.06 * (saw - 0.28)), f.box(-0.5, -0.1, 0.5, 0.8)), dark
    )
    f.decorate(f.ellipse(0.0, 0.5, 0.2, 0.36), light)
    for side in (-1, 1):
        f.paint(f.ellipse(0.2 * side, 0.93, 0.17, 0.09), light)
        ear = [(0.38 * side, -0.9), (0.42 * side, -0.4), (0.08 * side, -0.62)]
        inner = [(0.35 * side, -0.79), (0.36 * side, -0.5), (0.18 * side, -0.6)]
        f.paint(f.polygon(*ear[::side]), fur)
        f.paint(f.polygon(*inner[::side]), (226, 160, 156))
    f.paint(f.ellipse(0.0, -0.34, 0.46, 0.38), f.grain(fur, 0.08, 50))
    for x in (-0.12, 0.0, 0.12):
        f.decorate(f.bar(x, -0.7, x * 0.8, -0.54, 0.03), dark)
    f.paint(f.ellipse(0.0, -0.17, 0.2, 0.13), light)
    for side in (-1, 1):
        f.paint(f.ellipse(0.19 * side, -0.38, 0.1, 0.085), (186, 214, 70))
        f.paint(f.ellipse(0.19 * side, -0.38, 0.032, 0.08), TYRE)
    f.paint(
        f.polygon((-0.06, -0.26), (0.06, -0.26), (0.0, -0.19)), (210, 110, 116)
    )


def person(f):
    f.stretch(u=1.3)
    skin, hair = (
        f.dice.near(f.dice.pick(SKINS)),
        f.dice.near(f.dice.pick(HAIRS), 20) * 0.6,
    )
    shirt = f.dice.near(f.dice.pick(PAINTS + (WHITE,)), 24)
    trousers = f.dice.near(
        f.dice.pick([(46, 60, 104), (60, 58, 60), (134, 116, 84)])
    )
    stride, swing = f.dice.between(0.06, 0.24), f.dice.between(-0.3, 0.25)
    for side in (-1, 1):
        foot = stride * side
        f.paint(f.bar(0.11 * side, 0.12, foot, 0.86, 0.12, 0.085), trousers)
        f.paint(f.bar(foot, 0.92, foot + 0.08, 0.92, 0.06), TYRE)
    f.paint(
        f.polygon((-0.27, -0.52), (0.27, -0.52), (0.22, 0.16), (-0.22, 0.16)),
        shirt,
    )
    f.decorate(f.box(-0.3, 0.1, 0.3, 0.16), DARK)
    for side in (-1, 1):
        elbow, hand = 0.36 * side, (0.34 + max(0.0, -swing) * 0.6) * side
        f.paint(f.bar(0.24 * side, -0.46, elbow, -0.14, 0.085), shirt * 0.86)
        f.paint(
            f.bar(elbow, -0.14, hand, swing if side > 0 else 0.16, 0.06), skin
        )
    f.paint(f.box(-0.07, -0.66, 0.07, -0.5), skin * 0.85)
    f.paint(f.circle(0.0, -0.82, 0.18), hair)
    f.paint(f.ellipse(0.0, -0.77, 0.145, 0.165), skin)
    for side in (-1, 1):
        f.paint(f.circle(0.06 * side, -0.79, 0.022), DARK)
    f.paint(f.bar(-0.04, -0.69, 0.04, -0.69, 0.012), (150, 60, 60))
    f.shade(0.12)


def pottedplant(f):
    pot = f.dice.near(f.dice.pick([(188, 96, 58), (170, 84, 60)]))
    for i in range(15):  # those at the back first
        x, y = f.dice.between(-0.8, 0.8), f.dice.between(-0.95, 0.05)
        green = f.dice.near((46, 118, 48), 22) * (0.7 + 0.03 * i)
        root = 0.12 * x
        f.paint(f.bar(root, 0.34, x * 0.6, y * 0.7, 0.03, 0.11), green)
        f.paint(f.bar(x * 0.6, y * 0.7, x, y, 0.11, 0.02), green * 1.1)
    if f.dice.chance(0.5):
        petal = f.dice.near(
            f.dice.pick([(230, 70, 110), (248, 210, 70), WHITE])
        )
        for _ in range(5):
            x, y = f.dice.between(-0.6, 0.6), f.dice.between(-0.75, 0.0)
            f.paint(f.circle(x, y, 0.1), petal)
            f.paint(f.circle(x, y, 0.04), (240, 180, 40))
    f.paint(
        f.polygon((-0.36, 0.36), (0.36, 0.36), (0.25, 0.97), (-0.25, 0.97)), pot
    )
    f.paint(f.box(-0.42, 0.3, 0.42, 0.46, 0.04), pot * 1.12)
    f.decorate(
        f.polygon((0.16, 0.46), (0.4, 0.46), (0.26, 0.97), (0.1, 0.97)),
        pot * 0.72,
    )


def sheep(f):
    wool = f.dice.near(f.dice.pick([(246, 240, 218), (238, 226, 196)]), 8)
    face = f.dice.near(f.dice.pick([(228, 150, 140), (214, 128, 128)]), 8)
    for x in (-0.46, -0.26, 0.2, 0.42):
        f.paint(f.bar(x, 0.3, x, 0.84, 0.08, 0.065), face)
    curls = f.grain(wool, 0.1, 150)
    f.paint(f.ellipse(-0.06, 0.02, 0.7, 0.48), curls)
    for _ in range(14):
        x, y = f.dice.between(-0.72, 0.6), f.dice.between(-0.34, 0.36)
        f.paint(f.circle(x, y * (1 - 0.5 * x * x), 0.19), curls)
    f.shade(0.35)
    f.paint(f.ellipse(0.72, -0.2, 0.22, 0.28), face)
    f.paint(f.bar(0.56, -0.34, 0.42, -0.28, 0.07), face * 0.8)
    f.paint(f.circle(0.64, -0.42, 0.16), curls)
    f.paint(f.circle(0.78, -0.26, 0.035), TYRE)


def tvmonitor(f):
    frame = f.dice.near(DARK, 8)
    f.paint(f.box(-0.1, 0.4, 0.1, 0.76), frame * 0.8)
    f.paint(f.ellipse(0.0, 0.8, 0.46, 0.11), frame * 0.9)
    f.paint(f.box(-0.97, -0.72, 0.97, 0.48, 0.07), frame)
    glow = f.dice.near((70, 170, 224), 24)
    light = np.maximum(0, 1.15 - 0.35 * (f.v + f.u * 0.5))[:, :, None]
    screen = f.box(-0.86, -0.61, 0.86, 0.35, 0.03)
    f.paint(screen, (glow * light).clip(0, 255))
    kind = f.dice.below(3)
    for i in range(5):
        part = [
            f.box(
                -0.8 + 0.33 * i,
                -0.45 + f.dice.between(0, 0.5),
                -0.56 + 0.33 * i,
                0.3,
            ),
            f.box(
                -0.76,
                -0.5 + 0.16 * i,
                f.dice.between(-0.4, 0.7),
                -0.42 + 0.16 * i,
            ),
            f.circle(
                f.dice.between(-0.7, 0.7), f.dice.between(-0.4, 0.2), 0.12
            ),
        ][kind]
        f.decorate(
            both(part, screen),
            f.dice.near(f.dice.pick(PAINTS), 30) * 0.6 + 100,
        )
    f.paint(f.circle(0.85, 0.42, 0.025), (120, 240, 120))


AEROPLANE = 1  # flies: it has no shadow, and no place on the ground

# VOC's class number: (name, how it is painted, the scenes it is at home in)
OBJECTS = {
    AEROPLANE: (aeroplane, ('meadow', 'lake', 'street')),
    4: (boat, ('lake',)),
    5: (bottle, ('room',)),
    6: (bus, ('street',)),
    7: (car, ('street', 'meadow')),
    8: (cat, ('room', 'meadow')),
    15: (person, ('street', 'meadow', 'room', 'lake')),
    16: (pottedplant, ('room', 'street')),
    17: (sheep, ('meadow',)),
    20: (tvmonitor, ('room',)),
}
