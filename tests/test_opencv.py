"""Models written here are models to another reader of Caffe's files."""

import numpy as np
import pytest

import caffe
import surgery
from caffe.proto import text
from nets import edits

cv2 = pytest.importorskip('cv2')

ROOT = caffe.__path__[0] + '/..'
NETS = {
    'voc-fcn32s': 16,
    'voc-fcn16s': 16,
    'voc-fcn8s': 16,
    'voc-fcn8s-atonce': 16,
    'voc-fcn-alexnet': 16,
}


@pytest.mark.parametrize('name', NETS)
def test_opencv_segments_a_saved_deploy_net_as_we_do(name, tmp_path):
    param = text.read_net(f'{ROOT}/{name}/deploy.prototxt')
    edits.slim(param, NETS[name])
    param.layer[0].input_param.shape[0].dim[:] = [1, 3, 75, 58]
    net = caffe.Net(param, caffe.TEST)
    for blobs in net.params.values():
        weight = blobs[0].tensor
        weight.normal_(0, (2 / weight[0].numel()) ** 0.5)
    surgery.interp(net, [layer for layer in net.params if 'up' in layer])
    prototxt, model = tmp_path / 'deploy.prototxt', tmp_path / 'w.caffemodel'
    prototxt.write_text(text.to_text(param))
    net.save(str(model))
    rng = np.random.default_rng(0)
    image = rng.uniform(-120, 130, (1, 3, 75, 58)).astype(np.float32)
    net.blobs['data'].data[...] = image
    ours = net.forward()['score']
    theirs = cv2.dnn.readNetFromCaffe(str(prototxt), str(model))
    theirs.setInput(image, 'data')
    scores = theirs.forward('score')
    assert scores.shape == ours.shape
    np.testing.assert_allclose(
        scores, ours, rtol=0, atol=1e-4 * np.abs(ours).max()
    )
    assert (scores.argmax(1) == ours.argmax(1)).mean() > 0.9999
