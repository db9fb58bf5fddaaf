"""What the overviews of an image must be: a plain statement of the rules in numpy.

Written from the rules in the documentation, not from the product's code. Every function works on one level at a
time: the next level is computed from the level above it.
"""

import math

import numpy as np


def auto_sizes(width, height, tile_width, tile_height, count=None):
    """Sizes of the overviews that are made by default: halves, rounded down, until one tile holds the level."""
    sizes = []
    w, h = width, height
    while True:
        if count is None and w <= tile_width and h <= tile_height:
            break
        if count is not None and len(sizes) == count:
            break
        if w == 1 and h == 1:
            break
        w, h = max(1, w // 2), max(1, h // 2)
        sizes.append((w, h))
    return sizes


def factor_sizes(width, height, factors):
    """Sizes of the overviews asked for as factors: rounded up."""
    return [(-(-width // f), -(-height // f)) for f in factors]


def _windows(source, target):
    """For one axis: first source index of each target pixel, weights (target × widest window; 0 beyond the end)."""
    ratio = source / target
    firsts, weights = [], []
    for dst in range(target):
        a, b = dst * ratio, (dst + 1) * ratio
        left = int(a + 1e-8)
        right = min(source, math.ceil(b - 1e-8))
        right = max(right, left + 1)
        w = [1.0] * (right - left)
        w[0] *= min(1.0, 1.0 - (a - left))
        w[-1] *= min(1.0, 1.0 - (right - b))
        firsts.append(left)
        weights.append(w)
    widest = max(len(w) for w in weights)
    table = np.zeros((target, widest))
    for i, w in enumerate(weights):
        table[i, : len(w)] = w
    return np.array(firsts), table


def _children(array, size, weighted):
    """Yields (values, weight) of every child position, row by row, over all target pixels at once."""
    h, w = array.shape
    y0, wy = _windows(h, size[1])
    x0, wx = _windows(w, size[0])
    for j in range(wy.shape[1]):
        ys = np.minimum(y0 + j, h - 1)
        for i in range(wx.shape[1]):
            xs = np.minimum(x0 + i, w - 1)
            weight = wy[:, j][:, None] * wx[:, i][None, :]
            if not weighted:
                weight = (weight > 0).astype("f8")
            yield array[np.ix_(ys, xs)], weight, ys, xs


def _exact_mean(band, valid, size):
    """The weighted mean of 64-bit integers without any rounding but the last: Python's integers, halves away from zero."""

    def weights(source, target, first, step):
        """How much of the step-th source pixel of each window is covered, in units of 1/target of a pixel."""
        start = np.arange(target, dtype=object) * source
        at = (first.astype(object) + step) * target
        return np.maximum(np.minimum(start + source, at + target) - np.maximum(start, at), 0)

    h, w = band.shape
    (y0, wy), (x0, wx) = _windows(h, size[1]), _windows(w, size[0])
    total, whole = (np.zeros(size[::-1], object) for _ in range(2))
    values = np.where(valid, band, 0).astype(object)
    for j in range(wy.shape[1]):
        for i in range(wx.shape[1]):
            at = np.ix_(np.minimum(y0 + j, h - 1), np.minimum(x0 + i, w - 1))
            weight = weights(h, size[1], y0, j)[:, None] * weights(w, size[0], x0, i)[None, :] * valid[at]
            total += values[at] * weight
            whole += weight
    some = (whole > 0).astype(bool)
    whole = np.where(some, whole, 1)
    mean = (2 * np.abs(total) + whole) // (2 * whole) * np.where(total < 0, -1, 1)
    return np.where(some, mean, 0).astype(band.dtype), some


def equals_nodata(values, nodata):
    """GDAL's ARE_REAL_EQUAL: floats within a tolerance by the epsilon of single precision, everything else exactly."""
    if values.dtype.kind == "c":
        return equals_nodata(values.real, nodata) & (values.imag == 0)
    if values.dtype.kind != "f" or values.dtype.itemsize == 2:
        return values == values.dtype.type(nodata)
    real = values.dtype.type
    with np.errstate(over="ignore", invalid="ignore"):
        nodata = real(nodata)
        return (values == nodata) | (np.abs(values - nodata) < real(2.0**-23) * np.abs(values + nodata) * real(2))


def validity(band, mask, nodata):
    """Which pixels are valid: a mask decides alone, without one nodata is not valid; NaN never is."""
    valid = np.ones(band.shape, bool) if mask is None else mask != 0
    if band.dtype.kind == "f":
        valid &= ~np.isnan(band)
    if mask is None and nodata is not None and band.dtype.kind != "c":
        valid &= ~equals_nodata(band, nodata)
    return valid


def void_value(dtype, mask, nodata):
    """The value where there is no valid pixel."""
    if nodata is not None:
        with np.errstate(over="ignore"):
            return dtype.type(nodata)
    if mask is not None:
        return dtype.type(0)
    return dtype.type("nan") if dtype.kind == "f" else dtype.type(0)


def _avoid_nodata(values, valid, nodata, maximum):
    """A computed value that happens to equal nodata moves to the nearest that does not."""
    if nodata is None or values.dtype.kind == "c":
        return values
    out = values.copy()
    equal = valid & equals_nodata(values, nodata)
    if values.dtype.kind == "f":
        if equal.any():
            below, above = _beyond_nodata(values.dtype.type(nodata), -1), _beyond_nodata(values.dtype.type(nodata), 1)
            down = (values.astype("f8") - float(below)) < (float(above) - values.astype("f8"))
            down = np.where(np.isfinite(above), down & np.isfinite(below), True)
            out[equal] = np.where(down, below, above)[equal]
    else:
        out[equal] = nodata - 1 if nodata == maximum else nodata + 1
    return out


def _beyond_nodata(nodata, direction):
    """The first value above (1) or below (-1) nodata that does not equal it."""
    infinite = nodata.dtype.type(direction * math.inf)
    with np.errstate(over="ignore", under="ignore"):
        inside, outside = nodata, np.nextafter(nodata, infinite)
        step = outside - inside
        while np.isfinite(outside) and equals_nodata(outside, nodata):
            inside, step = outside, step * 2
            outside = nodata + step
        while True:
            middle = inside + (outside - inside) / 2 if np.isfinite(outside) else outside
            if middle in (inside, outside):
                return outside
            if equals_nodata(middle, nodata):
                inside = middle
            else:
                outside = middle


def nearest_indices(source, target):
    ratio = source / target
    return np.minimum((0.5 + np.arange(target) * ratio).astype(int), source - 1)


def _cubic_axis(source, target):
    """For one axis: the window of every target pixel, and the Catmull-Rom weights (target × source)."""
    ratio = source / target
    windows, table = [], np.zeros((target, source))
    for dst in range(target):
        middle = (dst + 0.5) * ratio
        start = max(0, math.floor(middle - 2 * ratio + 0.5))
        stop = min(source, int(middle + 2 * ratio + 0.5))
        x = np.abs((np.arange(start, stop) - middle + 0.5) / ratio)
        table[dst, start:stop] = np.where(x <= 1, x * x * (1.5 * x - 2.5) + 1, np.where(x <= 2, x * x * (-0.5 * x + 2.5) - 4 * x + 2, 0))
        windows.append((start, stop))
    return windows, table


def _cubic_rows(values, valid, absolute, target):
    """Cubic along the last axis: values, which of them there are, and how large the terms of their sums were."""
    windows, table = _cubic_axis(values.shape[1], target)
    weight = valid @ table.T
    enough = np.zeros(weight.shape, bool)
    for dst, (start, stop) in enumerate(windows):
        run, longest = (np.zeros(len(values), int) for _ in range(2))
        for src in range(start, stop):
            run = np.where(valid[:, src], run + 1, 0)
            longest = np.maximum(longest, run)
        enough[:, dst] = longest >= (stop - start) // 2
    some = enough & (weight > 1e-12)
    divisor = np.where(some, weight, 1)
    return (np.where(valid, values, 0) @ table.T) / divisor, some, (np.where(valid, absolute, 0) @ np.abs(table).T) / divisor


def cubic(values, valid, size):
    """Cubic along rows, then along columns."""
    values, valid, absolute = _cubic_rows(values, valid, np.abs(values), size[0])
    values, valid, absolute = _cubic_rows(values.T, valid.T, absolute.T, size[1])
    return values.T, valid.T, absolute.T


def overview(band, mask, nodata, size, method, bits=None):
    """One band of the next level: (values, slack).

    Slack is how far off a pixel may be: what the order of the sums may change; 1 where an integer's exact value is so
    close to a half that either neighbor is right.
    """
    h, w = band.shape
    if method == "nearest":
        picked = np.ix_(nearest_indices(h, size[1]), nearest_indices(w, size[0]))
        # The sampled pixel, with its own validity: nothing is computed.
        return band[picked].copy(), np.zeros((size[1], size[0]))
    valid = validity(band, mask, nodata)
    integer = band.dtype.kind in "iu"
    if integer:
        maximum = (1 << bits) - 1 if bits else int(np.iinfo(band.dtype).max)
    else:
        maximum = None
    if method == "average" and integer and band.dtype.itemsize == 8:
        out, some = _exact_mean(band, valid, size)
        slack = np.zeros(size[::-1])
    elif method in ("average", "cubic"):
        total = np.zeros(size[::-1], np.float64)
        absolute = np.zeros(size[::-1], np.float64)
        weights = np.zeros(size[::-1], np.float64)
        for values, weight, ys, xs in _children(band, size, True) if method == "average" else ():
            use = valid[np.ix_(ys, xs)]
            total += np.where(use, values, 0).astype(np.float64) * weight * use
            absolute += np.abs(np.where(use, values, 0).astype("f8")) * weight * use
            weights += weight * use
        some = weights > 1e-12
        mean = np.where(some, total, 0) / np.where(some, weights, 1)
        absolute = absolute / np.where(some, weights, 1)
        if method == "cubic":
            mean, some, absolute = cubic(np.where(valid, band, 0).astype("f8"), valid, size)
        if integer:
            rounded = np.where(mean < 0, -np.floor(-mean + 0.5), np.floor(mean + 0.5))
            # How far from a half a value has to be before rounding has one right answer. GDAL sums i8 and i16 in f32.
            single = band.dtype.itemsize < 4 and (band.dtype.kind == "i" or method == "cubic")
            fuzz = absolute * (2.0**-22 if single else 2.0**-48 if method == "cubic" else 2.0**-50)
            slack = np.where(np.abs(np.abs(mean) - np.floor(np.abs(mean)) - 0.5) < 1e-9 + fuzz, 1.0, 0.0)
            # A plain block of whole pixels has an exact sum: there a half has one right answer.
            exact = (w == 2 * size[0] or (w == 1 and size[0] == 1)) and (h == 2 * size[1] or (h == 1 and size[1] == 1))
            if exact and method == "average":
                slack[:] = 0
            if method == "cubic" and band.dtype.itemsize == 8:
                # Doubles hold 53 bits, and sums of a dozen terms along each axis lose some.
                slack = slack + absolute * 2.0**-44
            low, high = (0, maximum) if bits else (int(np.iinfo(band.dtype).min), maximum)
            rounded = np.where(rounded < low, low, rounded)
            top = rounded >= high
            out = np.where(top, 0, rounded).astype(band.dtype)
            out[top] = high
        else:
            # Sums of f32 may be made in f32.
            # Weights at the edges of windows are differences of coordinates, and off by their last bits.
            slack = absolute * {2: 2.0**-24, 4: 2.0**-22, 8: 2.0**-45}[band.dtype.itemsize]
            if method == "cubic":
                # What overshoots the range of single precision stays at its end.
                mean = np.clip(mean, -np.finfo("f4").max, np.finfo("f4").max) if band.dtype.itemsize == 4 else mean
            with np.errstate(over="ignore"):
                out = mean.astype(band.dtype)
    elif method == "mode":
        parts = [(v, wt > 0, ys, xs) for v, wt, ys, xs in _children(band, size, False)]
        values = [p[0] for p in parts]
        uses = [p[1] & valid[np.ix_(p[2], p[3])] for p in parts]
        best = np.zeros(size[::-1], int)
        out = np.zeros(size[::-1], band.dtype)
        for k in range(len(parts)):
            count = np.zeros(size[::-1], int)
            for j in range(k + 1):
                count += uses[j] & (values[j] == values[k])
            better = uses[k] & (count > best)
            best[better] = count[better]
            out[better] = values[k][better]
        some = best > 0
        slack = np.zeros(out.shape)
    else:
        raise ValueError(method)
    if method in ("average", "cubic"):
        moved = _avoid_nodata(out, some, nodata, maximum)
        # Where either neighbor is right and one of them is nodata, the other is two steps from where that moves to.
        slack = np.where((slack == 1) & (moved != out), 2.0, slack) if integer else slack
        out = moved
    out[~some] = void_value(band.dtype, mask, nodata)
    return out, slack


def mask_overview(mask, size, method):
    """Valid (255) where any child in the kernel's window is valid; nearest: the sampled child; cubic: its own rule."""
    if method == "cubic":
        return np.where(cubic(np.ones(mask.shape), mask != 0, size)[1], 255, 0).astype("u1")
    if method == "nearest":
        h, w = mask.shape
        return mask[np.ix_(nearest_indices(h, size[1]), nearest_indices(w, size[0]))].copy()
    out = np.zeros(size[::-1], bool)
    for values, weight, _, _ in _children(mask, size, False):
        out |= (values != 0) & (weight > 0)
    return np.where(out, 255, 0).astype("u1")


def differences(got, want, slack, anything=None):
    """Number of pixels that are wrong, and the first of them. `anything`: pixels whose value means nothing."""
    if got.shape != want.shape:
        return got.size or 1, f"shape {got.shape}, expected {want.shape}"
    if got.dtype.kind == "c":
        bad = ~((got == want) | (np.isnan(got) & np.isnan(want)))
    elif got.dtype.kind == "f":
        with np.errstate(invalid="ignore", over="ignore"):
            nan = np.isnan(got) & np.isnan(want)
            lower = np.nextafter(want, want.dtype.type("-inf"))
            upper = np.nextafter(want, want.dtype.type("inf"))
            # Nodata is exact; the rest may differ by one step of the type, and by the slack of the sums.
            close = np.abs(got.astype("f8") - want.astype("f8")) <= slack
            bad = ~(nan | ((got >= lower) & (got <= upper)) | close)
    else:
        bad = got != want
        if bad.any():
            a, b = np.maximum(got, want), np.minimum(got, want)
            gap = (a.astype("u8") - b.astype("u8")) if got.dtype.itemsize == 8 else a.astype("i8") - b.astype("i8")
            near = gap.astype("f8") <= slack
            bad &= ~near
    if anything is not None:
        bad &= ~anything
    n = int(bad.sum())
    if not n:
        return 0, ""
    y, x = (int(v) for v in np.argwhere(bad)[0])
    return n, f"{n} of {bad.size} pixels differ, first at x={x} y={y}: {got[y, x]!r}, expected {want[y, x]!r}"
