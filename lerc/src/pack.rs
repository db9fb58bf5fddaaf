//! Bit stuffing: the values of a block with as few bits each as the largest one needs, lowest bit first.
//!
//! Eight values of `bits` bits are `bits` bytes. Values are merged in pairs until eight of them are one integer, which is
//! written whole; the next one overwrites the bytes that it does not fill. `out` therefore has [`SLACK`] bytes more than
//! the packed values take.

/// Bytes behind packed values that may be overwritten.
pub(crate) const SLACK: usize = 32;

/// The largest number of values of a block.
pub(crate) const MAX_LEN: usize = 256;

/// Quantized values of a block. Those that are not in use are zero up to a multiple of eight.
#[derive(Debug)]
pub(crate) struct Quantized(pub(crate) [u32; MAX_LEN]);

impl Default for Quantized {
    fn default() -> Self {
        Self([0; MAX_LEN])
    }
}

/// Returns the number of bits that hold `max`.
pub(crate) const fn bits_of(max: u32) -> u32 {
    u32::BITS - max.leading_zeros()
}

/// Returns the number of bytes that hold `len` values.
pub(crate) const fn packed_len(len: usize, bits: u32) -> usize {
    (len * bits as usize).div_ceil(8)
}

/// Returns the number of bytes of a block's number of values.
pub(crate) const fn count_len(len: usize) -> usize {
    if len < 256 { 1 } else { 2 }
}

/// Returns the number of bytes of [`write_simple`].
pub(crate) const fn simple_len(len: usize, max: u32) -> usize {
    1 + count_len(len) + packed_len(len, bits_of(max))
}

/// Writes the first two fields: the number of bits, with a flag for tables, and the number of values.
fn write_counts(bits: u32, has_table: bool, len: usize, out: &mut [u8]) -> usize {
    let size = count_len(len);
    out[0] = bits as u8 | u8::from(has_table) << 5 | ((3 - size) as u8) << 6;
    out[1..=size].copy_from_slice(&(len as u16).to_le_bytes()[..size]);
    1 + size
}

/// Writes `len` values, the largest of which is `max`, not 0; returns the number of bytes.
pub(crate) fn write_simple(values: &Quantized, len: usize, max: u32, out: &mut [u8]) -> usize {
    let bits = bits_of(max);
    let start = write_counts(bits, false, len, out);
    pack(&values.0[..len.next_multiple_of(8)], bits, &mut out[start..]);
    start + packed_len(len, bits)
}

/// Writes values with a table or without, whichever is smaller; returns the number of bytes, or 0 if it is not less than
/// `limit`. A table is tried if `may_repeat`.
pub(crate) fn write_smaller(
    values: &Quantized,
    len: usize,
    max: u32,
    may_repeat: bool,
    limit: usize,
    out: &mut [u8],
) -> usize {
    let table = if may_repeat { Table::new(&values.0[..len], max) } else { None };
    match table {
        Some(table) if table.size < limit => write_table(&table, values, len, max, out),
        None if simple_len(len, max) < limit => write_simple(values, len, max, out),
        _ => 0,
    }
}

/// Packs groups of eight values.
fn pack(values: &[u32], bits: u32, out: &mut [u8]) {
    match bits {
        ..=8 => pack_narrow(values, bits, out),
        9..=16 => pack_medium(values, bits, out),
        _ => pack_wide(values, bits, out),
    }
}

/// Packs values of up to 8 bits.
fn pack_narrow(values: &[u32], bits: u32, out: &mut [u8]) {
    const BYTES: u64 = 0x00FF_00FF_00FF_00FF;
    const WORDS: u64 = 0x0000_FFFF_0000_FFFF;
    for (index, eight) in values.as_chunks::<8>().0.iter().enumerate() {
        let eight = u64::from_le_bytes(eight.map(|value| value as u8));
        let pairs = (eight & BYTES) | (eight >> 8 & BYTES) << bits;
        let fours = (pairs & WORDS) | (pairs >> 16 & WORDS) << (2 * bits);
        let packed = (fours & 0xFFFF_FFFF) | (fours >> 32) << (4 * bits);
        let start = index * bits as usize;
        out[start..start + 8].copy_from_slice(&packed.to_le_bytes());
    }
}

/// Packs values of 9 to 16 bits.
fn pack_medium(values: &[u32], bits: u32, out: &mut [u8]) {
    let four = |[one, two, three, four]: [u32; 4]| {
        let low = u64::from(one) | u64::from(two) << bits;
        low | (u64::from(three) | u64::from(four) << bits) << (2 * bits)
    };
    for (index, &[a, b, c, d, e, f, g, h]) in values.as_chunks::<8>().0.iter().enumerate() {
        let packed = u128::from(four([a, b, c, d])) | u128::from(four([e, f, g, h])) << (4 * bits);
        let start = index * bits as usize;
        out[start..start + 16].copy_from_slice(&packed.to_le_bytes());
    }
}

/// Packs values of 17 to 31 bits.
fn pack_wide(values: &[u32], bits: u32, out: &mut [u8]) {
    let four = |[one, two, three, four]: [u32; 4]| {
        let low = u64::from(one) | u64::from(two) << bits;
        u128::from(low) | u128::from(u64::from(three) | u64::from(four) << bits) << (2 * bits)
    };
    for (index, &[a, b, c, d, e, f, g, h]) in values.as_chunks::<8>().0.iter().enumerate() {
        let (low, high) = (four([a, b, c, d]), four([e, f, g, h]));
        let start = index * bits as usize;
        let out = &mut out[start..start + 32];
        out[..16].copy_from_slice(&(low | high << (4 * bits)).to_le_bytes());
        out[16..].copy_from_slice(&(high >> (128 - 4 * bits)).to_le_bytes());
    }
}

/// A table of the distinct values of a block, if packing their indexes takes fewer bytes than packing the values.
///
/// Zero, which is always among them, is not in the table.
#[derive(Debug)]
struct Table {
    values: [u32; MAX_LEN],
    len: usize,
    /// The number of bytes of [`write_table`].
    size: usize,
}

impl Table {
    /// Makes the table of `values`, whose largest is `max`.
    fn new(values: &[u32], max: u32) -> Option<Self> {
        // A value for each run; runs are few, or there would be no table.
        let mut distinct = [0; MAX_LEN];
        let mut len = 0;
        let mut before = None;
        for &value in values {
            if before != Some(value) {
                distinct[len] = value;
                len += 1;
                before = Some(value);
            }
        }
        distinct[..len].sort_unstable();
        let mut table = Self { values: [0; MAX_LEN], len: 0, size: 0 };
        let mut before = 0;
        for &value in distinct[..len].iter().filter(|&&value| value > 0) {
            if value != before {
                table.values[table.len] = value;
                table.len += 1;
                before = value;
            }
        }
        let index_bits = bits_of(table.len as u32);
        table.size =
            2 + count_len(values.len()) + packed_len(table.len, bits_of(max)) + packed_len(values.len(), index_bits);
        (table.size < simple_len(values.len(), max)).then_some(table)
    }

    fn values(&self) -> &[u32] {
        &self.values[..self.len]
    }
}

/// Writes a table and the index of each value, with the first table entry as index 1; returns the number of bytes.
fn write_table(table: &Table, values: &Quantized, len: usize, max: u32, out: &mut [u8]) -> usize {
    let bits = bits_of(max);
    let mut end = write_counts(bits, true, len, out);
    out[end] = table.len as u8 + 1;
    end += 1;
    pack(&table.values[..table.len.next_multiple_of(8)], bits, &mut out[end..]);
    end += packed_len(table.len, bits);

    let mut indexes = [0; MAX_LEN];
    let mut known = (0, 0);
    for (index, &value) in indexes.iter_mut().zip(&values.0[..len]) {
        if value != known.0 {
            known = (value, table.values().partition_point(|&entry| entry <= value) as u32);
        }
        *index = known.1;
    }
    let index_bits = bits_of(table.len as u32);
    pack(&indexes[..len.next_multiple_of(8)], index_bits, &mut out[end..]);
    end + packed_len(len, index_bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bit by bit.
    fn plain(values: &[u32], bits: u32) -> Vec<u8> {
        let mut out = vec![0_u8; packed_len(values.len(), bits)];
        for (index, value) in values.iter().enumerate() {
            for bit in 0..bits {
                let at = index * bits as usize + bit as usize;
                out[at / 8] |= ((value >> bit & 1) as u8) << (at % 8);
            }
        }
        out
    }

    fn random(len: usize, max: u32) -> Vec<u32> {
        let noise = (1_u32..).map(|index| index.wrapping_mul(2_654_435_761) >> 1);
        noise
            .take(len - 1)
            .map(|value| if max == u32::MAX >> 1 { value } else { value % (max + 1) })
            .chain([max])
            .collect()
    }

    fn quantized(values: &[u32]) -> Quantized {
        Quantized(std::array::from_fn(|index| values.get(index).copied().unwrap_or(0)))
    }

    #[test]
    fn values_of_any_width_are_packed_lowest_bit_first() {
        for bits in 1..=31 {
            for len in [1, 2, 7, 8, 9, 63, 64, 65, 255, 256] {
                let max = u32::MAX >> (32 - bits);
                let values = random(len, max);
                let mut out = vec![0xAA; 4 * len + 16 + SLACK];
                let end = write_simple(&quantized(&values), len, max, &mut out);
                assert_eq!(end, simple_len(len, max));
                let start = end - packed_len(len, bits);
                assert_eq!(u32::from(out[0] & 31), bits);
                assert_eq!(out[1], len as u8);
                assert_eq!(out[start..end], plain(&values, bits), "{len} values of {bits} bits");
            }
        }
    }

    #[test]
    fn tables_hold_each_value_once() {
        for (max, len) in [(7_u32, 64), (200, 64), (300, 256), (70_000, 255), (1 << 29, 13)] {
            let values: Vec<u32> =
                (0..len as u32).map(|index| [0, max, 0, max / 2, max][index as usize * 5 / len]).collect();
            let table = Table::new(&values, max).expect("two values in a table");
            assert_eq!(table.values(), [max / 2, max]);
            let mut out = vec![0xAA; 4 * len + 16 + SLACK];
            let end = write_table(&table, &quantized(&values), len, max, &mut out);
            assert_eq!(end, table.size);
            let bits = bits_of(max);
            assert_eq!(u32::from(out[0]) & 63, bits | 32);
            let start = 1 + count_len(len);
            assert_eq!(out[start], 3);
            let indexes: Vec<u32> =
                values.iter().map(|&value| u32::from(value > 0) + u32::from(value == max)).collect();
            let expected = [plain(&[max / 2, max], bits), plain(&indexes, 2)].concat();
            assert_eq!(out[start + 1..end], expected);
        }
    }

    #[test]
    fn tables_that_take_more_bytes_are_not_made() {
        assert!(Table::new(&random(64, 250), 250).is_none());
        assert!(Table::new(&[0, 1, 0, 1, 0, 1, 0, 1], 1).is_none());
    }
}
