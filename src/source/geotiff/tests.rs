//! Files made byte by byte and read under hostile conditions.

use std::io::{self, Write};

use super::*;
use crate::error::{ErrorKind, OptionField};
use crate::sample::DataType;
use crate::spec::Photometric;
use crate::view::StripeLayout;

/// A tag: number, type, values.
type Field = (u16, u16, Vec<u64>);

/// A classic TIFF file of the given byte order: data from byte 8, then linked directories.
fn tiff(big_endian: bool, data: &[u8], directories: &[Vec<Field>]) -> Vec<u8> {
    let number = |value: u64, size: usize| -> Vec<u8> {
        let bytes = value.to_be_bytes()[8 - size..].to_vec();
        if big_endian { bytes } else { bytes.into_iter().rev().collect() }
    };
    let mut out = if big_endian { b"MM".to_vec() } else { b"II".to_vec() };
    out.extend(number(42, 2));
    out.extend(number(8 + data.len() as u64, 4));
    out.extend_from_slice(data);
    for (index, fields) in directories.iter().enumerate() {
        let mut values_start = out.len() + 2 + fields.len() * 12 + 4;
        let mut values = Vec::new();
        out.extend(number(fields.len() as u64, 2));
        for (tag, field_type, items) in fields {
            let size = match field_type {
                3 => 2,
                4 => 4,
                12 => 8,
                _ => 1,
            };
            let mut bytes: Vec<u8> = items.iter().flat_map(|item| number(*item, size)).collect();
            out.extend(
                [number((*tag).into(), 2), number((*field_type).into(), 2), number(items.len() as u64, 4)].concat(),
            );
            if bytes.len() <= 4 {
                bytes.resize(4, 0);
                out.extend(bytes);
            } else {
                out.extend(number(values_start as u64, 4));
                values_start += bytes.len();
                values.extend(bytes);
            }
        }
        let is_last = index + 1 == directories.len();
        out.extend(number(if is_last { 0 } else { values_start as u64 }, 4));
        out.extend(values);
    }
    out
}

/// A directory of one band of unsigned samples in strips.
fn strips(width: u64, height: u64, bits: u64, rows: u64, offsets: &[u64], counts: &[u64]) -> Vec<Field> {
    vec![
        (256, 4, vec![width]),
        (257, 4, vec![height]),
        (258, 3, vec![bits]),
        (259, 3, vec![1]),
        (262, 3, vec![1]),
        (273, 4, offsets.to_vec()),
        (278, 4, vec![rows]),
        (279, 4, counts.to_vec()),
    ]
}

/// A file of one strip of gray bytes.
pub(in crate::source) fn gray(width: u64, height: u64) -> Vec<u8> {
    let pixels = usize::try_from(width * height).unwrap();
    tiff(false, &vec![7; pixels], &[strips(width, height, 8, height, &[8], &[width * height])])
}

fn set(fields: &mut Vec<Field>, tag: u16, field_type: u16, items: Vec<u64>) {
    fields.retain(|field| field.0 != tag);
    fields.push((tag, field_type, items));
}

fn open(reader: impl ReadAt + 'static) -> Result<GeoTiffSource> {
    GeoTiffSource::from_reader(reader, &ReadOptions::default())
}

/// Reads all samples, and the mask, in stripes of `step` rows.
fn read(source: &mut GeoTiffSource, step: usize) -> Result<(Vec<u8>, Vec<u8>)> {
    let spec = source.spec().clone();
    let (width, height, bands) = (spec.width as usize, spec.height as usize, usize::from(spec.bands));
    let row_bytes = width * bands * spec.data_type.size();
    let (mut pixels, mut mask) = (vec![0xA5; row_bytes * height], vec![7; width * height]);
    let stripes = pixels.chunks_mut(row_bytes * step).zip(mask.chunks_mut(width * step)).enumerate();
    for (index, (plane, mask)) in stripes {
        let mut stripe = Stripe {
            width,
            rows: plane.len() / row_bytes,
            bands,
            sample_size: spec.data_type.size(),
            layout: StripeLayout::Chunky,
            planes: vec![plane],
            mask: spec.mask.then_some(mask),
            blanks: None,
        };
        source.read_rows(u32::try_from(index * step).unwrap(), &mut stripe, &Executor::threads(2)?)?;
    }
    Ok((pixels, mask))
}

/// Reads one byte per call, and fails at call `limit`.
struct Hostile {
    bytes: Vec<u8>,
    limit: u64,
    calls: std::sync::atomic::AtomicU64,
}

impl ReadAt for Hostile {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        if self.calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed) >= self.limit {
            return Err(io::Error::other("the cable is cut"));
        }
        let end = buffer.len().min(1);
        self.bytes.read_at(offset, &mut buffer[..end])
    }

    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }
}

fn samples(count: u16) -> Vec<u16> {
    (0..count).map(|index| index.wrapping_mul(2531)).collect()
}

#[test]
fn both_byte_orders_give_the_same_samples_however_short_reads_are() {
    let samples = samples(5 * 7);
    for big_endian in [false, true] {
        let encode = |sample: &u16| if big_endian { sample.to_be_bytes() } else { sample.to_le_bytes() };
        let data: Vec<u8> = samples.iter().flat_map(encode).collect();
        let file = tiff(big_endian, &data, &[strips(5, 7, 16, 3, &[8, 38, 68], &[30, 30, 10])]);
        let calls = std::sync::atomic::AtomicU64::new(0);
        let mut source = open(Hostile { bytes: file.clone(), limit: u64::MAX, calls }).unwrap();
        assert_eq!(source.spec().data_type, DataType::U16);
        for step in [1, 2, 7] {
            assert_eq!(read(&mut source, step).unwrap().0, bytemuck::cast_slice::<u16, u8>(&samples));
        }
        for limit in 0..400 {
            let calls = std::sync::atomic::AtomicU64::new(0);
            let result =
                open(Hostile { bytes: file.clone(), limit, calls }).and_then(|mut source| read(&mut source, 2));
            assert!(matches!(result, Ok(_) | Err(_)), "an error, never a panic");
        }
    }
}

#[test]
fn every_truncation_is_an_error_or_harmless() {
    let data = bytemuck::cast_slice::<u16, u8>(&samples(5 * 7)).to_vec();
    let file = tiff(false, &data, &[strips(5, 7, 16, 3, &[8, 38, 68], &[30, 30, 10])]);
    for length in 0..file.len() {
        // An uncompressed file does not need its byte counts.
        let result = open(file[..length].to_vec()).and_then(|mut source| read(&mut source, 3));
        assert!(result.is_err() || result.is_ok_and(|(pixels, _)| pixels == data), "{length} bytes");
    }
}

#[test]
fn tall_strips_are_decoded_piece_by_piece() {
    let (width, height) = (3000usize, 4000usize);
    let pixels: Vec<u8> = (0..width * height).map(|index| (index / 3 % 251) as u8).collect();
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&pixels).unwrap();
    let data = encoder.finish().unwrap();
    let mut fields = strips(3000, 4000, 8, 4000, &[8], &[data.len() as u64]);
    set(&mut fields, 259, 3, vec![8]);
    let file = tiff(false, &data, &[fields.clone()]);
    let mut source = open(file.clone()).unwrap();
    for step in [1700, 4000] {
        assert!(read(&mut source, step).unwrap().0 == pixels);
    }
    // Rows in any order: after those read last, before them, and far ahead. Without compression, skipped rows are not
    // read.
    let plain = {
        let mut fields = strips(3000, 4000, 8, 4000, &[8], &[pixels.len() as u64]);
        set(&mut fields, 259, 3, vec![1]);
        tiff(false, &pixels, &[fields])
    };
    for file in [file, plain] {
        let mut source = open(file).unwrap();
        for first in [0, 100, 50, 3900, 7, 3000] {
            let mut rows = vec![0; width * 60];
            let mut stripe = Stripe {
                width,
                rows: 60,
                bands: 1,
                sample_size: 1,
                layout: StripeLayout::Chunky,
                planes: vec![&mut rows],
                mask: None,
                blanks: None,
            };
            source.read_rows(u32::try_from(first).unwrap(), &mut stripe, &Executor::serial()).unwrap();
            assert!(rows == pixels[first * width..][..rows.len()], "row {first}");
        }
    }
    // The error for a strip that ends early names the strip.
    set(&mut fields, 279, 4, vec![data.len() as u64 / 2]);
    let error = read(&mut open(tiff(false, &data, &[fields])).unwrap(), 512).unwrap_err();
    assert!(error.to_string().contains("strip 0 of image 0"), "{error}");
}

#[test]
fn masks_and_chunks_that_are_left_out() {
    let image = {
        let mut fields = strips(4, 4, 8, 2, &[8, 0], &[8, 0]);
        fields.push((42113, 2, b"9\0".iter().map(|byte| u64::from(*byte)).collect()));
        fields
    };
    let mut mask = strips(4, 4, 1, 4, &[16], &[4]);
    mask.push((254, 4, vec![4]));
    let mut overview = strips(2, 2, 8, 2, &[8], &[4]);
    overview.push((254, 4, vec![1]));
    let data = [1, 2, 3, 4, 5, 6, 7, 8, 0b1010_0000, 0, 0xF0, 0];
    let mut small_mask = strips(2, 2, 1, 2, &[16], &[2]);
    small_mask.push((254, 4, vec![5]));
    let file = tiff(true, &data, &[image, mask, overview, small_mask]);
    let look = |number| GeoTiffSource::overview(file.clone(), &ReadOptions::default(), number);
    let mut overview = look(0).unwrap();
    assert_eq!((overview.spec().width, overview.spec().height), (2, 2));
    assert_eq!(read(&mut overview, 2).unwrap(), (vec![1, 2, 3, 4], vec![255, 0, 0, 0]));
    assert_eq!(
        look(1).unwrap_err().to_string(),
        "option 'overviews': there is no overview 1; the image has 1, counted from 0"
    );
    let mut source = open(file).unwrap();
    assert!(source.spec().mask && source.warnings().is_empty(), "{:?}", source.warnings());
    let (pixels, mask) = read(&mut source, 3).unwrap();
    assert_eq!(pixels, [1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 9, 9, 9, 9, 9]);
    assert_eq!(mask, [255, 0, 255, 0, 0, 0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 0]);
}

#[test]
fn planes_and_odd_widths_are_put_in_their_places() {
    let mut fields = strips(3, 1, 3, 1, &[8, 10, 12], &[2, 2, 2]);
    set(&mut fields, 258, 3, vec![3, 3, 3]);
    fields.extend([(277, 3, vec![3]), (284, 3, vec![2])]);
    set(&mut fields, 262, 3, vec![2]);
    let data = [0b0010_1001, 0b1000_0000, 0b1001_0111, 0, 0b1111_1010, 0b1000_0000];
    let mut source = open(tiff(false, &data, &[fields])).unwrap();
    assert_eq!((source.spec().bits_per_sample, source.spec().photometric), (Some(3), Photometric::Rgb));
    assert_eq!(read(&mut source, 1).unwrap().0, [1, 4, 7, 2, 5, 6, 3, 6, 5]);
}

#[test]
fn images_are_chosen_and_cycles_end() {
    let image = |value: u64| strips(1, 1, 8, 1, &[value], &[1]);
    let file = tiff(false, &[11, 22], &[image(8), image(9)]);
    let mut source = open(file.clone()).unwrap();
    assert_eq!((source.image_count(), source.warnings().len()), (2, 1));
    assert_eq!(read(&mut source, 1).unwrap().0, [11]);
    let mut second =
        GeoTiffSource::from_reader(file.clone(), &ReadOptions { image: Some(1), ..ReadOptions::default() }).unwrap();
    assert_eq!(read(&mut second, 1).unwrap().0, [22]);
    let error = GeoTiffSource::from_reader(file.clone(), &ReadOptions { image: Some(2), ..ReadOptions::default() })
        .unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::InvalidOption { option: OptionField::Image, .. }));
    let mut cyclic = file;
    let first = cyclic[4];
    let length = cyclic.len();
    cyclic[length - 4] = first;
    let source = open(cyclic).unwrap();
    assert!(source.warnings().iter().any(|warning| warning.contains("linked twice")), "{:?}", source.warnings());
}

#[test]
fn headers_that_lie_cost_nothing() {
    let mut fields = strips(2_000_000_000, 1000, 8, 1000, &[8], &[12]);
    let data = [0; 12];
    let error = read(&mut open(tiff(false, &data, &[strips(60_000, 100, 8, 1, &[8], &[12])])).unwrap(), 1);
    assert!(error.is_err());
    set(&mut fields, 259, 3, vec![8]);
    let mut source = open(tiff(false, &data, &[fields])).unwrap();
    let mut plane = [0u8; 0];
    let mut stripe = Stripe {
        width: 2_000_000_000,
        rows: 1,
        bands: 1,
        sample_size: 1,
        layout: StripeLayout::Chunky,
        planes: vec![&mut plane],
        mask: None,
        blanks: None,
    };
    let error = source.read_rows(0, &mut stripe, &Executor::serial()).unwrap_err();
    assert!(error.to_string().contains("cannot hold"), "{error}");
}
