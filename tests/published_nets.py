"""The layers of the published prototxts, as spec G.1 and G.2 list them; data
layers and in-place layers (ReLU, Dropout) apart.

A line: layer bottoms>tops, for filters num_output kernel/stride+pad, other
options, lr_mult/decay_mult of each parameter blob.
"""

import re

VGG16 = """
    conv1_1 data>conv1_1 64 3/1+100 1/1 2/0
    conv1_2 conv1_1>conv1_2 64 3/1+1 1/1 2/0
    pool1 conv1_2>pool1 MAX 2/2+0
    conv2_1 pool1>conv2_1 128 3/1+1 1/1 2/0
    conv2_2 conv2_1>conv2_2 128 3/1+1 1/1 2/0
    pool2 conv2_2>pool2 MAX 2/2+0
    conv3_1 pool2>conv3_1 256 3/1+1 1/1 2/0
    conv3_2 conv3_1>conv3_2 256 3/1+1 1/1 2/0
    conv3_3 conv3_2>conv3_3 256 3/1+1 1/1 2/0
    pool3 conv3_3>pool3 MAX 2/2+0
    conv4_1 pool3>conv4_1 512 3/1+1 1/1 2/0
    conv4_2 conv4_1>conv4_2 512 3/1+1 1/1 2/0
    conv4_3 conv4_2>conv4_3 512 3/1+1 1/1 2/0
    pool4 conv4_3>pool4 MAX 2/2+0
    conv5_1 pool4>conv5_1 512 3/1+1 1/1 2/0
    conv5_2 conv5_1>conv5_2 512 3/1+1 1/1 2/0
    conv5_3 conv5_2>conv5_3 512 3/1+1 1/1 2/0
    pool5 conv5_3>pool5 MAX 2/2+0
    fc6 pool5>fc6 4096 7/1+0 1/1 2/0
    fc7 fc6>fc7 4096 1/1+0 1/1 2/0
"""

CAFFENET = """
    conv1 data>conv1 96 11/4+100
    pool1 conv1>pool1 MAX 3/2+0
    norm1 pool1>norm1 5 0.0001 0.75 1
    conv2 norm1>conv2 256 5/1+2 group2
    pool2 conv2>pool2 MAX 3/2+0
    norm2 pool2>norm2 5 0.0001 0.75 1
    conv3 norm2>conv3 384 3/1+1
    conv4 conv3>conv4 384 3/1+1 group2
    conv5 conv4>conv5 256 3/1+1 group2
    pool5 conv5>pool5 MAX 3/2+0
    fc6 pool5>fc6 4096 6/1+0
    fc7 fc6>fc7 4096 1/1+0
"""

SCORE_FR = """
    score_fr fc7>score_fr 21 1/1+0 1/1 2/0
"""

POOL4 = """
    score_pool4c score_pool4,upscore2>score_pool4c axis2 offset5
    fuse_pool4 upscore2,score_pool4c>fuse_pool4 SUM
"""

TO_8S = """
    score_pool3c score_pool3,upscore_pool4>score_pool3c axis2 offset9
    fuse_pool3 upscore_pool4,score_pool3c>fuse_pool3 SUM
    upscore8 fuse_pool3>upscore8 21 16/8+0 nobias 0/1
    score upscore8,data>score axis2 offset31
    loss score,label>loss ignore255 normalizeFalse
"""

UPSCORE2 = """
    upscore2 score_fr>upscore2 21 4/2+0 nobias 0/1
"""

UPSCORE_POOL4 = """
    upscore_pool4 fuse_pool4>upscore_pool4 21 4/2+0 nobias 0/1
"""

TABLES = {
    'voc-fcn32s': VGG16
    + SCORE_FR
    + """
    upscore score_fr>upscore 21 64/32+0 nobias 0/1
    score upscore,data>score axis2 offset19
    loss score,label>loss ignore255 normalizeFalse
    """,
    'voc-fcn16s': VGG16
    + SCORE_FR
    + UPSCORE2
    + 'score_pool4 pool4>score_pool4 21 1/1+0 1/1 2/0'
    + POOL4
    + """
    upscore16 fuse_pool4>upscore16 21 32/16+0 nobias 0/1
    score upscore16,data>score axis2 offset27
    loss score,label>loss ignore255 normalizeFalse
    """,
    'voc-fcn8s': VGG16
    + SCORE_FR
    + UPSCORE2
    + 'score_pool4 pool4>score_pool4 21 1/1+0 1/1 2/0'
    + POOL4
    + UPSCORE_POOL4
    + 'score_pool3 pool3>score_pool3 21 1/1+0 1/1 2/0'
    + TO_8S,
    'voc-fcn8s-atonce': VGG16
    + SCORE_FR
    + UPSCORE2
    + """
    scale_pool4 pool4>scale_pool4 constant0.01 0/1
    score_pool4 scale_pool4>score_pool4 21 1/1+0 1/1 2/0
    """
    + POOL4
    + UPSCORE_POOL4
    + """
    scale_pool3 pool3>scale_pool3 constant0.0001 0/1
    score_pool3 scale_pool3>score_pool3 21 1/1+0 1/1 2/0
    """
    + TO_8S,
    'voc-fcn-alexnet': CAFFENET
    + SCORE_FR
    + """
    upscore score_fr>upscore 21 63/32+0 nobias 0/1
    score upscore,data>score axis2 offset18
    loss score,label>loss ignore255 normalizeTrue
    """,
}


def renamed(table, rename):
    """A table with every layer and blob name changed."""
    lines = []
    for line in expected_rows(table):
        name, ends, *options = line.split()
        ends = re.sub(r'[^,>]+', lambda found: rename(found[0]), ends)
        lines.append(' '.join([rename(name), ends, *options]))
    return '\n'.join(lines) + '\n'


def expected_rows(table):
    return [line.strip() for line in table.splitlines() if line.strip()]


def classes(table, count):
    return table.replace(' 21 ', f' {count} ')


def task(table, label, count):
    """The head of one of SIFT Flow's tasks, given VOC's."""
    shared = {'data', 'fc7', 'pool4', 'pool3'}
    own = {'label': label, 'loss': 'loss' if label == 'sem' else 'loss_geo'}

    def rename(name):
        cropped = 'c' * name.endswith('c')
        suffixed = f'{name.removesuffix("c")}_{label}{cropped}'
        return name if name in shared else own.get(name, suffixed)

    return renamed(classes(table, count), rename)


def siftflow(stride):
    head = TABLES[f'voc-fcn{stride}'].removeprefix(VGG16)
    return VGG16 + task(head, 'sem', 33) + task(head, 'geo', 3)


def half(image):
    """One of the two nets of colour and HHA."""
    table = VGG16 + classes(SCORE_FR, 40)
    return renamed(
        table, lambda name: image if name == 'data' else name + image
    )


NYUD = classes(TABLES['voc-fcn32s'], 40)
for stride in ('32s', '16s', '8s'):
    TABLES[f'siftflow-fcn{stride}'] = siftflow(stride)
    TABLES[f'pascalcontext-fcn{stride}'] = classes(
        TABLES[f'voc-fcn{stride}'], 60
    )
TABLES['nyud-fcn32s-color'] = TABLES['nyud-fcn32s-hha'] = NYUD
TABLES['nyud-fcn32s-color-d'] = 'data color,depth>data axis1\n' + renamed(
    NYUD, lambda name: name.replace('conv1_1', 'conv1_1_bgrd')
)
TABLES['nyud-fcn32s-color-hha'] = (
    half('color')
    + half('hha')
    + """
    score_fused score_frcolor,score_frhha>score_fused SUM 0.5 0.5
    upscore score_fused>upscore 40 64/32+0 nobias 0/1
    score upscore,color>score axis2 offset19
    loss score,label>loss ignore255 normalizeFalse
    """
)

OFFSETS = {
    'voc-fcn32s': [19],
    'voc-fcn16s': [5, 27],
    'voc-fcn8s': [5, 9, 31],
    'voc-fcn8s-atonce': [5, 9, 31],
    'voc-fcn-alexnet': [18],
    'siftflow-fcn32s': [19, 19],
    'siftflow-fcn16s': [5, 27, 5, 27],
    'siftflow-fcn8s': [5, 9, 31, 5, 9, 31],
    'nyud-fcn32s-color': [19],
    'nyud-fcn32s-hha': [19],
    'nyud-fcn32s-color-d': [19],
    'nyud-fcn32s-color-hha': [19],
    'pascalcontext-fcn32s': [19],
    'pascalcontext-fcn16s': [5, 27],
    'pascalcontext-fcn8s': [5, 9, 31],
}
COUNTS = {  # layers in the prototxt, the data layer among them
    'voc-fcn32s': 42,
    'voc-fcn16s': 46,
    'voc-fcn8s': 50,
    'voc-fcn8s-atonce': 52,
    'voc-fcn-alexnet': 26,
    'siftflow-fcn32s': 46,
    'siftflow-fcn16s': 54,
    'siftflow-fcn8s': 62,
    'nyud-fcn32s-color': 42,
    'nyud-fcn32s-hha': 42,
    'nyud-fcn32s-color-d': 43,
    'nyud-fcn32s-color-hha': 81,
    'pascalcontext-fcn32s': 42,
    'pascalcontext-fcn16s': 46,
    'pascalcontext-fcn8s': 50,
}
