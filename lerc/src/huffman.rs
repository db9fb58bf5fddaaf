//! Huffman codes for 8-bit images: of values, or of differences from the pixel to the left.
//!
//! Codes are canonical, so a table of their lengths would do; the format stores the codes too. Codes are written highest
//! bit first into words of 32 bits, which are little-endian.

use crate::pack::{SLACK, bits_of, packed_len};

/// Bins of a histogram.
pub(crate) const BINS: usize = 256;

/// The longest code that libLerc makes. Where a longer one would be needed, the image is not Huffman-coded.
const MAX_BITS: u8 = 32;

/// A histogram.
pub(crate) type Histogram = [u32; BINS];

/// The code of each bin.
#[derive(Debug, Clone)]
pub(crate) struct Codes {
    /// Bits of the code; 0 for bins that do not occur.
    lens: [u8; BINS],
    codes: [u32; BINS],
    /// The first bin of the table, and how many follow, after bin 255 from bin 0.
    first: usize,
    count: usize,
    /// The number of bytes of the table.
    table_len: usize,
    /// The number of bits of all values.
    bits: u64,
}

impl Codes {
    /// Makes the codes for a histogram, unless less than two bins are used or a code gets too long.
    pub(crate) fn new(histogram: &Histogram) -> Option<Self> {
        let lens = code_lens(histogram)?;
        let (first, count) = span(&lens);
        let max = u32::from(*lens.iter().max()?);
        let code_bits: u32 = lens.iter().map(|&len| u32::from(len)).sum();
        // Four integers, then the lengths, then the codes.
        let lens_len = 1 + if count < 256 { 1 } else { 2 } + packed_len(count, bits_of(max));
        let table_len = 16 + lens_len + code_bits.div_ceil(32) as usize * 4;
        let bits = histogram.iter().zip(&lens).map(|(&count, &len)| u64::from(count) * u64::from(len)).sum();
        Some(Self { codes: canonical(&lens), lens, first, count, table_len, bits })
    }

    /// Returns the number of bytes of table and data. An unused word follows the data, which decoders may read.
    pub(crate) fn size(&self) -> usize {
        self.table_len + (self.bits.div_ceil(32) as usize + 1) * 4
    }

    /// Appends the table and the codes of `bins`, each of which is in the histogram.
    pub(crate) fn write(&self, bins: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        for value in [4, BINS, self.first, self.first + self.count] {
            out.extend_from_slice(&(value as i32).to_le_bytes());
        }
        self.write_lens(out);
        let used = (self.first..self.first + self.count).map(|bin| (bin % BINS) as u8);
        let used: Vec<u8> = used.filter(|&bin| self.lens[usize::from(bin)] > 0).collect();
        let codes_start = out.len();
        out.resize(start + self.size(), 0);
        self.write_codes(&used, &mut out[codes_start..start + self.table_len]);
        self.write_codes(bins, &mut out[start + self.table_len..]);
    }

    /// Writes the codes of `bins`, highest bit first, to `out`, which is zero and just large enough.
    fn write_codes(&self, bins: &[u8], out: &mut [u8]) {
        // Code and length together, so that a bin takes one look.
        let entries: [u64; BINS] =
            std::array::from_fn(|bin| u64::from(self.lens[bin]) << 32 | u64::from(self.codes[bin]));
        let mut bits = BitWriter { out, position: 0, bits: 0, count: 0 };
        let (pairs, rest) = bins.as_chunks::<2>();
        for &[one, other] in pairs {
            let (one, other) = (entries[usize::from(one)], entries[usize::from(other)]);
            bits.add(one);
            if one + other >= 33 << 32 {
                bits.flush();
            }
            bits.add(other);
            bits.flush();
        }
        for &bin in rest {
            bits.add(entries[usize::from(bin)]);
            bits.flush();
        }
        // The last call may have filled a word and left the rest.
        if bits.count > 0 {
            bits.flush();
        }
    }

    /// Appends the lengths of the codes, bit-stuffed.
    fn write_lens(&self, out: &mut Vec<u8>) {
        let mut values = crate::pack::Quantized::default();
        for (index, len) in values.0[..self.count].iter_mut().enumerate() {
            *len = self.lens[(self.first + index) % BINS].into();
        }
        let max = *values.0.iter().max().unwrap_or(&0);
        let start = out.len();
        out.resize(start + BINS + 3 + SLACK, 0);
        let len = crate::pack::write_simple(&values, self.count, max, &mut out[start..]);
        out.truncate(start + len);
    }
}

/// A node of the tree that is not yet part of another one.
#[derive(Debug, Clone, Copy, Default)]
struct Node {
    /// The number of values below it.
    weight: u64,
    /// A bin, or `BINS` plus the index of a pair of nodes.
    index: u16,
}

/// Returns the length of each bin's code.
///
/// Among equal weights, the order of a binary heap decides which two nodes are joined first, and with it the lengths. The
/// heap's steps are therefore those of the C++ library of GCC, with which libLerc is built on Linux.
fn code_lens(histogram: &Histogram) -> Option<[u8; BINS]> {
    let mut heap: Vec<Node> = Vec::with_capacity(BINS);
    for (bin, &count) in histogram.iter().enumerate().filter(|(_, count)| **count > 0) {
        push(&mut heap, Node { weight: count.into(), index: bin as u16 });
    }
    if heap.len() < 2 {
        return None;
    }
    let mut pairs: Vec<[u16; 2]> = Vec::with_capacity(BINS);
    while heap.len() > 1 {
        let (one, other) = (pop(&mut heap), pop(&mut heap));
        pairs.push([one.index, other.index]);
        push(&mut heap, Node { weight: one.weight + other.weight, index: (BINS + pairs.len() - 1) as u16 });
    }
    // From the root, which was made last, down.
    let mut lens = [0; BINS];
    let mut depths = vec![0_u8; pairs.len()];
    for (index, pair) in pairs.iter().enumerate().rev() {
        let depth = depths[index] + 1;
        if depth > MAX_BITS {
            return None;
        }
        for &child in pair {
            match usize::from(child).checked_sub(BINS) {
                Some(pair) => depths[pair] = depth,
                None => lens[usize::from(child)] = depth,
            }
        }
    }
    Some(lens)
}

/// `std::push_heap` with the smallest weight at the top.
fn push(heap: &mut Vec<Node>, node: Node) {
    heap.push(node);
    let hole = heap.len() - 1;
    sift_up(heap, hole, node);
}

fn sift_up(heap: &mut [Node], mut hole: usize, node: Node) {
    while hole > 0 {
        let parent = (hole - 1) / 2;
        if heap[parent].weight <= node.weight {
            break;
        }
        heap[hole] = heap[parent];
        hole = parent;
    }
    heap[hole] = node;
}

/// `std::pop_heap`: moves the hole at the top down to a leaf, and the last node from there up to its place.
fn pop(heap: &mut Vec<Node>) -> Node {
    let top = heap[0];
    let last = heap.pop().unwrap_or_default();
    let len = heap.len();
    if len == 0 {
        return top;
    }
    let mut hole = 0;
    let mut child = 0;
    while child < (len - 1) / 2 {
        child = 2 * (child + 1);
        if heap[child].weight > heap[child - 1].weight {
            child -= 1;
        }
        heap[hole] = heap[child];
        hole = child;
    }
    if len.is_multiple_of(2) && child == (len - 2) / 2 {
        heap[hole] = heap[2 * child + 1];
        hole = 2 * child + 1;
    }
    sift_up(heap, hole, last);
    top
}

/// Returns canonical codes: longer ones have smaller values, and among equal lengths lower bins do.
fn canonical(lens: &[u8; BINS]) -> [u32; BINS] {
    let mut order: Vec<usize> = (0..BINS).filter(|&bin| lens[bin] > 0).collect();
    order.sort_unstable_by_key(|&bin| (u8::MAX - lens[bin], bin));
    let mut codes = [0; BINS];
    let (mut code, mut len) = (0_u32, order.first().map_or(0, |&bin| lens[bin]));
    for bin in order {
        code >>= len - lens[bin];
        len = lens[bin];
        codes[bin] = code;
        code = code.wrapping_add(1);
    }
    codes
}

/// Returns the first bin and the number of bins of the shortest table: without the bins before and after all others, or
/// without the longest run of empty bins in between.
fn span(lens: &[u8; BINS]) -> (usize, usize) {
    let first = lens.iter().position(|&len| len > 0).unwrap_or(0);
    let end = lens.iter().rposition(|&len| len > 0).map_or(0, |last| last + 1);
    let (mut gap_start, mut gap_len) = (0, 0);
    let mut bin = 0;
    while bin < BINS {
        let used = lens[bin..].iter().take_while(|&&len| len > 0).count();
        let start = bin + used;
        let empty = lens[start..].iter().take_while(|&&len| len == 0).count();
        if empty > gap_len {
            (gap_start, gap_len) = (start, empty);
        }
        bin = start + empty;
    }
    if BINS - gap_len < end - first { (gap_start + gap_len, BINS - gap_len) } else { (first, end - first) }
}

/// Writes bits to words of 32 bits.
struct BitWriter<'a> {
    out: &'a mut [u8],
    /// Position of the word that is being filled.
    position: usize,
    /// The last `count` bits, fewer than 32 after [`flush`](Self::flush), and older ones above them.
    bits: u64,
    count: u32,
}

impl BitWriter<'_> {
    /// Adds the code of an entry. Not more than 32 bits fit between two calls of [`flush`](Self::flush).
    #[inline(always)]
    fn add(&mut self, entry: u64) {
        let len = (entry >> 32) as u32;
        self.bits = self.bits << len | entry & 0xFFFF_FFFF;
        self.count += len;
    }

    /// Writes the current word, whether it is full or not, and goes on to the next if it is: no branch to mispredict.
    #[inline(always)]
    fn flush(&mut self) {
        if let Some(word) = self.out.get_mut(self.position..self.position + 4) {
            let aligned = self.bits << ((u64::BITS - self.count) % u64::BITS);
            word.copy_from_slice(&((aligned >> 32) as u32).to_le_bytes());
        }
        self.position += self.count as usize / 32 * 4;
        self.count %= 32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(counts: &[(usize, u32)]) -> Histogram {
        let mut histogram = [0; BINS];
        counts.iter().for_each(|&(bin, count)| histogram[bin] = count);
        histogram
    }

    fn lens_of(counts: &[(usize, u32)]) -> Vec<u8> {
        let codes = Codes::new(&histogram(counts)).expect("codes");
        counts.iter().map(|&(bin, _)| codes.lens[bin]).collect()
    }

    #[test]
    fn frequent_bins_have_short_codes() {
        assert_eq!(lens_of(&[(0, 8), (1, 4), (2, 2), (3, 1), (255, 1)]), [1, 2, 3, 4, 4]);
        assert!(Codes::new(&histogram(&[(7, 100)])).is_none());
        assert!(Codes::new(&histogram(&[])).is_none());
    }

    #[test]
    fn codes_that_get_too_long_are_not_made() {
        let mut counts = vec![1, 1];
        while counts.len() < 34 {
            counts.push(counts[counts.len() - 1] + counts[counts.len() - 2]);
        }
        let counts: Vec<_> = counts.into_iter().enumerate().collect();
        assert!(Codes::new(&histogram(&counts)).is_none());
        assert_eq!(lens_of(&counts[..33])[0], 32);
    }

    #[test]
    fn codes_are_prefix_free_and_longer_ones_come_first() {
        let counts: Vec<_> = (0..40).map(|bin| (bin * 5, 1 + (bin as u32 * 31) % 97)).collect();
        let codes = Codes::new(&histogram(&counts)).expect("codes");
        let mut aligned: Vec<(u64, u64)> = counts
            .iter()
            .map(|&(bin, _)| {
                let shift = 32 - codes.lens[bin];
                let start = u64::from(codes.codes[bin]) << shift;
                (start, start + (1 << shift))
            })
            .collect();
        aligned.sort_unstable();
        assert_eq!((aligned[0].0, aligned[39].1), (0, 1 << 32));
        assert!(aligned.windows(2).all(|pair| pair[0].1 == pair[1].0));
    }

    #[test]
    fn tables_wrap_around_the_longest_gap() {
        let mut lens = [0; BINS];
        (lens[0], lens[3], lens[250]) = (1, 2, 2);
        assert_eq!(span(&lens), (250, 10));
        lens[250] = 0;
        assert_eq!(span(&lens), (0, 4));
        (lens[0], lens[100]) = (0, 1);
        assert_eq!(span(&lens), (3, 98));
    }

    #[test]
    fn long_and_short_codes_are_written_alike() {
        // With the rarest bins, codes are longer than 16 bits.
        let mut counts = vec![1_u32, 1];
        while counts.len() < 20 {
            counts.push(counts[counts.len() - 1] + counts[counts.len() - 2]);
        }
        for used in [5, 20] {
            let counts: Vec<_> = counts[..used].iter().copied().enumerate().collect();
            let codes = Codes::new(&histogram(&counts)).expect("codes");
            for len in 0..200 {
                let bins: Vec<u8> = (0..len).map(|index| (index * 7 % used) as u8).collect();
                let mut bits = String::new();
                for &bin in &bins {
                    let width = usize::from(codes.lens[usize::from(bin)]);
                    bits.push_str(&format!("{:0width$b}", codes.codes[usize::from(bin)]));
                }
                let mut out = vec![0; bits.len().div_ceil(32) * 4 + 4];
                codes.write_codes(&bins, &mut out);
                for (index, word) in out.as_chunks().0.iter().enumerate() {
                    let found = format!("{:032b}", u32::from_le_bytes(*word));
                    let expected: String =
                        bits.chars().chain(std::iter::repeat('0')).skip(index * 32).take(32).collect();
                    assert_eq!(found, expected, "word {index} of {len} of {used} bins");
                }
            }
        }
    }
}
