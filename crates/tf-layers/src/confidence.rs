use std::fmt::{self, Display, Formatter};

/// How sure the model is, from the least to the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    Bottom,
    Low,
    Medium,
    High,
}

/// The level as `thresholds.json` calls it.
impl Display for Confidence {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        f.pad(match self {
            Self::Bottom => "bottom",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        })
    }
}

/// The lowest score of each confidence level.
///
/// ```
/// use tf_layers::{Confidence, Thresholds};
///
/// const THRESHOLDS: Thresholds =
///     Thresholds::from_json(r#"{"bottom": 0.5, "low": 0.6, "medium": 0.8, "high": 0.95}"#);
/// assert_eq!(THRESHOLDS.confidence(0.95), Some(Confidence::High));
/// assert_eq!(THRESHOLDS.confidence(0.49), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    bottom: f32,
    low: f32,
    medium: f32,
    high: f32,
}

impl Thresholds {
    /// Reads `thresholds.json`. Each level is the float nearest to the number written there.
    ///
    /// # Panics
    /// On anything but an object with the four levels, in ascending order of their scores; in a
    /// constant, that is a compile error.
    pub const fn from_json(json: &str) -> Self {
        let mut text = Text { json: json.as_bytes(), at: 0 };
        let mut levels = [None; 4];
        text.expect(b'{', "thresholds.json: expected an object such as {\"bottom\": 0.5, …}");
        loop {
            let level = text.level();
            text.expect(b':', "thresholds.json: expected `:` after the name of a level");
            assert!(levels[level].is_none(), "thresholds.json: a level is there twice");
            levels[level] = Some(text.number());
            if !text.takes(b',') {
                break;
            }
        }
        text.expect(b'}', "thresholds.json: expected `,` or `}` after the score of a level");
        text.skip_spaces();
        assert!(text.at == json.len(), "thresholds.json: something follows the closing brace");

        let [Some(bottom), Some(low), Some(medium), Some(high)] = levels else {
            panic!("thresholds.json: `bottom`, `low`, `medium` and `high` must all be there");
        };
        assert!(
            bottom < low && low < medium && medium < high,
            "thresholds.json: the scores must ascend from `bottom` through `low` and `medium` to `high`"
        );
        Self { bottom, low, medium, high }
    }

    /// The highest level that `score` reaches, or `None` below `bottom` and for NaN.
    pub fn confidence(&self, score: f32) -> Option<Confidence> {
        use Confidence::*;
        [(self.high, High), (self.medium, Medium), (self.low, Low), (self.bottom, Bottom)]
            .into_iter()
            .find_map(|(threshold, level)| (score >= threshold).then_some(level))
    }
}

/// JSON, and how far it has been read.
struct Text<'a> {
    json: &'a [u8],
    at: usize,
}

impl Text<'_> {
    /// The place of the level whose name comes next.
    const fn level(&mut self) -> usize {
        self.expect(b'"', "thresholds.json: expected the name of a level, in quotes");
        let start = self.at;
        while !matches!(self.peek(), None | Some(b'"')) {
            self.at += 1;
        }
        let name = self.json.split_at(start).1.split_at(self.at - start).0;
        self.expect(b'"', "thresholds.json: a quote is not closed");
        match name {
            b"bottom" => 0,
            b"low" => 1,
            b"medium" => 2,
            b"high" => 3,
            _ => panic!(
                "thresholds.json: a level is not one of `bottom`, `low`, `medium` and `high`"
            ),
        }
    }

    /// The float nearest to the number that comes next.
    const fn number(&mut self) -> f32 {
        let negative = self.takes(b'-');
        let mut digits = Digits { value: 0, count: 0 };
        self.digits(&mut digits);
        let whole = digits.count;
        let mut exponent = 0;
        if matches!(self.peek(), Some(b'.')) {
            self.at += 1;
            self.digits(&mut digits);
            assert!(digits.count > whole, "{}", NOT_A_NUMBER);
            exponent -= (digits.count - whole) as i64;
        }
        assert!(whole > 0, "{}", NOT_A_NUMBER);
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            let negative = matches!(self.peek(), Some(b'-'));
            if negative || matches!(self.peek(), Some(b'+')) {
                self.at += 1;
            }
            let mut power = Digits { value: 0, count: 0 };
            self.digits(&mut power);
            assert!(power.count > 0, "{}", NOT_A_NUMBER);
            assert!(power.value <= 1000, "{}", OUT_OF_RANGE);
            exponent += if negative { -(power.value as i64) } else { power.value as i64 };
        }
        let magnitude = nearest(digits.value, exponent);
        if negative { -magnitude } else { magnitude }
    }

    const fn digits(&mut self, digits: &mut Digits) {
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            let Some(tenfold) = digits.value.checked_mul(10) else { panic!("{}", OUT_OF_RANGE) };
            digits.value = match tenfold.checked_add((digit - b'0') as u128) {
                Some(value) => value,
                None => panic!("{}", OUT_OF_RANGE),
            };
            digits.count += 1;
            self.at += 1;
        }
    }

    const fn expect(&mut self, byte: u8, otherwise: &str) {
        assert!(self.takes(byte), "{}", otherwise);
    }

    /// Whether `byte` comes next, after spaces; if so, goes past it.
    const fn takes(&mut self, byte: u8) -> bool {
        self.skip_spaces();
        let found = matches!(self.peek(), Some(next) if next == byte);
        self.at += found as usize;
        found
    }

    const fn skip_spaces(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    const fn peek(&self) -> Option<u8> {
        if self.at < self.json.len() { Some(self.json[self.at]) } else { None }
    }
}

struct Digits {
    value: u128,
    count: usize,
}

const NOT_A_NUMBER: &str = "thresholds.json: a score is not a plain number such as 0.5";
const OUT_OF_RANGE: &str = "thresholds.json: a score is too large, or has too many digits";

/// The float nearest to `digits · 10^exponent`.
const fn nearest(digits: u128, exponent: i64) -> f32 {
    if digits == 0 {
        return 0.0;
    }
    if exponent >= 0 {
        assert!(exponent <= 38, "{}", OUT_OF_RANGE);
        let Some(whole) = digits.checked_mul(10_u128.pow(exponent as u32)) else {
            panic!("{}", OUT_OF_RANGE)
        };
        assert!(whole < 1 << 127, "{}", OUT_OF_RANGE);
        return whole as f32;
    }
    // 2^126 / 10^30 > 2^26: the quotient has all 24 bits of a float and the bits that decide how to
    // round them, the last of which stands for the remainder.
    assert!(exponent >= -30, "{}", OUT_OF_RANGE);
    let divisor = 10_u128.pow(exponent.unsigned_abs() as u32);
    let shift = digits.leading_zeros().saturating_sub(1);
    let dividend = digits << shift;
    let rounded = !dividend.is_multiple_of(divisor);
    let quotient = (dividend / divisor) | rounded as u128;
    quotient as f32 / (1_u128 << shift) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::catch_unwind;

    fn thresholds(bottom: &str) -> Thresholds {
        Thresholds::from_json(&format!(
            "{{\"high\": 3e37, \"medium\":2E+37,\r\n\t\"low\" :1.0e37,\"bottom\": {bottom}}}\n"
        ))
    }

    #[test]
    fn reads_the_nearest_float() {
        for text in [
            "0",
            "-0",
            "0.5",
            "0.95",
            "0.1",
            "-2.75",
            "1",
            "16777217",
            "16777219",
            "1e-30",
            "9e36",
            "0.3333333333333333",
            "0.9999999999999999",
            "123.456e-7",
            "12E3",
            "0.50000",
            "0.50000002980232238769531250",
            "0.50000002980232238769531251",
            "0.50000002980232238769531249",
            "0.50000008940696716308593750",
        ] {
            let expected: f32 = text.parse().unwrap();
            assert_eq!(thresholds(text).bottom.to_bits(), expected.to_bits(), "{text}");
        }
        for thousandths in 0..1000 {
            let text = format!("0.{thousandths:03}");
            assert_eq!(thresholds(&text).bottom, text.parse().unwrap(), "{text}");
        }
        let mut digits: u64 = 1;
        for i in 0..10_000 {
            digits = digits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let text = format!("{}e-{}", digits >> (i % 64), i % 31);
            let expected: f32 = text.parse().unwrap();
            assert_eq!(thresholds(&text).bottom, expected, "{text}");
        }
    }

    #[test]
    fn says_what_is_wrong() {
        for (json, message) in [
            ("", "expected an object"),
            ("{}", "expected the name of a level"),
            (r#"{"bottom"#, "a quote is not closed"),
            (r#"{"bottom" 1}"#, "expected `:`"),
            (r#"{"lowest": 1}"#, "not one of `bottom`"),
            (r#"{"bottom": 1, "bottom": 2}"#, "there twice"),
            (r#"{"bottom": .5}"#, "not a plain number"),
            (r#"{"bottom": 5.}"#, "not a plain number"),
            (r#"{"bottom": 5e}"#, "not a plain number"),
            (r#"{"bottom": NaN}"#, "not a plain number"),
            (r#"{"bottom": "0.5"}"#, "not a plain number"),
            (r#"{"bottom": 0.5"#, "expected `,` or `}`"),
            (r#"{"bottom": 0.5 0.6}"#, "expected `,` or `}`"),
            (r#"{"bottom": 1e39}"#, "too large"),
            (r#"{"bottom": 1e-31}"#, "too many digits"),
            (r#"{"bottom": 1e99999999999999999999999999999999999999999}"#, "too large"),
            (r#"{"bottom": 999999999999999999999999999999999999999999}"#, "too large"),
            (r#"{"bottom": 0.5, "low": 0.6, "medium": 0.8}"#, "must all be there"),
            (r#"{"bottom": 0.5, "low": 0.6, "medium": 0.8, "high": 0.8}"#, "must ascend"),
            (r#"{"bottom": 0.5, "low": 0.6, "medium": 0.8, "high": 0.9}}"#, "follows the closing"),
        ] {
            let panic = catch_unwind(|| Thresholds::from_json(json)).unwrap_err();
            let said = panic
                .downcast_ref::<String>()
                .cloned()
                .or_else(|| panic.downcast_ref::<&str>().map(|said| said.to_string()))
                .unwrap();
            assert!(said.contains(message), "{json}: {said}");
        }
    }

    #[test]
    fn finds_the_level_of_a_score() {
        const THRESHOLDS: Thresholds =
            Thresholds::from_json(r#"{"bottom": 0.5, "low": 0.6, "medium": 0.8, "high": 0.95}"#);
        for (score, level) in [
            (f32::NAN, None),
            (f32::NEG_INFINITY, None),
            (0.5_f32.next_down(), None),
            (0.5, Some(Confidence::Bottom)),
            (0.6, Some(Confidence::Low)),
            (0.8, Some(Confidence::Medium)),
            (0.95_f32.next_down(), Some(Confidence::Medium)),
            (0.95, Some(Confidence::High)),
            (f32::INFINITY, Some(Confidence::High)),
        ] {
            assert_eq!(THRESHOLDS.confidence(score), level, "{score}");
        }
        assert_eq!(format!("{:>6}", Confidence::Low), "   low");
    }
}
