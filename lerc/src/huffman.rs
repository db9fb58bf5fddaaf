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
        let mut bits = BitWriter::new(self, out);
        used.filter(|&bin| self.lens[usize::from(bin)] > 0).for_each(|bin| bits.push(bin));
        bits.finish();
        debug_assert_eq!(out.len() - start, self.table_len);
        let mut bits = BitWriter::new(self, out);
        bins.iter().for_each(|&bin| bits.push(bin));
        bits.finish();
        out.extend_from_slice(&[0; 4]);
        debug_assert_eq!(out.len() - start, self.size());
    }

    /// Appends the lengths of the codes, bit-stuffed.
    fn write_lens(&self, out: &mut Vec<u8>) {
        let mut values = crate::pack::Quantized::default();
        for (index, len) in values.narrow[..self.count].iter_mut().enumerate() {
            *len = self.lens[(self.first + index) % BINS];
        }
        let max = u32::from(*values.narrow.iter().max().unwrap_or(&0));
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
    if len % 2 == 0 && child == (len - 2) / 2 {
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

/// Writes codes, highest bit first.
struct BitWriter<'a> {
    codes: &'a Codes,
    out: &'a mut Vec<u8>,
    /// Bits that are not yet written, in the lowest `count` bits, fewer than 32 between calls.
    bits: u64,
    count: u32,
}

impl<'a> BitWriter<'a> {
    fn new(codes: &'a Codes, out: &'a mut Vec<u8>) -> Self {
        Self { codes, out, bits: 0, count: 0 }
    }

    #[inline(always)]
    fn push(&mut self, bin: u8) {
        let len = u32::from(self.codes.lens[usize::from(bin)]);
        self.bits = self.bits << len | u64::from(self.codes.codes[usize::from(bin)]);
        self.count += len;
        if self.count >= 32 {
            self.count -= 32;
            self.out.extend_from_slice(&((self.bits >> self.count) as u32).to_le_bytes());
        }
    }

    /// Fills up the last word.
    fn finish(self) {
        if self.count > 0 {
            let word = (self.bits << (32 - self.count)) as u32;
            self.out.extend_from_slice(&word.to_le_bytes());
        }
    }
}
