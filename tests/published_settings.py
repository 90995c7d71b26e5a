"""The published solvers and data layers, as spec G.3 and G.4 list them. Keys
are names of networks, or how several begin: see `of`.
"""

# training and testing: the splits, and the names of the prototxts
SPLITS = {
    'voc': ('train', 'val'),
    'siftflow': ('trainval', 'test'),
    'nyud': ('trainval', 'test'),
    'pascalcontext': ('train', 'val'),
}
# of the data layer
TOPS = {
    'voc': ['data', 'label'],
    'siftflow': ['data', 'sem', 'geo'],
    'nyud-fcn32s-color': ['data', 'label'],
    'nyud-fcn32s-hha': ['data', 'label'],
    'nyud-fcn32s-color-d': ['color', 'depth', 'label'],
    'nyud-fcn32s-color-hha': ['color', 'hha', 'label'],
    'pascalcontext': ['data', 'label'],
}
# what is scored, and of how many classes it is
SCORES = {
    'voc': {'score': 21},
    'siftflow': {'score_sem': 33, 'score_geo': 3},
    'nyud': {'score': 40},
    'pascalcontext': {'score': 60},
}
SIFTFLOW_DATA = dict(siftflow_dir='../data/sift-flow')
CONTEXT_DATA = dict(
    voc_dir='../data/pascal', context_dir='../data/pascal-context'
)
# module, layer, and what param_str says beside split and seed
DATA = {
    'siftflow': ('siftflow_layers', 'SIFTFlowSegDataLayer', SIFTFLOW_DATA),
    'pascalcontext': (
        'pascalcontext_layers',
        'PASCALContextSegDataLayer',
        CONTEXT_DATA,
    ),
}
for kind in ('color', 'hha', 'color-d', 'color-hha'):
    tops = [*kind.replace('-d', '-depth').split('-'), 'label']
    DATA[f'nyud-fcn32s-{kind}'] = (
        'nyud_layers',
        'NYUDSegDataLayer',
        dict(nyud_dir='../data/nyud', tops=tops),
    )

# base_lr, momentum, iter_size, max_iter, snapshot, test_iter. The published
# solvers of SIFT Flow kept no snapshot: theirs are of this repository.
SOLVERS = {
    'voc-fcn-alexnet': (1e-4, 0.9, 20, 100000, 4000, 736),
    'voc-fcn32s': (1e-10, 0.99, 1, 100000, 4000, 736),
    'voc-fcn16s': (1e-12, 0.99, 1, 100000, 4000, 736),
    'voc-fcn8s': (1e-14, 0.99, 1, 100000, 4000, 736),
    'voc-fcn8s-atonce': (1e-10, 0.99, 1, 300000, 4000, 736),
    'siftflow-fcn32s': (1e-10, 0.99, 1, 300000, 2000, 200),
    'siftflow-fcn16s': (1e-12, 0.99, 1, 300000, 2000, 200),
    'siftflow-fcn8s': (1e-12, 0.99, 1, 300000, 2000, 200),
    'nyud-fcn32s-color': (1e-10, 0.99, 1, 300000, 2000, 654),
    'nyud-fcn32s-hha': (1e-10, 0.99, 1, 300000, 2000, 654),
    'nyud-fcn32s-color-d': (1e-10, 0.99, 1, 300000, 2000, 654),
    'nyud-fcn32s-color-hha': (1e-12, 0.99, 1, 300000, 2000, 654),
    'pascalcontext-fcn32s': (1e-10, 0.99, 1, 300000, 4000, 5105),
    'pascalcontext-fcn16s': (1e-12, 0.99, 1, 300000, 4000, 5105),
    'pascalcontext-fcn8s': (1e-14, 0.99, 1, 300000, 4000, 5105),
}


def of(table, name):
    """The entry of a network: of its name, or the start of its name."""
    return table[max((k for k in table if name.startswith(k)), key=len)]
