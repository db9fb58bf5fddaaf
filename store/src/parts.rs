//! Division of a file into the parts of a multipart upload: arithmetic and buffers, without any I/O.
//!
//! Tiles of all sections arrive interleaved, and the header is known last. Stores take parts in any order, but each part
//! needs its number when it is sent, and every part except the last of the file has a minimum size. So each section gets a
//! range of numbers in advance, from the upper bound of its length:
//!
//! - The first [`Limits::min_part`] bytes of a section (its head) are held. Beyond them, each full buffer becomes a part with
//!   the next number of the section's range.
//! - What is left at the end of a section (its tail) may be shorter than a part may be. It is joined with the sections after
//!   it that have sent nothing, and with the head of the next section that has, which makes it long enough.
//! - The header, the sections without parts, and the first held head become the first parts. They are sent last.
//!
//! Numbers are ascending in file order, with gaps where sections came out shorter than their bounds.

use std::collections::BTreeMap;

use cogsmith::SectionId;

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// The rules of a store for the parts of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Minimum size in bytes of all parts except the last.
    pub(crate) min_part: u64,
    /// Maximum size of a part in bytes.
    pub(crate) max_part: u64,
    /// The highest part number; numbers count from 1.
    pub(crate) max_number: u32,
    /// Maximum size of an object in bytes.
    pub(crate) max_object: u64,
}

impl Limits {
    /// Amazon S3 (multipart upload limits in its user guide; 5 TiB is what compatible stores take) and the XML API of
    /// Google Cloud Storage.
    pub(crate) const S3: Self = Self { min_part: 5 * MIB, max_part: 5 * GIB, max_number: 10_000, max_object: 5 << 40 };

    /// Block blobs of Azure: 50,000 blocks of at most 4000 MiB, without a minimum.
    pub(crate) const AZURE: Self =
        Self { min_part: 0, max_part: 4000 * MIB, max_number: 50_000, max_object: 50_000 * 4000 * MIB };
}

/// A part that is ready to be sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// The number, which orders the parts.
    pub(crate) number: u32,
    /// The bytes in pieces.
    pub(crate) pieces: Vec<Vec<u8>>,
}

impl Part {
    /// Returns the size in bytes.
    pub(crate) fn len(&self) -> u64 {
        self.pieces.iter().map(|piece| piece.len() as u64).sum()
    }
}

/// The reason that a file cannot be divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Misfit {
    /// The file may need more parts than there are numbers, even at the maximum size of a part.
    TooLarge,
    /// The file is larger than an object may be; its size in bytes.
    TooLong(u64),
    /// A section is longer than its bound.
    BoundExceeded(SectionId),
    /// The section does not belong to the file.
    UnknownSection(SectionId),
}

/// The numbers and the part size of a file, decided before its first byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PartPlan {
    limits: Limits,
    /// Size in bytes of the parts that are sent while rows arrive.
    pub(crate) part_size: u64,
    /// For each section in file order: its first number, and how many parts it may send.
    ranges: Vec<(SectionId, u32, u32)>,
    /// The number after the last section's.
    last: u32,
}

impl PartPlan {
    /// Divides a file with these upper bounds, the sections in file order, into parts of at least `part_size` bytes. The
    /// size grows until the numbers suffice.
    pub(crate) fn new(
        limits: Limits,
        part_size: u64,
        max_header: u64,
        sections: &[(SectionId, u64)],
    ) -> Result<Self, Misfit> {
        // A part that takes up the rest of a division is shorter than two parts.
        let largest = limits.max_part / 2;
        let mut part_size = part_size.max(limits.min_part).max(1);
        loop {
            if part_size > largest {
                return Err(Misfit::TooLarge);
            }
            if let Some(plan) = Self::with_size(limits, part_size, max_header, sections) {
                return Ok(plan);
            }
            // Steps of an eighth keep the size within an eighth of the smallest that suffices.
            part_size += (part_size / 8).max(1);
        }
    }

    /// Returns the plan for one part size; `None` if it needs too many numbers.
    fn with_size(limits: Limits, part_size: u64, max_header: u64, sections: &[(SectionId, u64)]) -> Option<Self> {
        // Numbers of the parts before the first section: those of the header.
        let mut next = 1 + max_header / part_size;
        let ranges = sections.iter().map(|&(section, bound)| {
            // Before the section's own parts: the tail of the section before, which is shorter than a part, and the head
            // of this one, which is no longer than a part. Sections that send nothing pass their share on.
            next += 2;
            let count = bound.saturating_sub(limits.min_part) / part_size;
            let first = next;
            next = next.checked_add(count)?;
            (next <= u64::from(limits.max_number)).then_some(())?;
            Some((section, u32::try_from(first).ok()?, u32::try_from(count).ok()?))
        });
        let ranges = ranges.collect::<Option<Vec<_>>>()?;
        let last = u32::try_from(next).ok().filter(|last| *last <= limits.max_number)?;
        Some(Self { limits, part_size, ranges, last })
    }

    /// Returns an upper bound of the bytes that are held until the file is finished: a head and a part for each section
    /// that is long enough, and all of the others.
    pub(crate) fn max_held(&self, sections: &[(SectionId, u64)]) -> u64 {
        let most = self.part_size + self.limits.min_part;
        sections.iter().map(|(_, bound)| (*bound).min(most)).fold(0, u64::saturating_add)
    }
}

/// The bytes of a section that have not been sent.
#[derive(Debug)]
struct Held {
    section: SectionId,
    /// The next number, and the number after the last one.
    next: u32,
    end: u32,
    /// The number of the first part, if one has been sent.
    first: Option<u32>,
    head: Vec<u8>,
    tail: Vec<u8>,
    /// All bytes of the section so far.
    len: u64,
}

/// Collects the tiles of a file and passes its parts on, the first ones last.
#[derive(Debug)]
pub(crate) struct Divider {
    plan: PartPlan,
    held: Vec<Held>,
    places: BTreeMap<SectionId, usize>,
    len: u64,
}

impl Divider {
    /// Makes a divider without any bytes.
    pub(crate) fn new(plan: PartPlan) -> Self {
        let held = |&(section, first, count): &(SectionId, u32, u32)| Held {
            section,
            next: first,
            end: first + count,
            first: None,
            head: Vec::new(),
            tail: Vec::new(),
            len: 0,
        };
        let held: Vec<_> = plan.ranges.iter().map(held).collect();
        let places = held.iter().enumerate().map(|(place, held)| (held.section, place)).collect();
        Self { plan, held, places, len: 0 }
    }

    /// Appends bytes to a section, and passes full parts to `send`.
    pub(crate) fn append<E: From<Misfit>>(
        &mut self,
        section: SectionId,
        mut bytes: &[u8],
        send: &mut dyn FnMut(Part) -> Result<(), E>,
    ) -> Result<(), E> {
        let place = self.places.get(&section).copied().ok_or(Misfit::UnknownSection(section))?;
        let Some(held) = self.held.get_mut(place) else { return Err(Misfit::UnknownSection(section).into()) };
        self.len += bytes.len() as u64;
        held.len += bytes.len() as u64;
        if self.len > self.plan.limits.max_object {
            return Err(Misfit::TooLong(self.len).into());
        }
        take(&mut bytes, &mut held.head, self.plan.limits.min_part);
        while !bytes.is_empty() {
            take(&mut bytes, &mut held.tail, self.plan.part_size);
            if held.tail.len() as u64 == self.plan.part_size {
                if held.next >= held.end {
                    return Err(Misfit::BoundExceeded(section).into());
                }
                let number = held.next;
                held.first.get_or_insert(number);
                held.next += 1;
                let next = Vec::with_capacity(held.tail.capacity());
                send(Part { number, pieces: vec![std::mem::replace(&mut held.tail, next)] })?;
            }
        }
        Ok(())
    }

    /// Returns the bytes of a section so far.
    #[cfg(test)]
    fn section_len(&self, section: SectionId) -> u64 {
        self.held[self.places[&section]].len
    }

    /// Returns whether no part has been passed on.
    pub(crate) fn holds_everything(&self) -> bool {
        self.held.iter().all(|held| held.first.is_none())
    }

    /// Returns the bytes so far, without the header.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Returns the whole file in pieces, if no part has been passed on.
    pub(crate) fn into_pieces(self, header: Vec<u8>) -> Vec<Vec<u8>> {
        std::iter::once(header).chain(self.held.into_iter().flat_map(|held| [held.head, held.tail])).collect()
    }

    /// Returns the lengths of all sections, in file order.
    pub(crate) fn section_lens(&self) -> impl Iterator<Item = (SectionId, u64)> {
        self.held.iter().map(|held| (held.section, held.len))
    }

    /// Passes the rest of the file on, with the header that belongs in front of it.
    pub(crate) fn finish<E: From<Misfit>>(
        self,
        header: Vec<u8>,
        send: &mut dyn FnMut(Part) -> Result<(), E>,
    ) -> Result<(), E> {
        let total = self.len + header.len() as u64;
        if total > self.plan.limits.max_object {
            return Err(Misfit::TooLong(total).into());
        }
        let part_size = self.plan.part_size;
        let mut stretch = vec![header];
        // The first number that may be used.
        let mut from = 1;
        for held in self.held {
            stretch.push(held.head);
            if let Some(first) = held.first {
                divide(std::mem::take(&mut stretch), part_size, from, first, send)?;
                from = held.next;
            }
            stretch.push(held.tail);
        }
        divide(stretch, part_size, from, self.plan.last + 1, send)
    }
}

/// Moves bytes to a buffer until it has `len` of them.
fn take(bytes: &mut &[u8], buffer: &mut Vec<u8>, len: u64) {
    let room = len.saturating_sub(buffer.len() as u64);
    let count = usize::try_from(room).unwrap_or(usize::MAX).min(bytes.len());
    let (now, later) = bytes.split_at(count);
    buffer.extend_from_slice(now);
    *bytes = later;
}

/// Passes a run of bytes on as parts of one size, the last with the rest, numbered from `from` and below `end`.
fn divide<E: From<Misfit>>(
    pieces: Vec<Vec<u8>>,
    part_size: u64,
    from: u32,
    end: u32,
    send: &mut dyn FnMut(Part) -> Result<(), E>,
) -> Result<(), E> {
    let mut left: u64 = pieces.iter().map(|piece| piece.len() as u64).sum();
    let mut pieces = pieces.into_iter().filter(|piece| !piece.is_empty());
    let mut number = from;
    // The rest of a piece that did not fit.
    let mut rest = Vec::new();
    while left > 0 {
        if number >= end {
            return Err(Misfit::TooLarge.into());
        }
        // All of the rest if it is shorter than two parts.
        let len = if left / part_size < 2 { left } else { part_size };
        let mut part = Part { number, pieces: Vec::new() };
        let mut missing = usize::try_from(len).map_err(|_| Misfit::TooLarge)?;
        while missing > 0 {
            let mut piece = if rest.is_empty() { pieces.next().unwrap_or_default() } else { std::mem::take(&mut rest) };
            if piece.is_empty() {
                break;
            }
            if piece.len() > missing {
                rest = piece.split_off(missing);
            }
            missing -= piece.len();
            part.pieces.push(piece);
        }
        left -= len;
        send(part)?;
        number += 1;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A small generator (splitmix64); the cases are the same every time.
    struct Random(u64);

    impl Random {
        fn next(&mut self) -> u64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = self.0;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^ (mixed >> 31)
        }

        fn below(&mut self, end: u64) -> u64 {
            self.next() % end.max(1)
        }

        /// Returns a number up to `max`, all magnitudes alike.
        fn magnitude(&mut self, max: u64) -> u64 {
            let bits = u64::from(64 - max.leading_zeros());
            let shift = self.below(bits + 1);
            self.below((1u64 << shift).min(max) + 1)
        }
    }

    fn section(index: usize) -> SectionId {
        SectionId { level: index, part: 0 }
    }

    /// Sends a file of random bytes through a divider, and checks the parts against the rules of the store.
    fn check(random: &mut Random, limits: Limits, wish: u64, header: u64, sections: &[(u64, u64)]) -> usize {
        let bounds: Vec<_> = sections.iter().enumerate().map(|(index, (bound, _))| (section(index), *bound)).collect();
        let max_header = header + random.below(3);
        let plan = match PartPlan::new(limits, wish, max_header, &bounds) {
            Ok(plan) => plan,
            Err(misfit) => {
                // Only a file that really has no room: at half the maximum size there are too few numbers.
                let total: u64 = max_header + bounds.iter().map(|(_, bound)| bound).sum::<u64>();
                let half = limits.max_part / 2;
                let numbers = total / half + 3 * bounds.len() as u64 + 3;
                assert!(
                    misfit == Misfit::TooLarge
                        && (numbers * 9 / 8 > limits.max_number.into() || half <= limits.min_part)
                );
                return 0;
            }
        };
        let (part_size, max_held) = (plan.part_size, plan.max_held(&bounds));
        assert!(part_size >= limits.min_part && part_size >= wish);
        let mut contents: Vec<Vec<u8>> =
            sections.iter().map(|(_, len)| (0..*len).map(|_| random.next() as u8).collect()).collect();
        let head: Vec<u8> = (0..header).map(|_| random.next() as u8).collect();
        let whole: Vec<u8> = head.iter().chain(contents.iter().flatten()).copied().collect();
        let mut divider = Divider::new(plan);
        let mut parts = BTreeMap::new();
        let mut keep = |part: Part| -> Result<(), Misfit> {
            assert!(parts.insert(part.number, part.pieces.concat()).is_none(), "a number twice");
            Ok(())
        };
        contents.iter_mut().for_each(|content| content.reverse());
        while contents.iter().any(|content| !content.is_empty()) {
            let index = random.below(contents.len() as u64) as usize;
            let content = &mut contents[index];
            let count = (random.magnitude(2 * part_size) as usize).min(content.len());
            let mut tile = content.split_off(content.len() - count);
            tile.reverse();
            divider.append(section(index), &tile, &mut keep).unwrap();
            let held: usize = divider.held.iter().map(|held| held.head.len() + held.tail.len()).sum();
            assert!(held as u64 <= max_held, "{held} bytes held");
        }
        for (index, (_, len)) in sections.iter().enumerate() {
            assert_eq!(divider.section_len(section(index)), *len);
        }
        divider.finish(head, &mut keep).unwrap();
        assert!(parts.keys().all(|number| (1..=limits.max_number).contains(number)));
        let last = parts.len() - 1;
        for (index, part) in parts.values().enumerate() {
            assert!(!part.is_empty() && part.len() as u64 <= limits.max_part);
            assert!(index == last || part.len() as u64 >= limits.min_part, "part {index} of {} is too short", last + 1);
        }
        assert!(parts.values().flatten().eq(&whole), "the parts do not make the file");
        parts.len()
    }

    #[test]
    fn parts_of_any_file_follow_the_rules() {
        let mut random = Random(1);
        let (mut divided, mut most) = (0, 0);
        // About as many more do not fit.
        while divided < 100_000 {
            // The units are arbitrary: 5 of them are S3's minimum of 5 MiB in most cases.
            let min_part = [5, 5, 5, 0, 1, 17][random.below(6) as usize];
            let max_part = (min_part + 1) * (2 + random.magnitude(1000));
            let max_number = 3 + random.magnitude(400) as u32;
            let limits = Limits { min_part, max_part, max_number, max_object: u64::MAX };
            let count = 1 + random.below(12) as usize;
            let mut bound = random.magnitude(3000);
            let mut sections: Vec<_> = (0..count)
                .map(|_| {
                    // Each level has about a quarter of the one before; sometimes sections are alike, as bands are.
                    let own = bound + random.below(bound / 8 + 2);
                    bound /= [4, 4, 4, 1][random.below(4) as usize];
                    let len = if random.below(3) == 0 { own } else { random.magnitude(own) };
                    (own, len)
                })
                .collect();
            sections.reverse();
            let (wish, header) = (random.magnitude(max_part / 2), 1 + random.magnitude(60));
            let parts = check(&mut random, limits, wish, header, &sections);
            divided += usize::from(parts > 0);
            most = most.max(parts);
        }
        assert!(most > 100, "at most {most} parts");
    }

    /// Returns the bounds of the sections of an image: each level has a quarter of the one before.
    fn pyramid(full: u64) -> Vec<(SectionId, u64)> {
        let levels = (0..14).map(|level| (section(level), (full >> (2 * level)).max(1 << 18)));
        levels.collect::<Vec<_>>().into_iter().rev().collect()
    }

    #[test]
    fn numbers_suffice_up_to_the_largest_object() {
        for (gib, expected) in [(1, 8), (64, 8), (1024, 160), (5 * 1024, 800), (12 * 1024, 1900)] {
            let plan = PartPlan::new(Limits::S3, 8 * MIB, 400 * MIB, &pyramid(gib * GIB)).unwrap();
            let mib = plan.part_size / MIB;
            assert!(
                (expected..=expected * 5 / 4 + 1).contains(&mib) || mib <= expected,
                "{gib} GiB: parts of {mib} MiB"
            );
            assert!(plan.last <= 10_000);
            // The size is close to the smallest that suffices.
            assert!(plan.part_size == 8 * MIB || plan.last > 8_000, "{gib} GiB: {} numbers", plan.last);
        }
        let error = PartPlan::new(Limits::S3, 8 * MIB, 400 * MIB, &pyramid(30 << 40)).unwrap_err();
        assert_eq!(error, Misfit::TooLarge);
        let plan = PartPlan::new(Limits::AZURE, 8 * MIB, 400 * MIB, &pyramid(5 << 40)).unwrap();
        assert!(plan.part_size < 180 * MIB);
    }

    #[test]
    fn a_section_beyond_its_bound_is_an_error() {
        let limits = Limits { min_part: 5, max_part: 100, max_number: 50, max_object: 40 };
        let sections = [(section(1), 7), (section(0), 20)];
        let divider = || Divider::new(PartPlan::new(limits, 5, 3, &sections).unwrap());
        let mut drop_part = |_| Ok::<_, Misfit>(());
        assert_eq!(divider().append(section(0), &[0; 30], &mut drop_part), Err(Misfit::BoundExceeded(section(0))));
        assert_eq!(divider().append(section(2), &[0; 3], &mut drop_part), Err(Misfit::UnknownSection(section(2))));
        assert_eq!(divider().append(section(0), &[0; 41], &mut drop_part), Err(Misfit::TooLong(41)));
        let mut full = divider();
        full.append(section(0), &[0; 20], &mut drop_part).unwrap();
        assert_eq!(full.finish(vec![0; 21], &mut drop_part), Err(Misfit::TooLong(41)));
    }
}
