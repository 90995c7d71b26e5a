"""Paint for the generated pictures: dice, noise, and figures with soft edges.

Every number comes from MT19937 through RandomState.random_sample, whose
stream numpy has frozen, and passes only through + - * / and square roots,
which round alike everywhere. So labels are the same on every machine; a
library's sine or a sum in another order would not promise that.
Not here: what is painted (shapes_objects.py) and where (shapes_scene.py).
"""

import numpy as np


class Dice:
    """Random choices, from one seed or a list of seeds."""

    def __init__(self, *seed):
        self._state = np.random.RandomState(seed)

    def array(self, *shape):
        """Numbers in [0, 1)."""
        return self._state.random_sample(shape)

    def between(self, low, high):
        return low + (high - low) * float(self._state.random_sample())

    def below(self, count):
        return int(self.between(0, count))

    def pick(self, choices):
        return choices[self.below(len(choices))]

    def chance(self, probability):
        return self.between(0, 1) < probability

    def near(self, colour, spread=14):
        """A colour like this one."""
        return np.array([c + self.between(-spread, spread) for c in colour])

    def noise(self, height, width, cell):
        """Smooth random hills, `cell` pixels from one to the next.

        Gives: height x width in [0, 1)
        """
        grid = self.array(height // cell + 2, width // cell + 2)
        rows, columns = np.arange(height) / cell, np.arange(width) / cell
        i, j = rows.astype(int)[:, None], columns.astype(int)[None]
        y, x = _ease(rows[:, None] - i), _ease(columns[None] - j)
        top = grid[i, j] * (1 - x) + grid[i, j + 1] * x
        bottom = grid[i + 1, j] * (1 - x) + grid[i + 1, j + 1] * x
        return top * (1 - y) + bottom * y


def _ease(t):
    return t * t * (3 - 2 * t)


class Figure:
    """An object being painted on a window of pixels of its own.

    It lives in a frame of its own: u to the right, v down, its longest side
    from -1 to 1. Shapes are signed distances in that frame (H x W, negative
    inside); `paint` puts colour where one is negative, with a soft edge.

    Takes: x, y: its centre in pixels; radius: pixels of one unit; tilt:
        tan(angle / 2) of its rotation; flip: -1 mirrors it; area: height and
        width of the picture it is cut off at
    """

    def __init__(self, dice, x, y, radius, tilt=0.0, flip=1, area=(160, 160)):
        self.dice = dice
        self.radius = radius
        reach = 1.25 * radius + 2
        self.rows = slice(*_clip(y - reach, y + reach, area[0]))
        self.columns = slice(*_clip(x - reach, x + reach, area[1]))
        dy = (np.arange(area[0])[self.rows] + 0.5 - y)[:, None] / radius
        dx = (np.arange(area[1])[self.columns] + 0.5 - x)[None] / radius
        cos = (1 - tilt * tilt) / (1 + tilt * tilt)
        sin = 2 * tilt / (1 + tilt * tilt)
        self.u = flip * (dx * cos + dy * sin)
        self.v = dy * cos - dx * sin
        self.colour = np.zeros(self.u.shape + (3,))
        self.cover = np.zeros(self.u.shape)  # 0 .. 1 of each pixel

    def paint(self, shape, colour):
        """Takes: colour: three numbers 0 .. 255, or H x W x 3"""
        cover = (0.5 - shape * self.radius).clip(0, 1)
        blend = cover[:, :, None]
        self.colour += (np.asarray(colour) - self.colour) * blend
        self.cover = np.maximum(self.cover, cover)

    def decorate(self, shape, colour):
        """Paints only what has been painted on before."""
        self.paint(np.maximum(shape, (0.5 - self.cover) / self.radius), colour)

    def shade(self, amount):
        """Light from above: the lower, the darker."""
        light = 1 + amount * (0.2 - self.v).clip(-1, 1)
        self.colour *= light[:, :, None]

    def grain(self, colour, cell, strength):
        """A colour broken up by noise of `cell` units, at least 2 pixels."""
        size = max(2, int(cell * self.radius))
        noise = self.dice.noise(*self.u.shape, size)[:, :, None]
        return np.asarray(colour) + strength * (noise - 0.5)

    def ellipse(self, x, y, rx, ry):
        a, b = (self.u - x) / rx, (self.v - y) / ry
        size = np.sqrt(a * a + b * b)
        slope = np.sqrt(a * a / (rx * rx) + b * b / (ry * ry))
        return size * (size - 1) / (slope + 1e-9)

    def circle(self, x, y, r):
        dx, dy = self.u - x, self.v - y
        return np.sqrt(dx * dx + dy * dy) - r

    def box(self, left, top, right, bottom, r=0.0):
        """A rectangle with corners of radius r."""
        x = abs(self.u - (left + right) / 2) - ((right - left) / 2 - r)
        y = abs(self.v - (top + bottom) / 2) - ((bottom - top) / 2 - r)
        out_x, out_y = x.clip(0), y.clip(0)
        out = np.sqrt(out_x * out_x + out_y * out_y)
        return out + np.maximum(x, y).clip(None, 0) - r

    def bar(self, x0, y0, x1, y1, r, r1=None):
        """A line with round ends, r thick at its start and r1 at its end."""
        dx, dy = x1 - x0, y1 - y0
        along = (self.u - x0) * dx + (self.v - y0) * dy
        t = (along / (dx * dx + dy * dy)).clip(0, 1)
        x, y = self.u - x0 - t * dx, self.v - y0 - t * dy
        return np.sqrt(x * x + y * y) - r - t * ((r if r1 is None else r1) - r)

    def polygon(self, *corners):
        """A convex polygon; corners as (u, v), clockwise as seen."""
        inside = None
        for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1]):
            dx, dy = x1 - x0, y1 - y0
            length = np.sqrt(dx * dx + dy * dy)
            side = ((self.u - x0) * dy - (self.v - y0) * dx) / length
            inside = side if inside is None else np.maximum(inside, side)
        return inside


def _clip(low, high, end):
    """Pixels from low to high, inside 0 .. end: at least one."""
    first = min(max(int(low), 0), end - 1)
    return first, max(first + 1, min(int(high) + 1, end))
