"""Detector: a classifier for windows of images (R-CNN).

Caffe: python/caffe/detector.py; spec section F.4. Girshick et al. 2014,
section 3: a window is shown with some context around it, and what lies
outside the image is the mean.
"""

import numpy as np

from caffe.classifier import classify, transformer_for
from caffe.images import load_image, resize_image
from caffe.net import TEST, Net


class Detector(Net):
    """Takes: context_pad: pixels of the net's input, on each side, that show
    what is around the window; mean, input_scale, raw_scale, channel_swap: see
    Transformer."""

    def __init__(
        self,
        model_file,
        pretrained_file,
        mean=None,
        input_scale=None,
        raw_scale=None,
        channel_swap=None,
        context_pad=None,
    ):
        super().__init__(model_file, TEST, weights=pretrained_file)
        self.transformer = transformer_for(
            self, mean, input_scale, raw_scale, channel_swap
        )
        self.configure_crop(context_pad)

    def detect_windows(self, images_windows):
        """Takes: images_windows: pairs (image file, windows), each window
            ymin, xmin, ymax, xmax
        Gives: list of {window, prediction, filename}
        """
        found, crops = [], []
        for filename, windows in images_windows:
            image = load_image(filename)
            for window in windows:
                crops.append(self.crop(image, window))
                found.append({'window': window, 'filename': filename})
        predictions = classify(self, crops) if crops else []
        for one, prediction in zip(found, predictions):
            one['prediction'] = prediction
        return found

    def detect_selective_search(self, image_fnames):
        """detect_windows for the windows that selective search proposes.

        Raises: ImportError without the package that computes them
        """
        try:
            import selective_search_ijcv_with_python as selective_search
        except ImportError:
            raise ImportError(
                'detect_selective_search needs the package '
                'selective_search_ijcv_with_python; detect_windows takes '
                'windows from anywhere'
            ) from None
        files = [str(name) for name in image_fnames]
        windows = selective_search.get_windows(
            files, cmd='selective_search_rcnn'
        )
        return self.detect_windows(list(zip(files, windows)))

    def crop(self, im, window):
        """A window of an image, with its context.

        Takes: im: H x W x K; window: ymin, xmin, ymax, xmax
        Gives: the window itself without context_pad; else a picture of the
            net's input size
        """
        top, left, bottom, right = (int(edge) for edge in window)
        if not self.context_pad:
            return im[top:bottom, left:right]
        # The net's input shows the window within a frame of context_pad; its
        # size is its width: such inputs are square.
        side = self.blobs[self.inputs[0]].width
        grow = side / (side - 2 * self.context_pad)
        spans = [
            stretch(*edges, grow, side, size)
            for edges, size in zip(((top, bottom), (left, right)), im.shape)
        ]
        (y0, y1, y, height), (x0, x1, x, width) = spans
        picture = np.ones(self.crop_dims, np.float32) * self.crop_mean
        picture[y : y + height, x : x + width] = resize_image(
            im[y0:y1, x0:x1], (height, width)
        )
        return picture

    def configure_crop(self, context_pad):
        """Sets how much context a crop shows, and what fills it where there
        is no image: the mean, as it is before the Transformer's steps."""
        in_ = self.inputs[0]
        steps = self.transformer
        order = np.argsort(steps.transpose[in_])
        self.context_pad = context_pad
        self.crop_dims = np.array(self.blobs[in_].data.shape[1:])[order]
        self.crop_mean = np.zeros(self.crop_dims, np.float32)
        if context_pad and in_ in steps.mean:
            mean = np.asarray(steps.mean[in_], np.float32).transpose(order)
            if in_ in steps.channel_swap:
                mean = mean[:, :, np.argsort(steps.channel_swap[in_])]
            self.crop_mean = mean / steps.raw_scale.get(in_, 1)


def stretch(first, last, grow, side, size):
    """One axis of a window that grows around its centre.

    Takes: first, last: its edges; grow: the factor; side: pixels of the
        picture it is drawn into; size: of the image
    Gives: start and stop in the image, start and length in the picture
    """
    half = (last - first + 1) / 2
    centre = first + half
    low, high = np.round([centre - grow * half, centre + grow * half])
    scale = side / (high - low + 1)
    start = int(np.round(max(0, -low) * scale))
    low, high = np.clip([low, high], 0, size)
    if not low < high:
        raise ValueError(f'a window from {first} to {last} of {size} pixels')
    length = int(np.round((high - low + 1) * scale))
    return int(low), int(high), start, min(length, side - start)
