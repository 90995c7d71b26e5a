"""Layers that read or make data: DummyData, HDF5Data, HDF5Output. Caffe:
dummy_data_layer.cpp, hdf5_data_layer.cpp, hdf5_output_layer.cpp; spec A.23."""

import numpy as np
import torch

from caffe.device import device, generator
from caffe.fillers import fill
from caffe.ops.base import Op
from caffe.proto import caffe_pb2 as pb


class DummyData(Op):
    """Blobs full of numbers. Constants are written once, so a script may
    overwrite them; other fillers draw anew for every pass."""

    bottoms = (0, 0)
    tops = (1, None)

    def setup(self, shapes):
        p, tops = self.param.dummy_data_param, len(self.param.top)
        fillers = list(p.data_filler) or [pb.FillerParameter()]
        if len(fillers) not in (1, tops):
            raise RuntimeError(
                f'DummyData takes no, one or {tops} data fillers for its '
                f'{tops} tops, not {len(fillers)}'
            )
        self.fillers = fillers * tops if len(fillers) == 1 else fillers
        self.shapes = dummy_shapes(p, tops)

    def top_shapes(self, shapes):
        return self.shapes

    def initial_tops(self):
        return [
            self.draw(i) if self.constant(i) else None
            for i in range(len(self.shapes))
        ]

    def forward(self, bottoms, params):
        return [
            None if self.constant(i) else self.draw(i)
            for i in range(len(self.shapes))
        ]

    def constant(self, i):
        return self.fillers[i].type == 'constant'

    def draw(self, i):
        values = torch.empty(self.shapes[i], device=device())
        fill(values, self.fillers[i], generator(values.device))
        return values


def dummy_shapes(p, tops):
    old = [list(sizes) for sizes in (p.num, p.channels, p.height, p.width)]
    if any(old):
        if p.shape or any(len(sizes) not in (1, tops) for sizes in old):
            raise RuntimeError(
                f'DummyData: give shape, or each of num, channels, height, '
                f'width, once or {tops} times'
            )
        old = [sizes * tops if len(sizes) == 1 else sizes for sizes in old]
        return list(zip(*old))
    shapes = [tuple(shape.dim) for shape in p.shape]
    if len(shapes) not in (1, tops):
        raise RuntimeError(
            f'DummyData: give shape once or {tops} times, not {len(shapes)}'
        )
    return shapes * tops if len(shapes) == 1 else shapes


class HDF5Data(Op):
    """Rows of HDF5 datasets named like the tops, batch_size per pass, file
    after file and around again."""

    bottoms = (0, 0)
    tops = (1, None)

    def setup(self, shapes):
        p = self.param.hdf5_data_param
        if self.param.HasField('transform_param'):
            raise RuntimeError('HDF5Data does not transform data.')
        if not p.batch_size:
            raise RuntimeError('hdf5_data_param needs a batch_size')
        self.batch, self.shuffle = p.batch_size, p.shuffle
        try:
            with open(p.source) as source:
                self.files = source.read().split()
        except OSError as error:
            raise RuntimeError(
                f'Failed to open source file: {p.source} ({error.strerror})'
            ) from None
        if not self.files:
            raise RuntimeError(f'no HDF5 files are listed in {p.source}')
        self.file = -1
        self.next_file()

    def next_file(self):
        """Loads the next file whole; its rows come in file order, or in a new
        random one."""
        self.file = (self.file + 1) % len(self.files)
        if self.shuffle and self.file == 0:
            self.files = [self.files[i] for i in self.mixed(len(self.files))]
        self.data = load(self.files[self.file], list(self.param.top))
        rows = len(self.data[0])
        self.rows = self.mixed(rows) if self.shuffle else np.arange(rows)

    def mixed(self, count):
        cpu = generator(torch.device('cpu'))
        return torch.randperm(count, generator=cpu).numpy()

    def top_shapes(self, shapes):
        return [(self.batch, *data.shape[1:]) for data in self.data]

    def forward(self, bottoms, params):
        parts = []
        missing = self.batch
        while missing:
            now, self.rows = self.rows[:missing], self.rows[missing:]
            parts.append([data[now] for data in self.data])
            missing -= len(now)
            if not len(self.rows):
                self.next_file()
        return [
            torch.from_numpy(np.concatenate(rows)).to(device())
            for rows in zip(*parts)
        ]


def load(path, names):
    """The datasets of one file as float32 arrays of equal length."""
    import h5py

    try:
        with h5py.File(path, 'r') as file:
            for name in names:
                if name not in file:
                    raise RuntimeError(
                        f'Failed to find HDF5 dataset {name} in {path} (it '
                        f'has {", ".join(file)})'
                    )
            data = [np.asarray(file[name], np.float32) for name in names]
    except OSError as error:
        raise RuntimeError(
            f'Failed opening HDF5 file: {path} ({error})'
        ) from None
    if not all(array.ndim and len(array) for array in data):
        raise RuntimeError(f'{path}: a dataset has no rows')
    if len({len(array) for array in data}) > 1:
        raise RuntimeError(
            f'{path}: the datasets {", ".join(names)} have '
            f'{[len(array) for array in data]} rows'
        )
    return data


class HDF5Output(Op):
    """Writes its bottoms into `file_name` as datasets `data` and `label`."""

    bottoms = (2, 2)
    tops = (0, 0)

    def setup(self, shapes):
        import h5py

        self.path = self.param.hdf5_output_param.file_name
        try:
            h5py.File(self.path, 'w').close()
        except OSError as error:
            raise RuntimeError(
                f'Failed to open HDF5 file {self.path} ({error})'
            ) from None

    def top_shapes(self, shapes):
        return []

    def forward(self, bottoms, params):
        import h5py

        with h5py.File(self.path, 'a') as file:
            for name, x in zip(('data', 'label'), bottoms):
                if name in file:
                    raise RuntimeError(
                        f'Failed to make float dataset {name} (HDF5Output '
                        'writes one batch only)'
                    )
                shape = (*x.shape, *[1] * (4 - x.dim()))
                file[name] = x.detach().cpu().float().numpy().reshape(shape)
        return []

    def backward(self, diffs, tops, bottoms, params, need_bottoms, need_params):
        return [None, None], []
