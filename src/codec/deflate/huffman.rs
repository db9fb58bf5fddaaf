//! Prefix codes of limited length (RFC 1951 section 3.2.2).

use super::bits::Code;

/// Writes the lengths of an optimal prefix code for `counts`, none above `longest`, to `lengths`.
///
/// At least two symbols get a code, so that every code is complete: some decoders reject others.
pub(super) fn code_lengths(counts: &[u32], longest: usize, lengths: &mut [u8]) {
    let mut leaves = [0u64; 288];
    let mut used = 0;
    lengths.fill(0);
    for (symbol, &count) in counts.iter().enumerate() {
        if count > 0 {
            leaves[used] = u64::from(count) << 16 | symbol as u64;
            used += 1;
        }
    }
    if used < 2 {
        let only = if used == 1 { (leaves[0] & 0xFFFF) as usize } else { 0 };
        lengths[only] = 1;
        lengths[usize::from(only == 0)] = 1;
        return;
    }
    let leaves = &mut leaves[..used];
    leaves.sort_unstable();
    let mut per_length = depths(leaves);
    limit(&mut per_length, longest);
    let mut rare_first = leaves.iter();
    for length in (1..=longest).rev() {
        for leaf in rare_first.by_ref().take(per_length[length] as usize) {
            lengths[(leaf & 0xFFFF) as usize] = length as u8;
        }
    }
}

/// Returns the number of leaves of a Huffman tree at each depth; `leaves` are sorted, with counts in the upper bits.
///
/// Uses the method of two queues: inner nodes are created in the order of their weights.
fn depths(leaves: &[u64]) -> [u32; 64] {
    let used = leaves.len();
    let mut weights = [0u64; 288];
    let mut parents = [0u16; 288];
    let (mut leaf, mut inner) = (0, 0);
    // Inner nodes are numbered in the order of creation. Leaves need no number: only their depth matters.
    let mut leaves_below = [0u8; 288];
    for made in 0..used - 1 {
        let mut weight = 0;
        for _ in 0..2 {
            if leaf < used && (inner == made || leaves[leaf] >> 16 <= weights[inner]) {
                weight += leaves[leaf] >> 16;
                leaves_below[made] += 1;
                leaf += 1;
            } else {
                weight += weights[inner];
                parents[inner] = made as u16;
                inner += 1;
            }
        }
        weights[made] = weight;
    }
    let mut per_length = [0u32; 64];
    let mut depth = [0u8; 288];
    for node in (0..used - 1).rev() {
        if node < used - 2 {
            depth[node] = depth[parents[node] as usize] + 1;
        }
        // Counts fit in 32 bits, so a tree is at most 47 levels deep: a Fibonacci series reaches 2³² there.
        per_length[(depth[node] as usize + 1).min(63)] += u32::from(leaves_below[node]);
    }
    per_length
}

/// Moves leaves that are too deep up, and others down in exchange, until the code is complete again.
fn limit(per_length: &mut [u32; 64], longest: usize) {
    let deeper: u32 = per_length[longest + 1..].iter().sum();
    if deeper == 0 {
        return;
    }
    per_length[longest + 1..].fill(0);
    per_length[longest] += deeper;
    let mut filled: u64 = (1..=longest).map(|length| u64::from(per_length[length]) << (longest - length)).sum();
    while filled > 1 << longest {
        // The deepest leaf above becomes a node whose leaves are itself and one from the lowest level.
        per_length[longest] -= 1;
        for length in (1..longest).rev() {
            if per_length[length] > 0 {
                per_length[length] -= 1;
                per_length[length + 1] += 2;
                break;
            }
        }
        filled -= 1;
    }
}

/// Assigns the canonical code of `lengths`.
pub(super) fn codes(lengths: &[u8], codes: &mut [Code]) {
    let mut next = [0u32; 17];
    for &length in lengths {
        next[length as usize + 1] += u32::from(length > 0);
    }
    for length in 1..17 {
        next[length] = (next[length] + next[length - 1]) << 1;
    }
    for (code, &length) in codes.iter_mut().zip(lengths) {
        *code = Code::default();
        if length > 0 {
            let value = next[length as usize];
            next[length as usize] += 1;
            *code = Code::new(value.reverse_bits() >> (32 - u32::from(length)), length.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete(lengths: &[u8], longest: u8) {
        let filled: u32 = lengths.iter().filter(|&&length| length > 0).map(|&length| 1 << (15 - length)).sum();
        assert_eq!(filled, 1 << 15, "{lengths:?}");
        assert!(lengths.iter().all(|&length| length <= longest));
    }

    #[test]
    fn codes_are_complete_and_limited() {
        let mut fibonacci = [0u32; 40];
        let (mut one, mut two) = (1u32, 1u32);
        for count in &mut fibonacci {
            *count = one;
            (one, two) = (two, one.saturating_add(two));
        }
        let even = [7u32; 286];
        let steep: Vec<u32> = (0..286).map(|symbol| 1 << (symbol % 31)).collect();
        for counts in [&fibonacci[..], &even, &steep, &[0, 0, 5], &[0, 0, 0], &[3, 0], &[1, 1, 1]] {
            for longest in [7usize, 9, 14, 15] {
                if counts.len() <= 1 << longest {
                    let mut lengths = vec![0; counts.len()];
                    code_lengths(counts, longest, &mut lengths);
                    complete(&lengths, longest as u8);
                    assert!(counts.iter().zip(&lengths).all(|(&count, &length)| count == 0 || length > 0));
                }
            }
        }
    }

    #[test]
    fn the_example_of_the_rfc() {
        // RFC 1951 section 3.2.2: ABCDEFGH with lengths 3, 3, 3, 3, 3, 2, 4, 4.
        let mut found = [Code::default(); 8];
        codes(&[3, 3, 3, 3, 3, 2, 4, 4], &mut found);
        let expected = [0b010, 0b011, 0b100, 0b101, 0b110, 0b00, 0b1110, 0b1111];
        for (code, expected) in found.into_iter().zip(expected) {
            assert_eq!(code.bits().reverse_bits() >> (32 - code.count()), expected);
        }
    }
}
