//! FarmHash's `Fingerprint64` (Geoff Pike, Google, MIT licence; farmhashna.cc): the hash of strings whose values
//! TensorFlow promises never to change.

const K0: u64 = 0xc3a5_c85c_97cb_3127;
const K1: u64 = 0xb492_b66f_be98_f273;
const K2: u64 = 0x9ae1_6a3b_2f90_404f;

/// The fingerprint of a string.
pub fn fingerprint(bytes: &[u8]) -> u64 {
    match bytes.len() {
        0..=16 => up_to_16(bytes),
        17..=32 => up_to_32(bytes),
        33..=64 => up_to_64(bytes),
        _ => longer(bytes),
    }
}

/// One fingerprint of two (tensorflow/core/platform/fingerprint.h).
pub fn concatenated(first: u64, second: u64) -> u64 {
    const MUL: u64 = 0xc6a4_a793_5bd1_e995;
    let mixed = shift_mix(second.wrapping_mul(MUL)).wrapping_mul(MUL);
    let result = (first ^ MUL ^ mixed).wrapping_mul(MUL);
    shift_mix(shift_mix(result).wrapping_mul(MUL))
}

fn shift_mix(value: u64) -> u64 {
    value ^ (value >> 47)
}

/// The little-endian number at `at`.
fn fetch(bytes: &[u8], at: usize) -> u64 {
    bytes[at..].first_chunk().map_or(0, |chunk| u64::from_le_bytes(*chunk))
}

fn fetch32(bytes: &[u8], at: usize) -> u64 {
    bytes[at..].first_chunk().map_or(0, |chunk| u32::from_le_bytes(*chunk)).into()
}

fn mix(u: u64, v: u64, mul: u64) -> u64 {
    let a = shift_mix((u ^ v).wrapping_mul(mul));
    shift_mix((v ^ a).wrapping_mul(mul)).wrapping_mul(mul)
}

fn multiplier(len: usize) -> u64 {
    K2.wrapping_add(2 * len as u64)
}

fn up_to_16(bytes: &[u8]) -> u64 {
    let len = bytes.len();
    let mul = multiplier(len);
    match len {
        8.. => {
            let a = fetch(bytes, 0).wrapping_add(K2);
            let b = fetch(bytes, len - 8);
            let c = b.rotate_right(37).wrapping_mul(mul).wrapping_add(a);
            let d = a.rotate_right(25).wrapping_add(b).wrapping_mul(mul);
            mix(c, d, mul)
        }
        4..8 => {
            let a = fetch32(bytes, 0);
            mix((len as u64).wrapping_add(a << 3), fetch32(bytes, len - 4), mul)
        }
        1..4 => {
            let [a, b, c] = [bytes[0], bytes[len >> 1], bytes[len - 1]].map(u64::from);
            let (y, z) = (a + (b << 8), len as u64 + (c << 2));
            shift_mix(y.wrapping_mul(K2) ^ z.wrapping_mul(K0)).wrapping_mul(K2)
        }
        0 => K2,
    }
}

/// The two sums that strings of 17 bytes or more begin with, and what they are made of.
fn ends(bytes: &[u8], factor: u64, mul: u64) -> (u64, u64, u64) {
    let len = bytes.len();
    let a = fetch(bytes, 0).wrapping_mul(factor);
    let b = fetch(bytes, 8);
    let c = fetch(bytes, len - 8).wrapping_mul(mul);
    let d = fetch(bytes, len - 16).wrapping_mul(K2);
    let y = a.wrapping_add(b).rotate_right(43).wrapping_add(c.rotate_right(30)).wrapping_add(d);
    let z = a.wrapping_add(b.wrapping_add(K2).rotate_right(18)).wrapping_add(c);
    (a, y, z)
}

fn up_to_32(bytes: &[u8]) -> u64 {
    let mul = multiplier(bytes.len());
    let (_, y, z) = ends(bytes, K1, mul);
    mix(y, z, mul)
}

fn up_to_64(bytes: &[u8]) -> u64 {
    let len = bytes.len();
    let mul = multiplier(len);
    let (a, y, z) = ends(bytes, K2, mul);
    let z = mix(y, z, mul);
    let e = fetch(bytes, 16).wrapping_mul(mul);
    let f = fetch(bytes, 24);
    let g = y.wrapping_add(fetch(bytes, len - 32)).wrapping_mul(mul);
    let h = z.wrapping_add(fetch(bytes, len - 24)).wrapping_mul(mul);
    mix(
        e.wrapping_add(f).rotate_right(43).wrapping_add(g.rotate_right(30)).wrapping_add(h),
        e.wrapping_add(f.wrapping_add(a).rotate_right(18)).wrapping_add(g),
        mul,
    )
}

/// Of 32 bytes and two numbers.
fn weak(bytes: &[u8], a: u64, b: u64) -> (u64, u64) {
    let [w, x, y, z] = [0, 8, 16, 24].map(|at| fetch(bytes, at));
    let a = a.wrapping_add(w);
    let b = b.wrapping_add(a).wrapping_add(z).rotate_right(21);
    let sum = a.wrapping_add(x).wrapping_add(y);
    (sum.wrapping_add(z), b.wrapping_add(sum.rotate_right(44)).wrapping_add(a))
}

/// What is known after some blocks of 64 bytes.
struct State {
    x: u64,
    y: u64,
    z: u64,
    v: (u64, u64),
    w: (u64, u64),
}

impl State {
    fn add(&mut self, block: &[u8], mul: u64, is_last: bool) {
        let factor = if is_last { 9 } else { 1 };
        let Self { x, y, z, v, w } = self;
        *x = x.wrapping_add(*y).wrapping_add(v.0).wrapping_add(fetch(block, 8));
        *x = x.rotate_right(37).wrapping_mul(mul) ^ w.1.wrapping_mul(factor);
        *y = y.wrapping_add(v.1).wrapping_add(fetch(block, 48)).rotate_right(42).wrapping_mul(mul);
        *y = y.wrapping_add(v.0.wrapping_mul(factor)).wrapping_add(fetch(block, 40));
        *z = z.wrapping_add(w.0).rotate_right(33).wrapping_mul(mul);
        *v = weak(block, v.1.wrapping_mul(mul), x.wrapping_add(w.0));
        *w = weak(&block[32..], z.wrapping_add(w.1), y.wrapping_add(fetch(block, 16)));
        std::mem::swap(x, z);
    }
}

fn longer(bytes: &[u8]) -> u64 {
    const SEED: u64 = 81;
    let y = SEED.wrapping_mul(K1).wrapping_add(113);
    let mut state = State {
        x: SEED.wrapping_mul(K2).wrapping_add(fetch(bytes, 0)),
        y,
        z: shift_mix(y.wrapping_mul(K2).wrapping_add(113)).wrapping_mul(K2),
        v: (0, 0),
        w: (0, 0),
    };
    let last = bytes.len() - 1;
    for block in bytes[..last / 64 * 64].chunks_exact(64) {
        state.add(block, K1, false);
    }
    let mul = K1.wrapping_add((state.z & 0xff) << 1);
    state.w.0 = state.w.0.wrapping_add((last & 63) as u64);
    state.v.0 = state.v.0.wrapping_add(state.w.0);
    state.w.0 = state.w.0.wrapping_add(state.v.0);
    state.add(&bytes[bytes.len() - 64..], mul, true);
    let State { x, y, z, v, w } = state;
    mix(
        mix(v.0, w.0, mul).wrapping_add(shift_mix(y).wrapping_mul(K0)).wrapping_add(z),
        mix(v.1, w.1, mul).wrapping_add(x),
        mul,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Those of `tf.fingerprint` for the first letters of the alphabet, over and over.
    #[test]
    fn hashes_as_tensorflow_does() {
        let letters: Vec<u8> = (0..200).map(|i| b'a' + i % 26).collect();
        for (len, expected) in [
            (0, 0x9ae1_6a3b_2f90_404f),
            (1, 0xb345_4265_b6df_75e3),
            (3, 0x24a5_b3a0_74e7_f369),
            (4, 0x1a55_02de_4a1f_8101),
            (7, 0x3c40_c92b_1ccb_7355),
            (8, 0xfee9_d229_90c8_2909),
            (16, 0x5463_0bad_7705_cebd),
            (17, 0x9e21_06c7_2d77_93a8),
            (32, 0xff96_b8a5_4087_359a),
            (33, 0x1bd2_57e2_fc3d_a812),
            (64, 0x9c4a_595c_23bb_9bfa),
            (65, 0x2434_d891_7886_fe2a),
            (128, 0xc324_4d5e_c8a4_474a),
            (129, 0x9b1c_a057_1b8c_efd4),
            (200, 0x25d4_0299_e841_9af6),
        ] {
            assert_eq!(fingerprint(&letters[..len]), expected, "{len} letters");
        }
    }
}
