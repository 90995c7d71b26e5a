"""Vehicles among the figures. Coordinates: u to the right, v down, the longest
side from -1 to 1."""

WHITE, DARK, TYRE = (238, 238, 236), (38, 40, 46), (28, 28, 30)
GLASS = (62, 82, 104)
PAINTS = (
    (196, 34, 36),
    (30, 82, 178),
    (238, 190, 30),
    (30, 130, 76),
    (120, 40, 130),
    (226, 110, 30),
)


def aeroplane(f):
    f.stretch(v=1.4)
    body = f.dice.near(f.dice.pick([WHITE, (212, 216, 224)]))
    accent = f.dice.near(f.dice.pick([(126, 48, 176), (150, 40, 150)]))
    f.paint(
        f.polygon((-0.08, -0.42), (0.02, -0.42), (0.24, -0.06), (-0.1, -0.06)),
        accent * 0.8,
    )
    f.paint(
        f.polygon((-1.0, -0.5), (-0.8, -0.5), (-0.5, -0.06), (-0.9, -0.02)),
        accent,
    )
    f.paint(f.bar(-0.86, -0.02, 0.66, 0.02, 0.1, 0.2), body)
    f.paint(f.ellipse(0.72, 0.03, 0.26, 0.17), body)
    f.shade(0.5)
    f.decorate(f.box(-1.0, 0.06, 1.0, 0.25), accent)  # the belly
    for i in range(6):
        f.decorate(f.circle(-0.55 + 0.18 * i, -0.05, 0.04), GLASS)
    f.decorate(
        f.polygon((0.66, -0.09), (0.8, -0.09), (0.9, 0.0), (0.7, 0.0)), DARK
    )
    f.paint(
        f.polygon((-0.06, 0.06), (0.24, 0.06), (-0.2, 0.48), (-0.4, 0.48)),
        accent * 0.9,
    )
    f.paint(f.bar(-0.1, 0.22, 0.06, 0.22, 0.07), body * 0.7)


def boat(f):
    hull = f.dice.near(f.dice.pick([(96, 50, 34), (60, 34, 40)]))
    sail = f.dice.near(f.dice.pick([(224, 66, 84), (214, 90, 60)]), 20)
    f.paint(f.bar(0.0, -0.95, 0.0, 0.4, 0.035), (110, 84, 60))
    f.paint(f.polygon((0.06, -0.9), (0.8, 0.22), (0.06, 0.28)), sail)
    f.paint(
        f.polygon((-0.05, -0.72), (-0.05, 0.28), (-0.62, 0.24)), sail * 0.86
    )
    for i in range(3):
        y = -0.3 + 0.2 * i
        f.decorate(f.box(0.06, y, 1.0, y + 0.03), sail * 0.7)
    f.paint(
        f.polygon((-0.92, 0.36), (0.98, 0.32), (0.66, 0.78), (-0.68, 0.78)),
        hull,
    )
    f.decorate(f.box(-1.0, 0.42, 1.0, 0.5), WHITE)
    f.shade(0.25)


def bus(f):
    body = f.dice.near(f.dice.pick([(244, 192, 24), (246, 166, 30)]))
    f.paint(f.box(-0.97, -0.58, 0.97, 0.46, 0.09), body)
    f.shade(0.3)
    f.decorate(f.box(-1.0, -0.58, 1.0, -0.48), body * 0.7 + 60)
    f.decorate(f.box(-1.0, 0.14, 1.0, 0.22), WHITE)
    count = 4 + f.dice.below(3)
    step = 1.5 / count
    for i in range(count):
        left = -0.88 + i * step
        f.paint(f.box(left, -0.38, left + step * 0.78, 0.02, 0.03), GLASS)
        f.paint(
            f.bar(left + 0.04, -0.1, left + 0.1, -0.3, 0.015), (150, 176, 198)
        )
    f.paint(f.box(0.68, -0.38, 0.9, 0.4, 0.03), (88, 110, 134))
    f.paint(f.box(0.86, 0.26, 0.95, 0.34, 0.02), (255, 244, 190))
    _wheels(f, (-0.58, 0.48), 0.46, 0.18)


def car(f):
    body = f.dice.near(f.dice.pick([(30, 82, 190), (24, 112, 176)]))
    f.paint(
        f.polygon((-0.62, -0.02), (-0.4, -0.42), (0.28, -0.42), (0.62, -0.02)),
        body,
    )
    f.paint(f.box(-0.96, -0.08, 0.97, 0.34, 0.14), body)
    f.shade(0.5)
    f.paint(
        f.polygon(
            (-0.5, -0.06), (-0.34, -0.34), (-0.08, -0.34), (-0.08, -0.06)
        ),
        GLASS,
    )
    f.paint(
        f.polygon((0.0, -0.06), (0.0, -0.34), (0.23, -0.34), (0.46, -0.06)),
        GLASS,
    )
    f.decorate(f.box(-1.0, 0.22, 1.0, 0.27), DARK)
    f.decorate(f.bar(-0.04, 0.0, -0.04, 0.2, 0.012), body * 0.6)
    f.decorate(f.ellipse(0.9, 0.04, 0.07, 0.06), (255, 246, 200))
    f.decorate(f.ellipse(-0.92, 0.04, 0.06, 0.06), (200, 30, 30))
    _wheels(f, (-0.52, 0.54), 0.33, 0.21)


def _wheels(f, places, y, radius):
    for x in places:
        f.paint(f.circle(x, y, radius), TYRE)
        f.paint(f.circle(x, y, radius * 0.5), (176, 178, 184))
