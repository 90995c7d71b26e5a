"""The classes of every dataset, in the order of a net's outputs, and void.

Names as their sources spell them: PASCAL VOC's development kit; the release
of SIFT Flow with SuperParsing (Tighe and Lazebnik, ECCV 2010); the 40 classes
of NYUDv2 of Gupta et al., CVPR 2013; the 59 most frequent of PASCAL-Context's
459 (Mottaghi et al., CVPR 2014), behind a class 0 for all the others.
"""

VOID = 255  # the border around an object, and whatever is not judged

VOC = (
    'background, aeroplane, bicycle, bird, boat, bottle, bus, car, cat, chair, '
    'cow, diningtable, dog, horse, motorbike, person, pottedplant, sheep, '
    'sofa, train, tvmonitor'
).split(', ')

SIFTFLOW = (  # semantic
    'awning, balcony, bird, boat, bridge, building, bus, car, cow, crosswalk, '
    'desert, door, fence, field, grass, moon, mountain, person, plant, pole, '
    'river, road, rock, sand, sea, sidewalk, sign, sky, staircase, '
    'streetlight, sun, tree, window'
).split(', ')
SIFTFLOW_GEOMETRIC = ['sky', 'horizontal', 'vertical']

NYUD = (
    'wall, floor, cabinet, bed, chair, sofa, table, door, window, bookshelf, '
    'picture, counter, blinds, desk, shelves, curtain, dresser, pillow, '
    'mirror, floor mat, clothes, ceiling, books, refridgerator, television, '
    'paper, towel, shower curtain, box, whiteboard, person, night stand, '
    'toilet, sink, lamp, bathtub, bag, otherstructure, otherfurniture, '
    'otherprop'
).split(', ')

CONTEXT = VOC + (  # its first 21 are VOC's
    'bag, bed, bench, book, building, cabinet, ceiling, clothes, computer, '
    'cup, door, fence, floor, flower, food, grass, ground, keyboard, light, '
    'mountain, mouse, curtain, platform, sign, plate, road, rock, shelves, '
    'sidewalk, sky, snow, bedcloth, track, tree, truck, wall, water, window, '
    'wood'
).split(', ')
