"""FCN-8s as anyone would write it in PyTorch: the yardstick for speed.py.

nn.Conv2d, nn.MaxPool2d, nn.ConvTranspose2d, default memory format.
"""

from torch import nn

WIDTHS = (
    (64, 64),
    (128, 128),
    (256, 256, 256),
    (512, 512, 512),
    (512, 512, 512),
)


def block(channels, widths, first_pad=1):
    layers = []
    for width in widths:
        layers += [
            nn.Conv2d(channels, width, 3, padding=first_pad),
            nn.ReLU(inplace=True),
        ]
        channels, first_pad = width, 1
    return nn.Sequential(*layers, nn.MaxPool2d(2, 2, ceil_mode=True))


class FCN8s(nn.Module):
    """N x 3 x H x W -> N x 21 x H x W scores."""

    def __init__(self, classes=21):
        super().__init__()
        inputs = (3, 64, 128, 256, 512)
        self.blocks = nn.ModuleList(
            block(c, widths, 100 if c == 3 else 1)
            for c, widths in zip(inputs, WIDTHS)
        )
        self.fc = nn.Sequential(
            nn.Conv2d(512, 4096, 7),
            nn.ReLU(inplace=True),
            nn.Dropout(),
            nn.Conv2d(4096, 4096, 1),
            nn.ReLU(inplace=True),
            nn.Dropout(),
        )
        self.score_fr = nn.Conv2d(4096, classes, 1)
        self.score_pool4 = nn.Conv2d(512, classes, 1)
        self.score_pool3 = nn.Conv2d(256, classes, 1)

        def up(k, s):
            return nn.ConvTranspose2d(classes, classes, k, s, bias=False)

        self.upscore2, self.upscore_pool4 = up(4, 2), up(4, 2)
        self.upscore8 = up(16, 8)
        for layer in (self.upscore2, self.upscore_pool4, self.upscore8):
            layer.weight.requires_grad = False

    def forward(self, x):
        pools, size = [], x.shape[2:]
        h = x
        for stage in self.blocks:
            h = stage(h)
            pools.append(h)
        h = self.upscore2(self.score_fr(self.fc(h)))
        h = h + crop(self.score_pool4(pools[3]), 5, h.shape[2:])
        h = self.upscore_pool4(h)
        h = h + crop(self.score_pool3(pools[2]), 9, h.shape[2:])
        return crop(self.upscore8(h), 31, size)


def crop(x, offset, size):
    return x[:, :, offset : offset + size[0], offset : offset + size[1]]
