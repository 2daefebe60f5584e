//! Arrays as numpy writes them (`numpy/lib/_format_impl.py`), and their numbers as those of Rust.

use std::fmt::{self, Display, Formatter};

use zerocopy::{FromZeros, Immutable, IntoBytes};

use crate::Number;

/// An array in numpy's format.
#[derive(Clone, Debug)]
pub struct Array<'a> {
    /// The type of its numbers, as numpy writes it.
    pub descr: &'a str,
    pub shape: Vec<usize>,
    fortran_order: bool,
    data: &'a [u8],
}

impl<'a> Array<'a> {
    /// Reads all but the numbers; `None` if this is no array of numbers or strings.
    pub fn new(npy: &'a [u8]) -> Option<Self> {
        let (len, rest) = match npy.strip_prefix(b"\x93NUMPY")? {
            [1, _, a, b, rest @ ..] => (u16::from_le_bytes([*a, *b]).into(), rest),
            [2 | 3, _, a, b, c, d, rest @ ..] => (u32::from_le_bytes([*a, *b, *c, *d]), rest),
            _ => return None,
        };
        let (header, data) = rest.split_at_checked(len.try_into().ok()?)?;
        let mut header = Header(str::from_utf8(header).ok()?);
        let (mut descr, mut fortran_order, mut shape) = (None, None, None);
        header.expect("{")?;
        while header.expect("}").is_none() {
            let key = header.quoted()?;
            header.expect(":")?;
            match key {
                "descr" => descr = Some(header.quoted()?),
                "fortran_order" => fortran_order = Some(header.boolean()?),
                "shape" => shape = Some(header.shape()?),
                _ => return None,
            }
            header.separator("}")?;
        }
        Some(Self { descr: descr?, shape: shape?, fortran_order: fortran_order?, data })
    }

    /// How many numbers the shape promises, if that many of this type are there.
    pub fn len(&self, dtype: DType) -> Option<usize> {
        let len = self.shape.iter().try_fold(1_usize, |len, &dim| len.checked_mul(dim))?;
        (len.checked_mul(dtype.size)? == self.data.len()).then_some(len)
    }

    /// Converts the numbers, [`Array::len`] of them, in row-major order; the error is the place
    /// and the value of one that `E` can't hold.
    pub fn copy_to<E: Element>(&self, dtype: DType, out: &mut [E]) -> Result<(), (usize, Scalar)> {
        let DType { size, .. } = dtype;
        if self.descr == E::DESCR && !self.fortran_order {
            E::copy(self.data, out);
            return Ok(());
        }
        for (i, out) in out.iter_mut().enumerate() {
            let place = if self.fortran_order { self.place_in_fortran_order(i) } else { i };
            let scalar = dtype.scalar(&self.data[place * size..][..size]);
            *out = E::from_scalar(scalar).ok_or((i, scalar))?;
        }
        Ok(())
    }

    /// Whether it holds strings: numpy's `S`, which are bytes, or `U`, which are characters.
    pub fn is_text(&self) -> bool {
        self.descr.trim_start_matches(['<', '>', '|', '=']).starts_with(['S', 'U'])
    }

    /// The strings in row-major order, without the zeros that fill them up: all in one, and where
    /// each ends. `None` if they are no Unicode, or not as many as the shape says.
    pub fn text(&self) -> Option<(String, Vec<usize>)> {
        let descr = self.descr.trim_start_matches(['<', '>', '|', '=']);
        let width: usize = descr.get(1..)?.parse().ok()?;
        let size = if descr.starts_with('U') { width.checked_mul(4)? } else { width };
        let count = self.shape.iter().try_fold(1_usize, |len, &dim| len.checked_mul(dim))?;
        if count.checked_mul(size)? != self.data.len() || size == 0 && count > 1 << 20 {
            return None;
        }
        let (mut text, mut ends) = (String::new(), Vec::with_capacity(count));
        for i in 0..count {
            let place = if self.fortran_order { self.place_in_fortran_order(i) } else { i };
            let bytes = &self.data[place * size..][..size];
            let start = text.len();
            if descr.starts_with('S') {
                text.push_str(str::from_utf8(bytes).ok()?);
            } else {
                for character in bytes.as_chunks().0 {
                    let mut character: [u8; 4] = *character;
                    if self.descr.starts_with('>') {
                        character.reverse();
                    }
                    text.push(char::from_u32(u32::from_le_bytes(character))?);
                }
            }
            text.truncate(start + text[start..].trim_end_matches('\0').len());
            ends.push(text.len());
        }
        Some((text, ends))
    }

    /// Where the number is that is at `place` in row-major order.
    fn place_in_fortran_order(&self, mut place: usize) -> usize {
        let mut stride: usize = self.shape.iter().product();
        let mut sum = 0;
        for &dim in self.shape.iter().rev() {
            stride /= dim;
            sum += place % dim * stride;
            place /= dim;
        }
        sum
    }
}

/// What is left to read of a header, a dictionary in Python's syntax.
struct Header<'a>(&'a str);

impl<'a> Header<'a> {
    fn expect(&mut self, token: &str) -> Option<()> {
        self.0 = self.0.trim_start().strip_prefix(token)?;
        Some(())
    }

    /// Goes past a comma, which must be there unless `end` is next.
    fn separator(&mut self, end: &str) -> Option<()> {
        self.expect(",").or_else(|| self.0.trim_start().starts_with(end).then_some(()))
    }

    fn quoted(&mut self) -> Option<&'a str> {
        let text = self.0.trim_start();
        let quote = text.chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
        let (quoted, rest) = text[1..].split_once(quote)?;
        self.0 = rest;
        Some(quoted)
    }

    fn boolean(&mut self) -> Option<bool> {
        self.expect("True").map(|()| true).or_else(|| self.expect("False").map(|()| false))
    }

    fn shape(&mut self) -> Option<Vec<usize>> {
        let mut shape = Vec::new();
        self.expect("(")?;
        while self.expect(")").is_none() {
            let text = self.0.trim_start();
            let digits = text.bytes().take_while(u8::is_ascii_digit).count();
            let (dim, rest) = text.split_at(digits);
            shape.push(dim.parse().ok()?);
            self.0 = rest;
            // Python 2 marks long integers.
            let _ = self.expect("L");
            self.separator(")")?;
        }
        Some(shape)
    }
}

/// A type of numbers in a file.
#[derive(Clone, Copy, Debug)]
pub struct DType {
    kind: Kind,
    /// In bytes.
    size: usize,
    big_endian: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Bool,
    Int,
    Uint,
    Float,
}

impl DType {
    /// The type that numpy writes as `descr`; `None` for others than numbers.
    pub fn new(descr: &str) -> Option<Self> {
        let big_endian = descr.starts_with('>');
        let (kind, size) = match descr.strip_prefix(['<', '>', '|', '='])? {
            "b1" => (Kind::Bool, 1),
            "i1" => (Kind::Int, 1),
            "i2" => (Kind::Int, 2),
            "i4" => (Kind::Int, 4),
            "i8" => (Kind::Int, 8),
            "u1" => (Kind::Uint, 1),
            "u2" => (Kind::Uint, 2),
            "u4" => (Kind::Uint, 4),
            "u8" => (Kind::Uint, 8),
            "f2" => (Kind::Float, 2),
            "f4" => (Kind::Float, 4),
            "f8" => (Kind::Float, 8),
            _ => return None,
        };
        Some(Self { kind, size, big_endian })
    }

    /// Whether an `E` may hold numbers of this type.
    pub fn is_for<E: Element>(self) -> bool {
        E::KINDS.contains(&self.kind)
    }

    fn scalar(self, bytes: &[u8]) -> Scalar {
        let mut bits = [0; 8];
        bits[..bytes.len()].copy_from_slice(bytes);
        if self.big_endian {
            bits[..bytes.len()].reverse();
        }
        let bits = u64::from_le_bytes(bits);
        match (self.kind, self.size) {
            (Kind::Bool, _) => Scalar::Bool(bits != 0),
            (Kind::Int, size) => {
                let unused = 64 - 8 * size;
                Scalar::Int(((bits << unused).cast_signed() >> unused).into())
            }
            (Kind::Uint, _) => Scalar::Int(bits.into()),
            (Kind::Float, 2) => Scalar::Float(half(bits as u16)),
            (Kind::Float, 4) => Scalar::Float(f32::from_bits(bits as u32).into()),
            (Kind::Float, _) => Scalar::Float(f64::from_bits(bits)),
        }
    }
}

/// The number with these bits in IEEE 754's format of 16.
fn half(bits: u16) -> f64 {
    let (exponent, fraction) = (bits >> 10 & 31, f64::from(bits & 1023));
    let magnitude = match exponent {
        0 => fraction / f64::from(1 << 24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1024.0 + fraction) * f64::from(1 << exponent) / f64::from(1 << 25),
    };
    if bits >> 15 == 1 { -magnitude } else { magnitude }
}

/// The type as numpy calls it.
impl Display for DType {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        let bits = 8 * self.size;
        match self.kind {
            Kind::Bool => write!(f, "bool"),
            Kind::Int => write!(f, "int{bits}"),
            Kind::Uint => write!(f, "uint{bits}"),
            Kind::Float => write!(f, "float{bits}"),
        }
    }
}

/// A number in a file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar {
    Bool(bool),
    Int(i128),
    Float(f64),
}

impl Display for Scalar {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value}"),
        }
    }
}

/// A type of numbers that npz files hold and models compute in.
pub trait Element: Number + FromZeros + IntoBytes + Immutable {
    /// As numpy calls it.
    const NAME: &'static str;
    /// As numpy writes it.
    const DESCR: &'static str;
    /// The kinds of numbers from which it is converted.
    const KINDS: &'static [Kind];

    /// The same number, floats rounded to the nearest; `None` if there is none.
    fn from_scalar(scalar: Scalar) -> Option<Self>;

    /// Copies numbers of this type, which numpy writes as [`Element::DESCR`].
    fn copy(bytes: &[u8], out: &mut [Self]);
}

macro_rules! floats {
    ($($float:ty, $name:literal, $descr:literal;)*) => {$(
        impl Element for $float {
            const NAME: &'static str = $name;
            const DESCR: &'static str = $descr;
            const KINDS: &'static [Kind] = &[Kind::Float, Kind::Int, Kind::Uint];

            fn from_scalar(scalar: Scalar) -> Option<Self> {
                match scalar {
                    Scalar::Bool(_) => None,
                    Scalar::Int(value) => Some(value as $float),
                    Scalar::Float(value) => Some(value as $float),
                }
            }

            fn copy(bytes: &[u8], out: &mut [Self]) {
                out.as_mut_bytes().copy_from_slice(bytes);
            }
        }
    )*};
}

floats! {
    f32, "float32", "<f4";
    f64, "float64", "<f8";
}

macro_rules! integers {
    ($($integer:ty, $name:literal, $descr:literal;)*) => {$(
        impl Element for $integer {
            const NAME: &'static str = $name;
            const DESCR: &'static str = $descr;
            const KINDS: &'static [Kind] = &[Kind::Int, Kind::Uint];

            fn from_scalar(scalar: Scalar) -> Option<Self> {
                match scalar {
                    Scalar::Int(value) => value.try_into().ok(),
                    Scalar::Bool(_) | Scalar::Float(_) => None,
                }
            }

            fn copy(bytes: &[u8], out: &mut [Self]) {
                out.as_mut_bytes().copy_from_slice(bytes);
            }
        }
    )*};
}

integers! {
    i32, "int32", "<i4";
    i64, "int64", "<i8";
    u8, "uint8", "|u1";
}

impl Element for bool {
    const NAME: &'static str = "bool";
    const DESCR: &'static str = "|b1";
    const KINDS: &'static [Kind] = &[Kind::Bool, Kind::Int, Kind::Uint];

    fn from_scalar(scalar: Scalar) -> Option<Self> {
        match scalar {
            Scalar::Bool(value) => Some(value),
            Scalar::Int(0) => Some(false),
            Scalar::Int(1) => Some(true),
            Scalar::Int(_) | Scalar::Float(_) => None,
        }
    }

    fn copy(bytes: &[u8], out: &mut [Self]) {
        bytes.iter().zip(out).for_each(|(byte, out)| *out = *byte != 0);
    }
}

/// The array of `shape` with these numbers, in numpy's format.
///
/// # Panics
/// If the header is longer than 64 KiB, as none is of fewer than thousands of dimensions.
pub fn write<E: Element>(shape: &[usize], numbers: &[E]) -> Vec<u8> {
    let (descr, shape) = (E::DESCR, Tuple(shape));
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    // The numbers start at a multiple of 64.
    let size = (header.len() + 11).next_multiple_of(64) - 10;
    let mut npy = b"\x93NUMPY\x01\x00".to_vec();
    npy.extend(u16::try_from(size).expect("the header is short").to_le_bytes());
    npy.extend(format!("{header:<0$}\n", size - 1).bytes());
    npy.extend_from_slice(numbers.as_bytes());
    npy
}

/// A shape in Python's syntax.
pub struct Tuple<'a, D>(pub &'a [D]);

impl<D: Display> Display for Tuple<'_, D> {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        match self.0 {
            [] => write!(f, "()"),
            [only] => write!(f, "({only},)"),
            [first, others @ ..] => {
                write!(f, "({first}")?;
                others.iter().try_for_each(|dim| write!(f, ", {dim}"))?;
                write!(f, ")")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_halves() {
        for (bits, value) in [
            (0x0000, 0.0),
            (0x0001, 2_f64.powi(-24)),
            (0x03ff, 1023.0 / 2_f64.powi(24)),
            (0x0400, 2_f64.powi(-14)),
            (0x3c01, 1.0 + 2_f64.powi(-10)),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x7c00, f64::INFINITY),
            (0xfc00, f64::NEG_INFINITY),
        ] {
            assert_eq!(half(bits), value, "{bits:#x}");
        }
        assert!(half(0x8000).is_sign_negative() && half(0x7e00).is_nan());
    }

    /// An array of two numbers, with this header and version.
    fn array(version: &[u8], header: &str) -> Option<(String, Vec<usize>)> {
        let npy = [b"\x93NUMPY", version, header.as_bytes(), &[0; 8]].concat();
        let Array { descr, shape, data, .. } = Array::new(&npy)?;
        (data.len() == 8).then(|| (descr.to_owned(), shape))
    }

    #[test]
    fn reads_headers_of_every_version() {
        let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }  \n";
        let [a, b] = (header.len() as u16).to_le_bytes();
        let expected = Some(("<f4".to_owned(), vec![2]));
        assert_eq!(array(&[1, 0, a, b], header), expected);
        assert_eq!(array(&[2, 0, a, b, 0, 0], header), expected);
        assert_eq!(array(&[3, 0, a, b, 0, 0], header), expected);
        assert_eq!(array(&[4, 0, a, b, 0, 0], header), None);
        assert_eq!(array(&[1, 0, a, b + 1], header), None);
    }

    #[test]
    fn reads_dictionaries_as_python_does() {
        for (header, shape) in [
            ("{\"shape\":(2L,3L),'fortran_order':True,'descr':\"<f4\"}", Some(vec![2, 3])),
            ("{'shape': ( ) , 'fortran_order': True, 'descr': '<f4' , } ", Some(vec![])),
            ("{'shape': (2 3), 'fortran_order': True, 'descr': '<f4'}", None),
            ("{'shape': (-2,), 'fortran_order': True, 'descr': '<f4'}", None),
            ("{'shape': (99999999999999999999,), 'fortran_order': True, 'descr': '<f4'}", None),
            ("{'shape': (2,), 'fortran_order': true, 'descr': '<f4'}", None),
            ("{'shape': (2,), 'fortran_order': True, 'descr': [('a', '<f4')]}", None),
            ("{'shape': (2,), 'fortran_order': True}", None),
            ("{'shape': (2,), 'fortran_order': True, 'descr': '<f4", None),
            ("{'shape': (2", None),
            ("{ä", None),
            ("", None),
        ] {
            let read = array(&[1, 0, header.len() as u8, 0], header);
            assert_eq!(read.map(|(_, shape)| shape), shape, "{header}");
        }
    }

    #[test]
    fn wants_as_many_numbers_as_the_shape_says() {
        let f4 = DType::new("<f4").unwrap();
        for (shape, len) in [
            (vec![2], Some(2)),
            (vec![1, 2, 1], Some(2)),
            (vec![3], None),
            (vec![1], None),
            (vec![0], None),
            (vec![], None),
            (vec![usize::MAX], None),
            (vec![usize::MAX / 4 + 3], None),
            (vec![usize::MAX / 2 + 2, 2], None),
        ] {
            let array = Array { descr: "<f4", shape, fortran_order: false, data: &[0; 8] };
            assert_eq!(array.len(f4), len, "{:?}", array.shape);
        }
    }
}
