"""What a ConvolutionParameter means: blobs, sizes, and what is refused."""

import pytest
from check_op import make_op

SHAPE = (2, 4, 5, 3)


def make(text='num_output: 4 kernel_size: 3', kind='Convolution', shape=SHAPE):
    return make_op(kind, f'convolution_param {{ {text} }}', [shape])


def test_blobs_have_caffes_shapes():
    def shapes(kind, text):
        op = make(f'num_output: 6 kernel_h: 3 kernel_w: 2 {text}', kind)
        return [blob.shape for blob in op.blobs]

    assert shapes('Convolution', '') == [(6, 4, 3, 2), (6,)]
    assert shapes('Convolution', 'group: 2') == [(6, 2, 3, 2), (6,)]
    assert shapes('Deconvolution', '') == [(4, 6, 3, 2), (6,)]
    assert shapes('Deconvolution', 'group: 2') == [(4, 3, 3, 2), (6,)]
    assert shapes('Convolution', 'bias_term: false') == [(6, 4, 3, 2)]


@pytest.mark.parametrize(
    'text, sizes',
    [
        ('kernel_size: 3', (3, 1)),
        ('kernel_size: [2, 3]', (4, 1)),
        ('kernel_size: 3 pad: 100', (203, 201)),
        ('kernel_size: 3 pad: [0, 1] stride: [2, 1]', (2, 3)),
        ('kernel_h: 4 kernel_w: 1', (2, 3)),
        ('kernel_size: 2 stride_h: 3 stride_w: 1 pad_w: 4', (2, 10)),
        ('kernel_size: 2 dilation: 2', (3, 1)),
        ('kernel_size: 2 dilation: [4, 1]', (1, 2)),
        ('kernel_size: [5, 4] stride: 2', (1, 1)),
    ],
)
def test_sizes_of_a_convolution(text, sizes):
    op = make('num_output: 4 ' + text)
    assert op.top_shapes([SHAPE]) == [(2, 4, *sizes)]


@pytest.mark.parametrize(
    'kernel, stride, pad, size, top',
    [
        (64, 32, 0, 16, 544),
        (4, 2, 0, 16, 34),
        (4, 2, 1, 16, 32),
        (16, 8, 0, 34, 280),
        (63, 32, 0, 10, 351),
    ],
)
def test_sizes_of_the_upsampling_layers(kernel, stride, pad, size, top):
    op = make(
        f'num_output: 4 kernel_size: {kernel} stride: {stride} pad: {pad}',
        'Deconvolution',
    )
    assert op.top_shapes([(1, 4, size, 1)])[0][2] == top


ONE = 'kernel_size: 1'


@pytest.mark.parametrize(
    'text, message',
    [
        (
            '',
            r'must be specified once, .*\(kernel_size specified 0 times',
        ),
        ('kernel_size: [1, 2, 3]', 'kernel_size specified 3 times; 2 spatial'),
        ('kernel_size: 0', 'Kernel dimensions must be nonzero'),
        ('kernel_h: 3', 'Kernel dimensions must be nonzero'),
        (ONE + ' kernel_w: 3', 'Either kernel_size or kernel_h/w .* not both'),
        (ONE + ' stride_h: 2', 'Stride dimensions must be nonzero'),
        (ONE + ' stride: 0', 'Stride dimensions must be nonzero'),
        (ONE + ' pad: 1 pad_h: 2', 'Either pad or pad_h/w should be specified'),
        (ONE + ' pad: [1, 2, 3]', 'pad specified 3 times; 2 spatial dims'),
        (ONE + ' dilation: [1, 2, 3]', 'dilation specified 3 times; 2 spat'),
        (
            ONE + ' group: 3',
            'channels % group: 4 channels do not divide',
        ),
        (
            ONE + ' axis: 4',
            r'axis 4 out of range for 4-D .* 2 4 5 3 \(120\)',
        ),
    ],
)
def test_bad_parameters_are_refused(text, message):
    with pytest.raises(RuntimeError, match=message):
        make('num_output: 4 ' + text)


def test_a_bad_number_of_outputs_is_refused():
    with pytest.raises(RuntimeError, match='num_output must be positive'):
        make('kernel_size: 1')
    with pytest.raises(
        RuntimeError,
        match=r'Number of output should be multiples of group. \(5 vs. 2\)',
    ):
        make('num_output: 5 kernel_size: 1 group: 2')


def test_sides_are_for_two_spatial_axes():
    with pytest.raises(
        RuntimeError, match='kernel_h & kernel_w can only be used for 2D'
    ):
        make('num_output: 4 kernel_h: 3 kernel_w: 3', shape=(2, 4, 5))


def test_bad_bottoms_are_refused():
    op = make()
    for shapes, message in [
        ([(2, 4, 5)], r'num_axes may not change. \(4 vs. 3: 2 4 5 \(40\)\)'),
        ([(2, 3, 5, 3)], r'incompatible with convolution kernel. \(3 channels'),
        (
            [SHAPE, (2, 4, 5, 4)],
            r'shape mismatch - bottom\[0\]: 2 4 5 3 \(120\) vs. '
            r'bottom\[1\]: 2 4 5 4 \(160\)',
        ),
        ([(2, 4, 1, 3)], r'a kernel of \(3, 3\) .* does not fit into 2 4 1 3'),
    ]:
        with pytest.raises(RuntimeError, match=message):
            op.top_shapes(shapes)
    assert op.top_shapes([(9, 4, 8, 6)]) == [(9, 4, 6, 4)], 'others may change'


def test_engines_make_no_difference():
    plain = make()
    for more in ('engine: CUDNN', 'engine: CAFFE', 'force_nd_im2col: true'):
        op = make(f'num_output: 4 kernel_size: 3 {more}')
        assert op.top_shapes([SHAPE]) == plain.top_shapes([SHAPE])


def test_more_than_three_spatial_axes_are_refused():
    with pytest.raises(RuntimeError, match='4 spatial axes: only 0 to 3'):
        make(shape=(2, 3, 4, 5, 6, 7))
