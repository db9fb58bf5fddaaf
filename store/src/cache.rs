//! Bytes of objects in memory: which ranges have arrived or are in flight, and which to request next. No I/O.

use std::collections::BTreeMap;
use std::iter;
use std::ops::Range;

use bytes::Bytes;

/// The most bytes of one request: a few of them in flight fill a fast line, and a request of a store costs as much as
/// sending some 100 KiB.
pub(crate) const MAX_REQUEST: u64 = 4 << 20;

/// Ranges that are closer than this become one request: to transfer the bytes between them takes less time than a request.
const MAX_GAP: u64 = 64 << 10;

/// The most ranges that one announcement is searched for.
const MAX_ANNOUNCED: usize = 1 << 16;

/// An object of the cache.
pub(crate) type Id = u32;

/// Bytes that have arrived.
struct Extent {
    bytes: Bytes,
    /// Number of bytes that were announced or asked for, and of those that have been read. Once all have been read, the
    /// extent is the first to go.
    wanted: u64,
    read: u64,
    /// The time of the last use.
    used: u64,
}

impl Extent {
    fn unread(&self) -> u64 {
        self.wanted.saturating_sub(self.read)
    }
}

/// A request in flight: the end of its range, and how many of its bytes were announced or asked for.
struct Flight {
    end: u64,
    wanted: u64,
}

/// A request to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) range: Range<u64>,
    wanted: u64,
}

/// The bytes of several objects, with a common limit.
pub(crate) struct Cache {
    extents: BTreeMap<(Id, u64), Extent>,
    flights: BTreeMap<(Id, u64), Flight>,
    held: u64,
    flying: u64,
    limit: u64,
    clock: u64,
}

impl Cache {
    /// Makes a cache for about `limit` bytes, of which half are for bytes that have not been read yet. What is asked for is
    /// held in any case.
    pub(crate) fn new(limit: u64) -> Self {
        Self { extents: BTreeMap::new(), flights: BTreeMap::new(), held: 0, flying: 0, limit, clock: 0 }
    }

    /// Copies bytes from `offset` on, as far as they have arrived without a gap; `None` if the first has not.
    pub(crate) fn read(&mut self, id: Id, offset: u64, buffer: &mut [u8]) -> Option<usize> {
        let mut filled = 0;
        self.clock += 1;
        while filled < buffer.len() {
            let at = offset + filled as u64;
            let Some((&(_, start), extent)) = self.extents.range_mut((id, 0)..=(id, at)).next_back() else { break };
            let skipped = usize::try_from(at - start).unwrap_or(usize::MAX);
            let Some(rest) = extent.bytes.get(skipped..).filter(|rest| !rest.is_empty()) else { break };
            let to = &mut buffer[filled..];
            let count = rest.len().min(to.len());
            to[..count].copy_from_slice(&rest[..count]);
            extent.read = extent.read.saturating_add(count as u64);
            extent.used = self.clock;
            filled += count;
        }
        (filled > 0).then_some(filled)
    }

    /// Returns whether the byte at an offset is in flight.
    pub(crate) fn is_flying(&self, id: Id, offset: u64) -> bool {
        self.flights.range((id, 0)..=(id, offset)).next_back().is_some_and(|(_, flight)| offset < flight.end)
    }

    /// Returns the end of the bytes that have arrived or are in flight without a gap from `offset` on.
    pub(crate) fn end_of(&self, id: Id, offset: u64) -> u64 {
        let mut end = offset;
        loop {
            let extent = self.extents.range((id, 0)..=(id, end)).next_back();
            let extent = extent.map(|(&(_, start), extent)| start + extent.bytes.len() as u64);
            let flight = self.flights.range((id, 0)..=(id, end)).next_back().map(|(_, flight)| flight.end);
            match extent.max(flight).filter(|further| *further > end) {
                Some(further) => end = further,
                None => return end,
            }
        }
    }

    /// Returns the part of a range from its first byte that is neither there nor in flight up to the next that is.
    fn missing(&self, id: Id, range: Range<u64>) -> Option<Range<u64>> {
        let start = self.end_of(id, range.start);
        if start >= range.end {
            return None;
        }
        let extent = self.extents.range((id, start)..(id, range.end)).next().map(|(&(_, start), _)| start);
        let flight = self.flights.range((id, start)..(id, range.end)).next().map(|(&(_, start), _)| start);
        let end = [extent, flight].into_iter().flatten().min().unwrap_or(range.end);
        Some(start..end)
    }

    /// Returns all parts of a range that are neither there nor in flight.
    fn all_missing(&self, id: Id, range: Range<u64>) -> impl Iterator<Item = Range<u64>> {
        let mut at = range.start;
        iter::from_fn(move || {
            let missing = self.missing(id, at..range.end)?;
            at = missing.end;
            Some(missing)
        })
    }

    /// Returns the requests for ranges that are asked for now; they are in flight from now on.
    pub(crate) fn demand(&mut self, id: Id, range: Range<u64>) -> Vec<Request> {
        let requests = self.without_known(id, merged(self.all_missing(id, range).collect()));
        self.take_off(id, &requests);
        requests
    }

    /// Leaves out of requests what is there or in flight: ranges were joined across it.
    fn without_known(&self, id: Id, requests: Vec<Request>) -> Vec<Request> {
        let left = |Request { range, wanted }| {
            let limited = move |missing: Range<u64>| {
                let wanted = wanted.min(missing.end - missing.start);
                Request { range: missing, wanted }
            };
            self.all_missing(id, range).map(limited)
        };
        requests.into_iter().flat_map(left).collect()
    }

    /// Returns the requests for ranges that will be read soon, as far as there is room; they are in flight from now on.
    pub(crate) fn announce(&mut self, id: Id, ranges: &mut dyn Iterator<Item = Range<u64>>) -> Vec<Request> {
        let unread: u64 = self.extents.values().map(Extent::unread).sum();
        let mut room = (self.limit / 2).saturating_sub(unread).saturating_sub(self.flying);
        let mut pieces = Vec::new();
        for missing in ranges.take(MAX_ANNOUNCED).flat_map(|range| self.all_missing(id, range)) {
            if room == 0 {
                break;
            }
            let len = (missing.end - missing.start).min(room);
            pieces.push(missing.start..missing.start + len);
            room -= len;
        }
        let first = pieces.first().map_or(0, |piece| piece.start);
        let mut requests = self.without_known(id, merged(pieces));
        // What is read first is requested first.
        let begin = requests.partition_point(|request| request.range.end <= first);
        requests.rotate_left(begin);
        self.take_off(id, &requests);
        requests
    }

    fn take_off(&mut self, id: Id, requests: &[Request]) {
        for Request { range, wanted } in requests {
            self.flights.insert((id, range.start), Flight { end: range.end, wanted: *wanted });
            self.flying += range.end - range.start;
        }
    }

    /// Ends a request: its bytes have arrived, or it has failed.
    pub(crate) fn land(&mut self, id: Id, start: u64, bytes: Option<Bytes>) {
        let Some(flight) = self.flights.remove(&(id, start)) else { return };
        self.flying -= flight.end - start;
        let Some(bytes) = bytes else { return };
        self.make_room(bytes.len() as u64);
        self.clock += 1;
        self.held += bytes.len() as u64;
        let extent = Extent { bytes, wanted: flight.wanted, read: 0, used: self.clock };
        self.extents.insert((id, start), extent);
    }

    /// Adds bytes that were not requested through the cache.
    pub(crate) fn insert(&mut self, id: Id, bytes: Bytes) {
        self.flights.insert((id, 0), Flight { end: bytes.len() as u64, wanted: 0 });
        self.flying += bytes.len() as u64;
        self.land(id, 0, Some(bytes));
    }

    /// Removes extents until there is room for more bytes: those that have been read first, then the oldest.
    fn make_room(&mut self, more: u64) {
        while self.held + more > self.limit {
            let oldest = self.extents.iter().min_by_key(|(_, extent)| (extent.unread() > 0, extent.used));
            let Some(key) = oldest.map(|(key, _)| *key) else { break };
            if let Some(extent) = self.extents.remove(&key) {
                self.held -= extent.bytes.len() as u64;
            }
        }
    }
}

/// Joins ranges that are close to each other, and divides those that are long, in the order of the file.
fn merged(mut pieces: Vec<Range<u64>>) -> Vec<Request> {
    pieces.sort_by_key(|piece| piece.start);
    let mut requests: Vec<Request> = Vec::new();
    for piece in pieces {
        let mut piece = piece;
        if let Some(last) = requests.last_mut() {
            piece.start = piece.start.max(last.range.end.min(piece.end));
            let joined = piece.end.saturating_sub(last.range.start);
            if piece.start - last.range.end.min(piece.start) <= MAX_GAP && joined <= MAX_REQUEST {
                last.wanted += piece.end - piece.start;
                last.range.end = last.range.end.max(piece.end);
                continue;
            }
        }
        while piece.start < piece.end {
            let end = piece.end.min(piece.start + MAX_REQUEST);
            requests.push(Request { range: piece.start..end, wanted: end - piece.start });
            piece.start = end;
        }
    }
    requests
}

#[cfg(test)]
#[expect(clippy::single_range_in_vec_init, reason = "lists of ranges, of which some have one")]
mod tests {
    use super::*;

    fn ranges(requests: &[Request]) -> Vec<Range<u64>> {
        requests.iter().map(|request| request.range.clone()).collect()
    }

    fn bytes(range: &Range<u64>) -> Bytes {
        range.clone().map(|at| (at % 251) as u8).collect::<Vec<_>>().into()
    }

    #[test]
    fn close_ranges_are_joined_and_long_ones_divided() {
        let (gap, far) = (MAX_GAP, 10 * MAX_REQUEST);
        for (pieces, expected) in [
            (vec![0..10, 10..20, 24..30], vec![0..30]),
            (vec![24..30, 0..10], vec![0..30]),
            (vec![0..10, 10 + gap..20 + gap], vec![0..20 + gap]),
            (vec![0..10, 11 + gap..20 + gap], vec![0..10, 11 + gap..20 + gap]),
            (vec![0..10, 5..8, 7..12], vec![0..12]),
            (vec![0..MAX_REQUEST, MAX_REQUEST..MAX_REQUEST + 1], vec![0..MAX_REQUEST, MAX_REQUEST..MAX_REQUEST + 1]),
            (vec![far..far + MAX_REQUEST + 5], vec![far..far + MAX_REQUEST, far + MAX_REQUEST..far + MAX_REQUEST + 5]),
            (vec![], vec![]),
        ] {
            assert_eq!(ranges(&merged(pieces.clone())), expected, "{pieces:?}");
        }
    }

    #[test]
    fn nothing_is_requested_twice() {
        let mut cache = Cache::new(1 << 20);
        assert_eq!(ranges(&cache.demand(7, 100..200)), [100..200]);
        assert!(
            cache.is_flying(7, 100) && cache.is_flying(7, 199) && !cache.is_flying(7, 200) && !cache.is_flying(6, 150)
        );
        assert_eq!(ranges(&cache.demand(7, 50..300)), [50..100, 200..300]);
        cache.land(7, 100, Some(bytes(&(100..200))));
        assert_eq!(ranges(&cache.demand(7, 60..260)), []);
        // A request that failed can be made again.
        cache.land(7, 50, None);
        assert_eq!(ranges(&cache.announce(7, &mut [40..90, 80..120].into_iter())), [40..100]);
        assert_eq!(ranges(&cache.demand(8, 100..200)), [100..200]);
    }

    #[test]
    fn bytes_are_read_across_extents_up_to_a_gap() {
        let mut cache = Cache::new(1 << 20);
        cache.insert(1, bytes(&(0..64)));
        for range in [64..100, 110..120] {
            cache.demand(1, range.clone());
            cache.land(1, range.start, Some(bytes(&range)));
        }
        let mut buffer = [0; 80];
        assert_eq!(cache.read(1, 30, &mut buffer), Some(70));
        assert_eq!(buffer[..70], bytes(&(30..100)));
        assert_eq!(cache.read(1, 100, &mut buffer), None);
        assert_eq!(cache.read(2, 0, &mut buffer), None);
        assert_eq!((cache.end_of(1, 0), cache.end_of(1, 100), cache.end_of(1, 115)), (100, 100, 120));
    }

    #[test]
    fn announcements_stop_at_half_of_the_limit_and_continue_where_room_is_made() {
        let piece = 100_000;
        let mut cache = Cache::new(8 * piece);
        let all = || (0..1000).map(|index| index * piece..(index + 1) * piece);
        let mut requested: u64 = 0;
        for row in 0..1000 {
            let requests = cache.announce(1, &mut all().skip(row));
            requested += requests.iter().map(|request| request.range.end - request.range.start).sum::<u64>();
            assert!(cache.flying + cache.extents.values().map(Extent::unread).sum::<u64>() <= 4 * piece);
            for request in requests {
                cache.land(1, request.range.start, Some(bytes(&request.range)));
            }
            assert!(cache.held <= 8 * piece, "{} bytes are held", cache.held);
            let mut buffer = vec![0; piece as usize];
            assert_eq!(cache.read(1, row as u64 * piece, &mut buffer), Some(piece as usize));
            assert_eq!(buffer, bytes(&(row as u64 * piece..(row as u64 + 1) * piece)));
        }
        assert_eq!(requested, 1000 * piece, "each byte is requested once");
    }
}
