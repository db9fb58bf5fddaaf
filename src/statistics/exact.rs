//! Exact sums, and quotients of them that are rounded once.
//!
//! Floating-point sums depend on the order of their terms. These do not: every finite double is a multiple of the
//! smallest unit of its type, so sums are kept as long integers ("superaccumulator", Kulisch 1971).

/// Bits of a limb that hold a digit; the remaining bits collect carries until they are propagated.
const DIGIT_BITS: u32 = 32;
/// Number of additions before carries must be propagated: a digit adds less than 2^32 to a limb of 63 bits.
const ADDS_BEFORE_CARRY: u32 = 1 << 29;

/// A signed sum in multiples of a unit, 2^`unit`.
#[derive(Debug, Clone)]
pub(super) struct FixedPoint {
    unit: i32,
    limbs: Box<[i64]>,
    adds: u32,
}

impl FixedPoint {
    /// Makes a sum for fewer than 2^63 numbers below 2^`highest` in magnitude.
    pub(super) fn new(unit: i32, highest: i32) -> Self {
        let bits = highest.saturating_sub(unit).unsigned_abs() + 64;
        Self { unit, limbs: vec![0; (bits / DIGIT_BITS + 2) as usize].into(), adds: 0 }
    }

    /// Adds a finite number.
    pub(super) fn add(&mut self, value: f64) {
        let (mantissa, exponent) = decompose(value);
        self.add_at(mantissa, exponent, value.is_sign_negative());
    }

    /// Adds the square of a finite number.
    pub(super) fn add_square(&mut self, value: f64) {
        let (mantissa, exponent) = decompose(value);
        let square = u128::from(mantissa) * u128::from(mantissa);
        #[expect(clippy::cast_possible_truncation, reason = "the lower and the upper half")]
        let (low, high) = (square as u64, (square >> 64) as u64);
        self.add_at(low, 2 * exponent, false);
        if high != 0 {
            self.add_at(high, 2 * exponent + 64, false);
        }
    }

    /// Adds `magnitude` times 2^`exponent`.
    fn add_at(&mut self, magnitude: u64, exponent: i32, negative: bool) {
        if magnitude == 0 {
            return;
        }
        let shift = exponent.saturating_sub(self.unit).unsigned_abs();
        let mut left = u128::from(magnitude) << (shift % DIGIT_BITS);
        for limb in self.limbs.iter_mut().skip((shift / DIGIT_BITS) as usize) {
            if left == 0 {
                break;
            }
            let digit = (left & 0xFFFF_FFFF) as i64;
            *limb += if negative { -digit } else { digit };
            left >>= DIGIT_BITS;
        }
        self.adds += 1;
        if self.adds >= ADDS_BEFORE_CARRY {
            self.carry();
        }
    }

    /// Adds another sum of the same unit.
    pub(super) fn merge(&mut self, mut other: Self) {
        self.carry();
        other.carry();
        for (limb, other) in self.limbs.iter_mut().zip(&other.limbs) {
            *limb += other;
        }
        self.carry();
    }

    /// Returns the sum in units: its sign, the index of its lowest nonzero 32-bit digit, and the digits from that one
    /// to the highest nonzero one. Equal sums give equal digits.
    pub(super) fn digits(self) -> (bool, usize, Vec<u32>) {
        let Whole { negative, mut digits } = self.whole();
        let len = digits.iter().rposition(|digit| *digit != 0).map_or(0, |last| last + 1);
        digits.truncate(len);
        let lowest = digits.iter().position(|digit| *digit != 0).unwrap_or(0);
        digits.drain(..lowest);
        (negative, lowest, digits)
    }

    /// Sets a sum that is still zero from the result of [`digits`](Self::digits); `None` if there are more digits than
    /// a sum of this range has.
    pub(super) fn with_digits(mut self, negative: bool, lowest: usize, digits: &[u32]) -> Option<Self> {
        let limbs = self.limbs.get_mut(lowest..lowest.checked_add(digits.len())?)?;
        for (limb, digit) in limbs.iter_mut().zip(digits) {
            *limb = if negative { -i64::from(*digit) } else { i64::from(*digit) };
        }
        self.carry();
        Some(self)
    }

    /// Propagates carries, so that all limbs except the last are digits.
    fn carry(&mut self) {
        let mut carry = 0;
        let last = self.limbs.len() - 1;
        for limb in &mut self.limbs[..last] {
            let value = *limb + carry;
            *limb = value & 0xFFFF_FFFF;
            carry = value >> DIGIT_BITS;
        }
        self.limbs[last] += carry;
        self.adds = 0;
    }

    /// Returns the sum in units.
    pub(super) fn whole(mut self) -> Whole {
        self.carry();
        let negative = self.limbs.last().is_some_and(|last| *last < 0);
        if negative {
            self.limbs.iter_mut().for_each(|limb| *limb = -*limb);
            self.carry();
        }
        let mut digits: Vec<u32> = self.limbs.iter().map(|limb| digit(*limb)).collect();
        digits.push(self.limbs.last().map_or(0, |last| digit(last >> DIGIT_BITS)));
        Whole { negative, digits }
    }
}

/// Returns the lowest 32 bits.
fn digit(value: i64) -> u32 {
    u32::try_from(value & 0xFFFF_FFFF).unwrap_or_default()
}

/// Returns the mantissa of a finite double as an odd integer, and its exponent. If the double comes from a narrower
/// type, the exponent is never below that of the type's unit.
fn decompose(value: f64) -> (u64, i32) {
    let bits = value.to_bits();
    let fraction = bits & ((1 << 52) - 1);
    let exponent = ((bits >> 52) & 0x7FF) as i32;
    let (mantissa, exponent) = if exponent == 0 { (fraction, -1074) } else { (fraction | 1 << 52, exponent - 1075) };
    let zeros = mantissa.trailing_zeros() % u64::BITS;
    (mantissa >> zeros, exponent + zeros.cast_signed())
}

/// An integer of arbitrary length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Whole {
    negative: bool,
    /// Digits of 32 bits, lowest first.
    digits: Vec<u32>,
}

impl From<i128> for Whole {
    fn from(value: i128) -> Self {
        Self { negative: value < 0, ..Self::from(value.unsigned_abs()) }
    }
}

impl From<u128> for Whole {
    fn from(value: u128) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "digit by digit")]
        let digits = (0..4).map(|digit| (value >> (32 * digit)) as u32).collect();
        Self { negative: false, digits }
    }
}

impl Whole {
    /// Multiplies by 2^(32 · `digits`).
    pub(super) fn shifted(mut self, digits: usize) -> Self {
        self.digits.splice(0..0, std::iter::repeat_n(0, digits));
        self
    }

    /// Adds two numbers that are not negative.
    pub(super) fn plus(&self, other: &Self) -> Self {
        let length = self.digits.len().max(other.digits.len()) + 1;
        let digit = |whole: &Self, index: usize| u64::from(whole.digits.get(index).copied().unwrap_or(0));
        let mut carry = 0;
        let digits = (0..length).map(|index| {
            let sum = digit(self, index) + digit(other, index) + carry;
            carry = sum >> 32;
            (sum & 0xFFFF_FFFF) as u32
        });
        Self { negative: false, digits: digits.collect() }
    }

    /// Subtracts a number from one that is at least as large; neither is negative.
    pub(super) fn minus(&self, other: &Self) -> Self {
        let mut borrow = 0;
        let digits = self.digits.iter().enumerate().map(|(index, &digit)| {
            let value = i64::from(digit) - i64::from(other.digits.get(index).copied().unwrap_or(0)) - borrow;
            borrow = i64::from(value < 0);
            self::digit(value)
        });
        Self { negative: false, digits: digits.collect() }
    }

    /// Multiplies two numbers.
    pub(super) fn times(&self, other: &Self) -> Self {
        let mut digits = vec![0u32; self.digits.len() + other.digits.len()];
        for (first, &a) in self.digits.iter().enumerate() {
            let mut carry = 0u64;
            for (second, &b) in other.digits.iter().enumerate() {
                let sum = u64::from(a) * u64::from(b) + u64::from(digits[first + second]) + carry;
                digits[first + second] = (sum & 0xFFFF_FFFF) as u32;
                carry = sum >> 32;
            }
            digits[first + other.digits.len()] = (carry & 0xFFFF_FFFF) as u32;
        }
        Self { negative: self.negative != other.negative, digits }
    }

    /// Multiplies by 2^`exponent`, divides by `divisor` (from 1 to below 2^127), and rounds once, to the nearest
    /// double, halves to even.
    pub(super) fn divided(&self, divisor: u128, exponent: i32) -> f64 {
        let bits = self.digits.len() * 32;
        let bit = |index: usize| u128::from(self.digits[index / 32] >> (index % 32) & 1);
        if self.digits.iter().all(|digit| *digit == 0) || divisor == 0 {
            return 0.0;
        }
        // Long division, bit by bit from the top, until the quotient has 64 bits from its first one on. Of the rest of
        // the number and of the remainder, only whether it is zero matters.
        let (mut remainder, mut quotient, mut lowest, mut position) = (0u128, 0u64, 0i32, bits);
        while quotient >> 63 == 0 {
            let next = if position > 0 {
                position -= 1;
                bit(position)
            } else {
                lowest -= 1;
                0
            };
            remainder = remainder << 1 | next;
            let fits = remainder >= divisor;
            if fits {
                remainder -= divisor;
            }
            quotient = quotient << 1 | u64::from(fits);
        }
        let sticky = remainder != 0 || (0..position).any(|index| bit(index) != 0);
        let lowest = lowest.saturating_add(i32::try_from(position).unwrap_or(i32::MAX)).saturating_add(exponent);
        let magnitude = rounded(quotient, lowest, sticky);
        if self.negative { -magnitude } else { magnitude }
    }
}

/// Rounds `mantissa` (highest bit set) times 2^`exponent`, plus slightly more if `sticky`, to the nearest double.
fn rounded(mantissa: u64, exponent: i32, sticky: bool) -> f64 {
    // The exponent of the lowest bit of a double of this size.
    let lowest = exponent.saturating_add(11).max(-1074);
    let dropped = lowest.saturating_sub(exponent).unsigned_abs();
    if dropped > 64 {
        return 0.0;
    }
    let kept = if dropped == 64 { 0 } else { mantissa >> dropped };
    let half = 1u64 << (dropped - 1);
    let below = mantissa & (half - 1) != 0 || sticky;
    let up = mantissa & half != 0 && (below || kept & 1 == 1);
    // Carries may run into the exponent: 2^53 has the bits of the next exponent's smallest mantissa.
    let kept = kept + u64::from(up);
    if kept >> 52 == 0 {
        return f64::from_bits(kept);
    }
    let biased = i64::from(lowest) + 1075 + i64::from(kept == 1 << 53);
    if biased > 2046 {
        return f64::INFINITY;
    }
    let fraction = if kept == 1 << 53 { 0 } else { kept & ((1 << 52) - 1) };
    f64::from_bits(biased.unsigned_abs() << 52 | fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBERS: [f64; 12] = [
        1.0,
        3.0,
        0.1,
        1e300,
        5e-324,
        2.2250738585072014e-308,
        1.7976931348623157e308,
        123_456_789.125,
        7e-310,
        0.333_333_333_333_333_3,
        9_007_199_254_740_993.0,
        1e-5,
    ];

    #[test]
    fn one_number_comes_out_as_it_went_in() {
        for value in NUMBERS.into_iter().flat_map(|value| [value, -value]) {
            let mut sum = FixedPoint::new(-1074, 1024);
            sum.add(value);
            assert_eq!(sum.whole().divided(1, -1074), value);
        }
    }

    #[test]
    fn narrow_types_have_larger_units() {
        for value in [f32::from_bits(1), f32::MIN_POSITIVE, 1.0, f32::MAX, -1.1] {
            let (mut sum, mut squares) = (FixedPoint::new(-149, 128), FixedPoint::new(-298, 256));
            sum.add(value.into());
            squares.add_square(value.into());
            assert_eq!(sum.whole().divided(1, -149), f64::from(value));
            assert_eq!(squares.whole().divided(1, -298), f64::from(value) * f64::from(value));
        }
        for value in [half::f16::from_bits(1), half::f16::ONE, half::f16::MAX, half::f16::MIN] {
            let mut sum = FixedPoint::new(-24, 16);
            sum.add(value.into());
            sum.add(value.into());
            assert_eq!(sum.whole().divided(1, -24), 2.0 * f64::from(value));
        }
    }

    #[test]
    fn sums_have_no_order() {
        let values: Vec<f64> = NUMBERS.iter().flat_map(|&value| [value, -value, value * 0.5]).collect();
        let sum = |values: &mut dyn Iterator<Item = &f64>| {
            let (mut sum, mut other) = (FixedPoint::new(-1074, 1024), FixedPoint::new(-1074, 1024));
            for (index, value) in values.enumerate() {
                if index % 3 == 0 { other.add(*value) } else { sum.add(*value) }
            }
            sum.merge(other);
            sum.whole()
        };
        assert_eq!(sum(&mut values.iter()), sum(&mut values.iter().rev()));
        let mut two = FixedPoint::new(-1074, 1024);
        for value in [1e100, 1.0, -1e100] {
            two.add(value);
        }
        assert_eq!(two.whole().divided(1, -1074), 1.0);
    }

    #[test]
    fn quotients_of_small_numbers_are_those_of_the_processor() {
        for a in [1u64, 2, 3, 7, 10, 255, 65_535, 1 << 52] {
            for b in [1u64, 3, 7, 10, 49, 1 << 40] {
                let expected = a as f64 / b as f64;
                assert_eq!(Whole::from(u128::from(a)).divided(b.into(), 0), expected, "{a} / {b}");
                assert_eq!(Whole::from(-i128::from(a)).divided(b.into(), -1070), -(expected * 2f64.powi(-1070)));
            }
        }
        assert_eq!(Whole::from(i128::from(0u8)).divided(5, 0), 0.0);
        assert_eq!(Whole::from(1u128).divided(1, 1024), f64::INFINITY);
        assert_eq!(Whole::from(u128::from(u64::MAX)).divided(1, 0), 2f64.powi(64));
    }

    #[test]
    fn squares_and_differences_are_exact() {
        let mut squares = FixedPoint::new(-2148, 2048);
        for value in [1e-200, 3.0, 5e-324, 1e154] {
            squares.add_square(value);
        }
        let mut expected = FixedPoint::new(-2148, 2048);
        expected.add_square(-1e154);
        let rest = squares.whole().minus(&expected.whole());
        assert_eq!(rest.divided(1, -2148), 9.0);
        let a = Whole::from(u128::MAX);
        assert_eq!(a.times(&a).minus(&a.times(&Whole::from(u128::MAX - 1))).divided(1, 0), 2f64.powi(128));
        assert_eq!(Whole::from(1u128).shifted(2).plus(&Whole::from(3u128)).divided(1, 0), 2f64.powi(64));
        assert_eq!(Whole::from(1u128).shifted(2).plus(&Whole::from(1u128 << 12)).divided(1, 0), 2f64.powi(64) + 4096.0);
    }
}
