//! Serialization of sums, for the records of shards.

use crate::error::Result;
use crate::message::{Message, Reader};
use crate::sample::{DataType, SampleKind};
use crate::spec::ImageSpec;

use super::exact::FixedPoint;
use super::{BandSums, Sums, no_sums};

/// Name of packed sums in errors.
const NAME: &str = "the sums of a shard";

/// Serializes the sums of all bands. Equal sums give equal bytes, whatever the order and grouping in which pixels were
/// added.
pub(crate) fn pack(bands: Vec<BandSums>) -> Vec<u8> {
    let mut message = Message::part();
    for BandSums { pixels, valid, sums } in bands {
        message.u64(pixels);
        message.u64(valid);
        match sums {
            Sums::Integer { range, sum, squares } => {
                message.option(range.as_ref(), |message, (low, high)| {
                    message.raw(&low.to_le_bytes());
                    message.raw(&high.to_le_bytes());
                });
                message.raw(&sum.to_le_bytes());
                squares.iter().for_each(|part| message.raw(&part.to_le_bytes()));
            }
            Sums::Float { range, infinities, sum, squares, .. } => {
                message.option(range.as_ref(), |message, (low, high)| {
                    // The order of the pixels decides which of the two zeros comes first.
                    message.f64(low + 0.0);
                    message.f64(high + 0.0);
                });
                infinities.iter().for_each(|count| message.u64(*count));
                put_fixed_point(&mut message, sum);
                put_fixed_point(&mut message, squares);
            }
        }
    }
    message.into_part()
}

/// Deserializes the sums of all bands of an image.
///
/// # Errors
/// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) if no pixels of such an image can have these sums.
pub(crate) fn unpack(bytes: &[u8], spec: &ImageSpec) -> Result<Vec<BandSums>> {
    let mut reader = Reader::part(NAME, bytes);
    let mut bands = no_sums(spec);
    for band in &mut bands {
        take_band(&mut reader, spec.data_type, band)?;
    }
    reader.end()?;
    Ok(bands)
}

fn take_band(reader: &mut Reader<'_>, data_type: DataType, band: &mut BandSums) -> Result<()> {
    (band.pixels, band.valid) = (reader.u64()?, reader.u64()?);
    let is_possible = match &mut band.sums {
        Sums::Integer { range, sum, squares } => {
            let integer = |reader: &mut Reader<'_>| Result::Ok(i128::from_le_bytes(reader.array()?));
            *range = reader.option(|reader| Ok((integer(reader)?, integer(reader)?)))?;
            *sum = integer(reader)?;
            for part in squares.iter_mut() {
                *part = u128::from_le_bytes(reader.array()?);
            }
            let (least, greatest) = limits(data_type);
            let most = u128::from(band.valid) * u128::from(u64::MAX);
            range.is_some() == (band.valid > 0)
                && range.is_none_or(|(low, high)| least <= low && low <= high && high <= greatest)
                && sum.unsigned_abs() <= most
                && squares.iter().all(|part| *part <= most)
        }
        Sums::Float { range, infinities, sum, squares, .. } => {
            *range = reader.option(|reader| Ok((reader.f64()?, reader.f64()?)))?;
            for count in infinities.iter_mut() {
                *count = reader.u64()?;
            }
            take_fixed_point(reader, sum)?;
            take_fixed_point(reader, squares)?;
            let [below, above] = *infinities;
            range.is_some() == (band.valid > 0)
                && range.is_none_or(|(low, high)| low <= high)
                && below.checked_add(above).is_some_and(|count| count <= band.valid)
        }
    };
    if is_possible && band.valid <= band.pixels {
        Ok(())
    } else {
        Err(reader.damaged("no pixels of this type can have these sums"))
    }
}

fn put_fixed_point(message: &mut Message, sum: FixedPoint) {
    let (negative, lowest, digits) = sum.digits();
    message.u8(negative.into());
    // The longest sums have 136 digits.
    message.u16(u16::try_from(lowest).unwrap_or(u16::MAX));
    message.list(&digits, |message, digit| message.u32(*digit));
}

fn take_fixed_point(reader: &mut Reader<'_>, sum: &mut FixedPoint) -> Result<()> {
    let negative = reader.one_of(&[false, true])?;
    let lowest = reader.u16()?.into();
    let digits = reader.list(Reader::u32)?;
    *sum = sum
        .clone()
        .with_digits(negative, lowest, &digits)
        .ok_or_else(|| reader.damaged("a sum has too many digits"))?;
    Ok(())
}

/// Returns the smallest and the largest value of an integer type.
fn limits(data_type: DataType) -> (i128, i128) {
    let values = 1i128 << data_type.bits();
    if data_type.kind() == SampleKind::Signed { (-values / 2, values / 2 - 1) } else { (0, values - 1) }
}

#[cfg(test)]
mod tests {
    use super::super::{MeasuredPixels, measure};
    use super::*;

    fn sums_of<T: bytemuck::Pod>(spec: &ImageSpec, samples: &[T]) -> Vec<BandSums> {
        let mut sums = no_sums(spec);
        measure(spec, &MeasuredPixels { planes: vec![bytemuck::cast_slice(samples)], mask: None }, &mut sums);
        sums
    }

    fn round_trip<T: bytemuck::Pod>(data_type: DataType, samples: &[T]) {
        let spec = ImageSpec::new(1, 1, 2, data_type);
        let sums = sums_of(&spec, samples);
        let bytes = pack(sums.clone());
        let unpacked = unpack(&bytes, &spec).unwrap();
        for (one, other) in sums.iter().zip(&unpacked) {
            assert_eq!(format!("{:?}", one.statistics()), format!("{:?}", other.statistics()), "{data_type}");
        }
        assert_eq!(pack(unpacked), bytes, "{data_type}");
        for len in 0..bytes.len() {
            assert!(unpack(&bytes[..len], &spec).is_err(), "{data_type}: {len} bytes");
        }
    }

    #[test]
    fn sums_of_every_type_survive() {
        round_trip(DataType::U8, &[0u8, 255, 7, 9]);
        round_trip(DataType::I8, &[-128i8, 127, -1, -1]);
        round_trip(DataType::U16, &[u16::MAX; 4]);
        round_trip(DataType::I16, &[i16::MIN; 4]);
        round_trip(DataType::U32, &[u32::MAX, 0]);
        round_trip(DataType::I32, &[i32::MIN, -1]);
        round_trip(DataType::U64, &[u64::MAX; 6]);
        round_trip(DataType::I64, &[i64::MIN, i64::MAX]);
        round_trip(DataType::F16, &[half::f16::MAX, half::f16::NEG_INFINITY]);
        round_trip(DataType::F32, &[f32::MIN, f32::NAN, 1e-40, f32::INFINITY]);
        round_trip(DataType::F64, &[f64::MAX, f64::MIN, -5e-324, 1e-200, -0.1, 0.0]);
        round_trip::<f64>(DataType::F64, &[]);
    }

    #[test]
    fn order_and_grouping_do_not_show() {
        let spec = ImageSpec::new(1, 1, 1, DataType::F64);
        let values = [-0.0, 0.0, 1e300, -1e300, 3.0, -1e-300];
        let whole = pack(sums_of(&spec, &values));
        for start in 0..values.len() {
            let mut sums = BandSums::new(DataType::F64);
            for index in 0..values.len() {
                let one = sums_of(&spec, &[values[(start + index) % values.len()]]);
                one.into_iter().for_each(|one| sums.merge(one));
            }
            assert_eq!(pack(vec![sums]), whole, "from {start} on");
        }
    }

    #[test]
    fn impossible_sums_are_refused() {
        let refuses = |data_type, change: &dyn Fn(&mut BandSums)| {
            let spec = ImageSpec::new(1, 1, 1, data_type);
            let mut sums = no_sums(&spec);
            (sums[0].pixels, sums[0].valid) = (2, 1);
            match &mut sums[0].sums {
                Sums::Integer { range, .. } => *range = Some((0, 1)),
                Sums::Float { range, .. } => *range = Some((0.0, 1.0)),
            }
            assert!(unpack(&pack(sums.clone()), &spec).is_ok());
            change(&mut sums[0]);
            assert!(unpack(&pack(sums), &spec).is_err(), "{data_type}");
        };
        for data_type in [DataType::U8, DataType::I64, DataType::F32] {
            refuses(data_type, &|band| band.valid = 3);
            refuses(data_type, &|band| band.valid = 0);
        }
        let integer = |new: Option<(i128, i128)>, new_sum: i128, new_squares: [u128; 2]| {
            move |band: &mut BandSums| {
                band.sums = Sums::Integer { range: new, sum: new_sum, squares: new_squares };
            }
        };
        refuses(DataType::U8, &integer(Some((0, 256)), 0, [0; 2]));
        refuses(DataType::I8, &integer(Some((-129, 0)), 0, [0; 2]));
        refuses(DataType::U64, &integer(Some((1, 0)), 0, [0; 2]));
        refuses(DataType::U64, &integer(None, 0, [0; 2]));
        refuses(DataType::U64, &integer(Some((0, 1)), i128::MIN, [0; 2]));
        refuses(DataType::U64, &integer(Some((0, 1)), 0, [0, u128::MAX]));
        let float = |new: (f64, f64), new_infinities: [u64; 2]| {
            move |band: &mut BandSums| {
                if let Sums::Float { range, infinities, .. } = &mut band.sums {
                    (*range, *infinities) = (Some(new), new_infinities);
                }
            }
        };
        refuses(DataType::F32, &float((f64::NAN, 1.0), [0; 2]));
        refuses(DataType::F32, &float((1.0, 0.0), [0; 2]));
        refuses(DataType::F32, &float((0.0, 1.0), [u64::MAX; 2]));
        // A sum of f64 has more digits than one of f16 can have.
        let spec = ImageSpec::new(1, 1, 1, DataType::F64);
        let bytes = pack(sums_of(&spec, &[f64::MAX]));
        assert!(unpack(&bytes, &ImageSpec { data_type: DataType::F16, ..spec }).is_err());
    }
}
