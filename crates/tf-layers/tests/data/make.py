"""Writes the npz files of tests/npz.rs. Run it here, with numpy 2."""

import numpy as np

TYPES = ['b1', 'i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8', 'f2', 'f4', 'f8']


def numbers(dtype: str) -> np.ndarray:
    """0 to 11, by rows of 2 x 3; or whether they are odd."""
    twelve = np.arange(12).reshape(2, 2, 3)
    return (twelve % 2 if dtype == 'b1' else twelve).astype(dtype)


arrays = {f'{order}_{dtype}': numbers(dtype).astype(sign + dtype) for dtype in TYPES for order, sign in [('little', '<'), ('big', '>')]}
arrays |= {f'fortran_{dtype}': np.asfortranarray(numbers(dtype)) for dtype in ['u1', 'f4']}
arrays['sliced'] = np.arange(24, dtype='f4').reshape(2, 2, 6)[..., ::2]
np.savez_compressed('types.npz', **arrays)

np.savez(
    'stored.npz',
    column=np.array([[0.5], [1.5], [2.5]], 'f4'),
    line=np.array([0.5, 1.5, 2.5], 'f4'),
    scalar=np.float32(0.5),
    empty=np.zeros((0, 3), 'f4'),
    limits=np.array([-(2**63), 2**63 - 1]),
    large=np.array([2**64 - 1], 'u8'),
    floats=np.array([np.nan, np.inf, -np.inf, -0.0, 1e-45, 0.1]),
    strings=np.array(['spam', 'ham']),
    bytes=np.array([b'spam', b'ham']),
    complex=np.array([1j]),
    records=np.zeros(2, [('a', 'f4'), ('b', 'i8')]),
    objects=np.array([{}, None]),
)

# Every kind of block: noise is stored, runs are copies of one byte, and text copies from far away.
state = np.uint32(1)
noise = []
for _ in range(3000):
    state = np.uint32((int(state) * 1664525 + 1013904223) % 2**32)
    noise.append(int(state) >> 24)
text = ' '.join(str(i * i) for i in range(2000)).encode()
np.savez_compressed(
    'deflated.npz',
    noise=np.array(noise, 'u1'),
    runs=np.repeat(np.array([7, 0, 255], 'u1'), [100_000, 1, 70_000]),
    text=np.frombuffer(text, 'u1'),
    tiny=np.array([1], 'u1'),
)

# Strings of bytes, which are UTF-8, and of characters.
strings = np.array([['', 'a'], ['Käse 😀', 'b c'], ['x', '']])
encoded = np.char.encode(strings, 'utf-8')
np.savez(
    'text.npz',
    bytes=np.array(encoded.tolist(), 'S10'),
    unicode=strings,
    big_endian=strings.astype('>U6'),
    fortran=np.asfortranarray(encoded),
    column=np.array([[b'one'], [b'two']]),
    empty=np.array([], 'S3'),
    nothing=np.zeros(2, 'S1'),
    latin1=np.array(['Käse'.encode('latin1')]),
    numbers=np.array([1, 2]),
)
