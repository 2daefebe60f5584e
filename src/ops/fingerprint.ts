/** The hashes of strings that TensorFlow has: FarmHash's `Fingerprint64` (farmhashna.cc) and SipHash-2-4. */

const K0 = 0xc3a5c85c97cb3127n;
const K1 = 0xb492b66fbe98f273n;
const K2 = 0x9ae16a3b2f90404fn;

const u64 = (x: bigint) => BigInt.asUintN(64, x);
const rotateRight = (x: bigint, bits: bigint) => u64((x >> bits) | (x << (64n - bits)));
const rotateLeft = (x: bigint, bits: bigint) => rotateRight(x, 64n - bits);
const shiftMix = (x: bigint) => x ^ (x >> 47n);

/** FarmHash's fingerprint, which never changes. */
export function fingerprint(bytes: Uint8Array): bigint {
  const length = bytes.length;
  if (length <= 16) return upTo16(bytes);
  if (length > 64) return longer(bytes);
  const mul = K2 + 2n * BigInt(length);
  const a = u64(fetch(bytes, 0) * (length <= 32 ? K1 : K2));
  const b = fetch(bytes, 8);
  const c = u64(fetch(bytes, length - 8) * mul);
  const d = u64(fetch(bytes, length - 16) * K2);
  const y = u64(rotateRight(u64(a + b), 43n) + rotateRight(c, 30n) + d);
  const z = u64(a + rotateRight(u64(b + K2), 18n) + c);
  if (length <= 32) return mix(y, z, mul);
  const mixed = mix(y, z, mul);
  const e = u64(fetch(bytes, 16) * mul);
  const f = fetch(bytes, 24);
  const g = u64((y + fetch(bytes, length - 32)) * mul);
  const h = u64((mixed + fetch(bytes, length - 24)) * mul);
  return mix(
    u64(rotateRight(u64(e + f), 43n) + rotateRight(g, 30n) + h),
    u64(e + rotateRight(u64(f + a), 18n) + g),
    mul,
  );
}

/** One fingerprint of two (tensorflow/core/platform/fingerprint.h). */
export function concatenatedFingerprints(first: bigint, second: bigint): bigint {
  const mul = 0xc6a4a7935bd1e995n;
  const mixed = u64(shiftMix(u64(second * mul)) * mul);
  return shiftMix(u64(shiftMix(u64((first ^ mul ^ mixed) * mul)) * mul));
}

/** SipHash-2-4 under a key. */
export function siphash(key: readonly [bigint, bigint], bytes: Uint8Array): bigint {
  const [k0, k1] = [u64(key[0]), u64(key[1])];
  let v0 = k0 ^ 0x736f6d6570736575n;
  let v1 = k1 ^ 0x646f72616e646f6dn;
  let v2 = k0 ^ 0x6c7967656e657261n;
  let v3 = k1 ^ 0x7465646279746573n;
  const rounds = (count: number) => {
    for (let i = 0; i < count; i++) {
      v0 = u64(v0 + v1);
      v2 = u64(v2 + v3);
      v1 = rotateLeft(v1, 13n) ^ v0;
      v3 = rotateLeft(v3, 16n) ^ v2;
      v0 = rotateLeft(v0, 32n);
      v2 = u64(v2 + v1);
      v0 = u64(v0 + v3);
      v1 = rotateLeft(v1, 17n) ^ v2;
      v3 = rotateLeft(v3, 21n) ^ v0;
      v2 = rotateLeft(v2, 32n);
    }
  };
  const padded = new Uint8Array((Math.floor(bytes.length / 8) + 1) * 8);
  padded.set(bytes);
  padded[padded.length - 1] = bytes.length & 255;
  for (let at = 0; at < padded.length; at += 8) {
    const word = fetch(padded, at);
    v3 ^= word;
    rounds(2);
    v0 ^= word;
  }
  v2 ^= 0xffn;
  rounds(4);
  return v0 ^ v1 ^ v2 ^ v3;
}

/** The little-endian number at `at`. */
function fetch(bytes: Uint8Array, at: number): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(at, true);
}

function mix(u: bigint, v: bigint, mul: bigint): bigint {
  const a = shiftMix(u64((u ^ v) * mul));
  return u64(shiftMix(u64((v ^ a) * mul)) * mul);
}

function upTo16(bytes: Uint8Array): bigint {
  const length = bytes.length;
  const mul = K2 + 2n * BigInt(length);
  if (length >= 8) {
    const a = u64(fetch(bytes, 0) + K2);
    const b = fetch(bytes, length - 8);
    const c = u64(rotateRight(b, 37n) * mul + a);
    return mix(c, u64((rotateRight(a, 25n) + b) * mul), mul);
  }
  if (length >= 4) {
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const [a, b] = [BigInt(view.getUint32(0, true)), BigInt(view.getUint32(length - 4, true))];
    return mix(BigInt(length) + (a << 3n), b, mul);
  }
  if (length === 0) return K2;
  const [a, b, c] = [bytes[0]!, bytes[length >> 1]!, bytes[length - 1]!];
  const [y, z] = [BigInt(a + b * 256), BigInt(length + c * 4)];
  return u64(shiftMix(u64(y * K2) ^ u64(z * K0)) * K2);
}

/** Of 32 bytes and two numbers. */
function weak(bytes: Uint8Array, at: number, first: bigint, second: bigint): readonly [bigint, bigint] {
  const [w, x, y, z] = [0, 8, 16, 24].map((offset) => fetch(bytes, at + offset)) as [
    bigint,
    bigint,
    bigint,
    bigint,
  ];
  const a = u64(first + w);
  const b = rotateRight(u64(second + a + z), 21n);
  const sum = u64(a + x + y);
  return [u64(sum + z), u64(b + rotateRight(sum, 44n) + a)];
}

function longer(bytes: Uint8Array): bigint {
  const seed = 81n;
  let x = u64(seed * K2 + fetch(bytes, 0));
  let y = u64(seed * K1 + 113n);
  let z = u64(shiftMix(u64(y * K2 + 113n)) * K2);
  let v: readonly [bigint, bigint] = [0n, 0n];
  let w: readonly [bigint, bigint] = [0n, 0n];
  const add = (at: number, mul: bigint, factor: bigint) => {
    x = u64(rotateRight(u64(x + y + v[0] + fetch(bytes, at + 8)), 37n) * mul) ^ u64(w[1] * factor);
    y = u64(rotateRight(u64(y + v[1] + fetch(bytes, at + 48)), 42n) * mul);
    y = u64(y + v[0] * factor + fetch(bytes, at + 40));
    z = u64(rotateRight(u64(z + w[0]), 33n) * mul);
    v = weak(bytes, at, u64(v[1] * mul), u64(x + w[0]));
    w = weak(bytes, at + 32, u64(z + w[1]), u64(y + fetch(bytes, at + 16)));
    [x, z] = [z, x];
  };
  const last = bytes.length - 1;
  for (let at = 0; at + 64 <= last - (last % 64); at += 64) add(at, K1, 1n);
  const mul = u64(K1 + ((z & 255n) << 1n));
  w = [u64(w[0] + BigInt(last & 63)), w[1]];
  v = [u64(v[0] + w[0]), v[1]];
  w = [u64(w[0] + v[0]), w[1]];
  add(bytes.length - 64, mul, 9n);
  return mix(u64(mix(v[0], w[0], mul) + shiftMix(y) * K0 + z), u64(mix(v[1], w[1], mul) + x), mul);
}
