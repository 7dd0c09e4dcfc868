#!/usr/bin/env python3
"""Prints the structural similarities that tests/pulse_generator.rs compares with.

    pip install scikit-image && python3 tests/pulse_generator.py
"""
import numpy as np
from skimage.metrics import structural_similarity


def waves(side, phase):
    plane, y, x = np.meshgrid(np.arange(2), np.arange(side), np.arange(side), indexing="ij")
    value = (x * x + 3 * y * y + 7 * x * y + phase * (x + 2 * y) + 31 * plane) % 97
    return value.astype(np.float32).astype(np.float64) / 96


def ssim(a, b):
    """The Gaussian window of Wang et al.; scikit-image leaves its radius, 5, out at the borders."""
    return structural_similarity(a, b, data_range=1.0, channel_axis=0, gaussian_weights=True,
                                 sigma=1.5, use_sample_covariance=False)


a = waves(24, 0)
print("SSIM_1", ssim(a, waves(24, 1)))
print("SSIM_5", ssim(a, waves(24, 5)))
print("SSIM_BLEND", ssim(a, 0.8 * a + 0.2 * waves(24, 5)))
