"""Paint for the generated pictures: dice, noise, and figures with soft edges.

Every number comes from MT19937 through RandomState.random_sample, whose
stream numpy has frozen, and passes only through + - * / and square roots,
which round alike everywhere. So labels are the same on every machine; a
library's sine or a sum in another order would not promise that.
Not here: what is painted (objects.py, scenes.py) and where (picture.py).
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
        i, j = rows.astype(int), columns.astype(int)
        y, x = _ease(rows - i)[:, None], _ease(columns - j)[None]
        bands = grid[i] * (1 - y) + grid[i + 1] * y  # height x points across
        return bands[:, j] * (1 - x) + bands[:, j + 1] * x


def _ease(t):
    return t * t * (3 - 2 * t)


class Figure:
    """An object being painted on a window of pixels of its own.

    It lives in a frame of its own: u to the right, v down, its longest side
    from -1 to 1. A shape is a signed distance in that frame, negative inside,
    for the pixels around it: (rows and columns, distances). `paint` puts
    colour where it is negative, with a soft edge.

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
        self._centre = x - self.columns.start, y - self.rows.start
        cos = (1 - tilt * tilt) / (1 + tilt * tilt)
        sin = 2 * tilt / (1 + tilt * tilt)
        self._turn = cos, sin, flip
        dy = (np.arange(area[0])[self.rows] + 0.5 - y)[:, None] / radius
        dx = (np.arange(area[1])[self.columns] + 0.5 - x)[None] / radius
        self.u = flip * (dx * cos + dy * sin)
        self.v = dy * cos - dx * sin
        self._stretch = 1.0, 1.0
        self.all = tuple(slice(0, size) for size in self.u.shape)
        self.colour = np.zeros(self.u.shape + (3,))
        self.cover = np.zeros(self.u.shape)  # 0 .. 1 of each pixel

    def stretch(self, u=1.0, v=1.0):
        """Makes what is painted from here on wider or higher."""
        self.u, self.v = self.u / u, self.v / v
        self._stretch = u, v

    def paint(self, shape, colour):
        """Takes: colour: three numbers 0 .. 255, or H x W x 3"""
        at, distance = shape
        cover = (0.5 - distance * self.radius).clip(0, 1)
        colour = np.asarray(colour)
        if colour.ndim == 3:
            colour = colour[at]
        target = self.colour[at]
        target += (colour - target) * cover[:, :, None]
        self.cover[at] = np.maximum(self.cover[at], cover)

    def decorate(self, shape, colour):
        """Paints only what has been painted on before."""
        at, distance = shape
        inside = (0.5 - self.cover[at]) / self.radius
        self.paint((at, np.maximum(distance, inside)), colour)

    def shade(self, amount):
        """Light from above: the lower, the darker."""
        light = 1 + amount * (0.2 - self.v).clip(-1, 1)
        self.colour *= light[:, :, None]

    def grain(self, colour, cell, strength):
        """A colour broken up by noise of `cell` units, at least 2 pixels."""
        size = max(2, int(cell * self.radius))
        noise = self.dice.noise(*self.u.shape, size)[:, :, None]
        return np.asarray(colour) + strength * (noise - 0.5)

    @property
    def solid(self):
        """The pixels that belong to it."""
        return self.cover >= 0.5

    def window(self, picture):
        """Its pixels of a picture or a label, a view."""
        return picture[self.rows, self.columns]

    def onto(self, image):
        window = self.window(image)
        window += (self.colour - window) * self.cover[:, :, None]

    def around(self, left, top, right, bottom):
        """Rows and columns of the pixels that a part of the frame falls on,
        with u and v there."""
        cos, sin, flip = self._turn
        wide, high = self._stretch
        columns, rows = [], []
        for u in (left * wide * flip, right * wide * flip):
            for v in (top * high, bottom * high):
                columns.append(u * cos - v * sin)
                rows.append(u * sin + v * cos)
        spans = []
        for ends, centre, size in (
            (rows, self._centre[1], self.u.shape[0]),
            (columns, self._centre[0], self.u.shape[1]),
        ):
            low = centre + min(ends) * self.radius - 2
            high = centre + max(ends) * self.radius + 2
            spans.append(slice(*_clip(low, high, size)))
        at = tuple(spans)
        return at, self.u[at], self.v[at]

    def ellipse(self, x, y, rx, ry):
        at, u, v = self.around(x - rx, y - ry, x + rx, y + ry)
        a, b = (u - x) / rx, (v - y) / ry
        size = np.sqrt(a * a + b * b)
        slope = np.sqrt(a * a / (rx * rx) + b * b / (ry * ry))
        return at, size * (size - 1) / (slope + 1e-9)

    def circle(self, x, y, r):
        at, u, v = self.around(x - r, y - r, x + r, y + r)
        dx, dy = u - x, v - y
        return at, np.sqrt(dx * dx + dy * dy) - r

    def box(self, left, top, right, bottom, r=0.0):
        """A rectangle with corners of radius r."""
        at, u, v = self.around(left, top, right, bottom)
        x = abs(u - (left + right) / 2) - ((right - left) / 2 - r)
        y = abs(v - (top + bottom) / 2) - ((bottom - top) / 2 - r)
        out_x, out_y = x.clip(0), y.clip(0)
        out = np.sqrt(out_x * out_x + out_y * out_y)
        return at, out + np.maximum(x, y).clip(None, 0) - r

    def bar(self, x0, y0, x1, y1, r, r1=None):
        """A line with round ends, r thick at its start and r1 at its end."""
        r1 = r if r1 is None else r1
        most = max(r, r1)
        at, u, v = self.around(
            min(x0, x1) - most,
            min(y0, y1) - most,
            max(x0, x1) + most,
            max(y0, y1) + most,
        )
        dx, dy = x1 - x0, y1 - y0
        t = (((u - x0) * dx + (v - y0) * dy) / (dx * dx + dy * dy)).clip(0, 1)
        x, y = u - x0 - t * dx, v - y0 - t * dy
        return at, np.sqrt(x * x + y * y) - r - t * (r1 - r)

    def polygon(self, *corners):
        """A convex polygon; corners as (u, v), clockwise as seen."""
        us, vs = zip(*corners)
        at, u, v = self.around(min(us), min(vs), max(us), max(vs))
        inside = None
        for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1]):
            dx, dy = x1 - x0, y1 - y0
            length = np.sqrt(dx * dx + dy * dy)
            side = ((u - x0) * dy - (v - y0) * dx) / length
            inside = side if inside is None else np.maximum(inside, side)
        return at, inside


def both(one, other):
    """Where two shapes overlap."""
    starts, stops = [], []
    for a, b in zip(one[0], other[0]):
        starts.append(max(a.start, b.start))
        stops.append(max(starts[-1], min(a.stop, b.stop)))
    at = tuple(map(slice, starts, stops))
    parts = []
    for (rows, columns), distance in (one, other):
        parts.append(
            distance[
                starts[0] - rows.start : stops[0] - rows.start,
                starts[1] - columns.start : stops[1] - columns.start,
            ]
        )
    return at, np.maximum(*parts)


def _clip(low, high, end):
    """Pixels from low to high, inside 0 .. end: at least one."""
    first = min(max(int(low), 0), end - 1)
    return first, max(first + 1, min(int(high) + 1, end))
