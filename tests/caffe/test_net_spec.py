"""Nets written in Python (spec F.1)."""

import pytest

from caffe import NetSpec, caffe_pb2, to_proto
from caffe import layers as L
from caffe import params as P


def data(**options):
    return L.DummyData(shape=dict(dim=[5, 2, 3, 4]), **options)


def lenet():
    """A digit classifier, its blobs named by attribute."""
    n = NetSpec()
    n.data, n.label = data(ntop=2)
    n.conv = L.Convolution(n.data, kernel_size=3, num_output=7)
    n.pool = L.Pooling(n.conv, kernel_size=2, stride=2, pool=P.Pooling.MAX)
    n.ip = L.InnerProduct(n.pool, num_output=6)
    n.relu = L.ReLU(n.ip, in_place=True)
    n.score = L.InnerProduct(n.relu, num_output=10)
    n.loss = L.SoftmaxWithLoss(n.score, n.label)
    return n


def unnamed_lenet():
    images, labels = data(ntop=2)
    conv = L.Convolution(images, kernel_size=3, num_output=7)
    pool = L.Pooling(conv, kernel_size=2, stride=2, pool=P.Pooling.MAX)
    ip = L.InnerProduct(pool, num_output=6)
    relu = L.ReLU(ip, in_place=True)
    score = L.InnerProduct(relu, num_output=10)
    return to_proto(L.SoftmaxWithLoss(score, labels))


def names(net):
    return [layer.name for layer in net.layer]


def test_layers_are_named_after_the_attributes_in_order():
    assert names(lenet().to_proto()) == [
        'data', 'conv', 'pool', 'ip', 'relu', 'score', 'loss',
    ]  # fmt: skip


def test_an_in_place_layer_writes_its_bottom_under_its_own_name():
    relu = lenet().to_proto().layer[4]
    assert (relu.name, relu.bottom, relu.top) == ('relu', ['ip'], ['ip'])


def test_a_layer_after_an_in_place_one_reads_the_blob():
    assert lenet().to_proto().layer[5].bottom == ['ip']


def test_all_tops_of_a_layer_are_named():
    assert lenet().to_proto().layer[0].top == ['data', 'label']


def test_automatic_names_count_by_type_in_visiting_order():
    net = unnamed_lenet()
    assert names(net) == [
        'DummyData1', 'Convolution1', 'Pooling1', 'InnerProduct1', 'ReLU1',
        'InnerProduct2', 'SoftmaxWithLoss1',
    ]  # fmt: skip
    assert net.layer[0].top == ['DummyData1', 'DummyData2']
    assert net.layer[6].bottom == ['InnerProduct2', 'DummyData2']


def test_names_apart_both_spellings_give_the_same_net():
    named, unnamed = lenet().to_proto(), unnamed_lenet()
    for net in (named, unnamed):
        for layer in net.layer:
            layer.name = ''
            del layer.bottom[:], layer.top[:]
    assert named == unnamed


def test_a_top_makes_a_net_by_itself():
    top = L.ReLU(data())
    assert names(top.to_proto()) == ['DummyData1', 'ReLU1']


def test_dependencies_come_first_even_if_assigned_later():
    n = NetSpec()
    source = data()
    n.last = L.ReLU(source)
    n.first = source
    assert names(n.to_proto()) == ['first', 'last']


def test_a_top_assigned_twice_has_its_last_name():
    n = NetSpec()
    n.old = data()
    n.new = n.old
    assert names(n.to_proto()) == ['new']


def test_items_and_attributes_are_the_same():
    n = NetSpec()
    n['data'] = data()
    assert n.data is n['data']


@pytest.mark.parametrize('read', [lambda n: n.nothing, lambda n: n['nothing']])
def test_an_unknown_blob_is_a_key_error(read):
    with pytest.raises(KeyError, match='nothing'):
        read(NetSpec())


def test_a_name_option_names_the_layer_but_not_its_blob():
    n = NetSpec()
    n.data = L.Input(name='input', shape=dict(dim=[1, 3, 5, 7]))
    (layer,) = n.to_proto().layer
    assert (layer.name, layer.top) == ('input', ['data'])


def test_a_layer_without_tops_is_named_too():
    n = NetSpec()
    n.data = data()
    n.quiet = L.Silence(n.data, ntop=0)
    n.also = L.Silence(n.data, ntop=0)
    net = n.to_proto()
    assert names(net) == ['data', 'quiet', 'also']
    assert [list(layer.top) for layer in net.layer] == [['data'], [], []]


def test_an_input_that_is_no_top_is_a_type_error():
    both = data(ntop=2)
    said = r"^Silence input 0 is not a Top \(type is <class 'tuple'>\)$"
    with pytest.raises(TypeError, match=said):
        L.Silence(both, ntop=0)
    L.Silence(*both, ntop=0)


def test_the_error_counts_inputs():
    with pytest.raises(TypeError, match=r'^Eltwise input 1 is not a Top'):
        L.Eltwise(data(), 3)


def test_only_tops_can_be_assigned():
    with pytest.raises(TypeError, match='both is not a Top'):
        NetSpec().both = data(ntop=2)


def only(top):
    return top.to_proto().layer[-1]


def test_options_go_to_the_message_of_the_type():
    layer = only(L.Convolution(data(), num_output=3, kernel_size=5))
    assert layer.convolution_param.num_output == 3
    assert layer.convolution_param.kernel_size == [5], 'a scalar, repeated'


def test_options_ending_in_param_go_to_the_layer():
    layer = only(
        L.Deconvolution(
            data(),
            param=[dict(lr_mult=0), dict(decay_mult=2)],
            convolution_param=dict(
                stride=[2, 3], weight_filler=dict(type='bilinear')
            ),
        )
    )
    assert [p.lr_mult for p in layer.param] == [0, 1]
    assert layer.param[1].decay_mult == 2
    assert layer.convolution_param.stride == [2, 3]
    assert layer.convolution_param.weight_filler.type == 'bilinear'


def test_options_the_message_lacks_go_to_the_layer():
    layer = only(
        L.SoftmaxWithLoss(
            data(), data(), loss_weight=0.5, include=dict(phase=1)
        )
    )
    assert layer.loss_weight == [0.5]
    assert layer.include[0].phase == caffe_pb2.TEST


def test_deconvolution_has_no_message_of_its_own():
    with pytest.raises(AttributeError, match='kernel_size'):
        only(L.Deconvolution(data(), kernel_size=4))


def test_an_unknown_field_is_named():
    top = L.Convolution(data(), convolution_param=dict(kernel=3))
    with pytest.raises(AttributeError, match=r'ConvolutionParameter .* kernel'):
        only(top)


def test_a_value_of_the_wrong_kind_is_refused_by_layer():
    n = NetSpec()
    n.fc6 = L.InnerProduct(data(), num_output='many')
    with pytest.raises(TypeError, match='^fc6: num_output: '):
        n.to_proto()


def test_an_empty_list_is_refused():
    with pytest.raises(IndexError, match='^Convolution1: kernel_size'):
        only(L.Convolution(data(), kernel_size=[]))


def test_any_type_name_is_accepted():
    assert only(L.NobodyKnows(data())).type == 'NobodyKnows'


def test_enum_values_are_numbers():
    assert (P.Pooling.MAX, P.Pooling.AVE, P.Eltwise.SUM) == (0, 1, 1)


def test_a_deep_net_needs_no_recursion_when_assigned_in_order():
    n = NetSpec()
    n.data = top = data()
    for i in range(3000):
        top = n[f'relu{i}'] = L.ReLU(top)
    assert len(n.to_proto().layer) == 3001
