"""ImageData: what it reads, in which order, at which size."""

import numpy as np
import pytest
import torch
from check_op import make_op
from image_files import blue_first, encoded, picture, transformed

import caffe
from caffe.ops.image_data import leading_int, read_list

SIZES = [(6, 5), (4, 7), (8, 3), (5, 5)]


@pytest.fixture
def images(tmp_path):
    """Four pictures of different sizes, one with a space in its name; labels
    0, 10, 20, 30."""
    for i, size in enumerate(SIZES):
        (tmp_path / f'no {i}.png').write_bytes(encoded(picture(*size, i)))
    lines = [f'no {i}.png {10 * i}' for i in range(4)]
    (tmp_path / 'list.txt').write_text('\n'.join(lines) + '\n\n')
    return tmp_path


def make(folder, text='', transform='', phase=1):
    return make_op(
        'ImageData',
        f'image_data_param {{ source: "{folder}/list.txt" '
        f'root_folder: "{folder}/" {text} }} '
        f'transform_param {{ {transform} }}',
        [],
        tops=2,
        phase=phase,
    )


def test_images_come_in_order_each_at_its_own_size(images):
    op = make(images)
    assert op.top_shapes([]) == [(1, 3, 6, 5), (1,)]
    for i in [0, 1, 2, 3, 0, 1]:
        data, label = op.forward([], [])
        assert data.dtype == label.dtype == torch.float32
        assert np.array_equal(data[0], blue_first(picture(*SIZES[i], i)))
        assert label.tolist() == [10 * i]


def test_a_batch_runs_over_the_end_of_the_list(images):
    op = make(images, 'batch_size: 3', 'crop_size: 3 mean_value: 7 scale: 0.5')
    assert op.top_shapes([]) == [(3, 3, 3, 3), (3,)]
    for chosen in ([0, 1, 2], [3, 0, 1]):
        data, label = op.forward([], [])
        assert label.tolist() == [10 * i for i in chosen]
        for got, i in zip(data, chosen):
            high, wide = SIZES[i]
            want = transformed(
                blue_first(picture(*SIZES[i], i)),
                lambda *at: 7,
                0.5,
                (high - 3) // 2,
                (wide - 3) // 2,
                3,
            )
            assert np.array_equal(got, want)


def test_images_are_brought_to_one_size(images):
    op = make(images, 'batch_size: 4 new_height: 6 new_width: 5')
    data, _ = op.forward([], [])
    assert data.shape == (4, 3, 6, 5)
    assert np.array_equal(data[0], blue_first(picture(6, 5, 0)))


@pytest.mark.parametrize('size', ['', 'new_height: 6 new_width: 5'])
def test_grey_images_have_one_channel(images, size):
    op = make(images, f'is_color: false {size}')
    assert op.top_shapes([]) == [(1, 1, 6, 5), (1,)]
    assert op.forward([], [])[0].shape == (1, 1, 6, 5)
    second = (6, 5) if size else SIZES[1]
    assert op.forward([], [])[0].shape == (1, 1, *second)


def test_shuffling_shows_every_image_once_and_anew_each_time_round(images):
    caffe.set_random_seed(3)
    op = make(images, 'shuffle: true')
    labels = [int(op.forward([], [])[1]) for _ in range(40)]
    rounds = {tuple(labels[i : i + 4]) for i in range(0, 40, 4)}
    assert all(sorted(one) == [0, 10, 20, 30] for one in rounds)
    assert len(rounds) > 2
    caffe.set_random_seed(3)
    op = make(images, 'shuffle: true')
    assert labels == [int(op.forward([], [])[1]) for _ in range(40)]


def test_rand_skip_begins_anywhere_below_it(images):
    starts = set()
    for _ in range(40):
        data, label = make(images, 'rand_skip: 3').forward([], [])
        starts.add(int(label))
    assert starts == {0, 10, 20}
    with pytest.raises(RuntimeError, match='Not enough points to skip'):
        for _ in range(40):
            make(images, 'rand_skip: 8')


def test_a_list_may_have_no_labels_or_odd_ones(images):
    path = images / 'list.txt'
    path.write_text('a.png\nb c.png 3x\nd.png -2\r\ne.png 1.9')
    assert read_list(path) == [
        ('a.png', 0),
        ('b c.png', 3),
        ('d.png', -2),
        ('e.png', 1),
    ]
    assert leading_int('') == 0


@pytest.mark.parametrize(
    'text, message',
    [
        (
            'new_height: 5',
            'Current implementation requires new_height and new_width to be '
            'set at the same time.',
        ),
        ('batch_size: 0', 'Positive batch size required'),
        ('root_folder: "elsewhere/"', r'Could not load elsewhere/no 0.png \('),
        ('source: "gone"', r'Failed to open source file: gone \(No such'),
    ],
)
def test_what_cannot_be_read_is_refused(images, text, message):
    with pytest.raises(RuntimeError, match=message):
        make(images, text)


def test_settings_in_their_old_place_are_ignored_but_not_silently(
    images, capsys
):
    op = make(images, 'crop_size: 3')
    assert op.top_shapes([]) == [(1, 3, 6, 5), (1,)]
    assert (
        'ImageDataParameter: crop_size is ignored, as in Caffe 1.0 (give it '
        'in transform_param)'
    ) in capsys.readouterr().err


def test_an_empty_list_is_refused(images):
    (images / 'list.txt').write_text('\n')
    with pytest.raises(RuntimeError, match='^File is empty'):
        make(images)


def test_a_bad_image_is_an_error_each_time_and_then_passed(images):
    (images / 'no 1.png').write_text('no image')
    op = make(images)
    op.forward([], [])
    with pytest.raises(RuntimeError, match=r'Could not load .*/no 1.png'):
        op.forward([], [])
    with pytest.raises(RuntimeError, match=r'Could not load .*/no 1.png'):
        op.forward([], [])
    (images / 'no 1.png').write_bytes(encoded(picture(4, 7)))
    assert op.forward([], [])[1].tolist() == [10]


def test_different_sizes_do_not_fit_into_one_batch(images):
    op = make(images, 'batch_size: 2')
    with pytest.raises(RuntimeError, match=r'no 1.png is 3 4 7 \(84\), the fi'):
        op.forward([], [])


def test_a_net_takes_the_size_of_each_image(images):
    net = caffe.Net(
        text_net(images),
        caffe.TEST,
    )
    for i in (0, 1, 2):
        out = net.forward()
        assert net.blobs['data'].shape == (1, 3, *SIZES[i])
        want = 2 * blue_first(picture(*SIZES[i], i)).astype(np.float32)
        assert np.array_equal(out['twice'][0], want)


def text_net(folder):
    from google.protobuf import text_format

    from caffe.proto import caffe_pb2 as pb

    return text_format.Parse(
        'layer { name: "data" type: "ImageData" top: "data" top: "label" '
        f'image_data_param {{ source: "{folder}/list.txt" '
        f'root_folder: "{folder}/" }} }} '
        'layer { name: "twice" type: "Power" bottom: "data" top: "twice" '
        'power_param { scale: 2 } }',
        pb.NetParameter(),
    )
