//! Serialization of a plan, for another process or machine.
//!
//! The message contains the inputs of the plan: image, georeferencing, metadata, and options, with the predictor
//! settled. Reading rebuilds the plan with all checks, so derived values are never trusted, and equal inputs give equal
//! bytes.

use crate::error::Result;
use crate::geo::{GeoKeys, GeoRef, Metadata, MetadataItem, Placement, Rpc};
use crate::message::{Kind, Message, Reader};
use crate::options::{
    BigTiff, Compression, EncodeOptions, Interleave, MaskPolicy, Overviews, Predictor, Resampling, Sparse, TileSize,
};
use crate::sample::{DataType, Nodata};
use crate::spec::{ExtraSample, ImageSpec, Photometric};
use crate::tiff::{Tag, TagValue};

use super::CogPlan;

const PLAN: Kind = Kind { code: 1, name: "a plan" };

// Messages contain the indices of these lists.
const PHOTOMETRIC: [Photometric; 7] = [
    Photometric::MinIsWhite,
    Photometric::MinIsBlack,
    Photometric::Rgb,
    Photometric::Palette,
    Photometric::Separated,
    Photometric::CieLab,
    Photometric::IccLab,
];
const EXTRA_SAMPLES: [ExtraSample; 3] =
    [ExtraSample::Unspecified, ExtraSample::AssociatedAlpha, ExtraSample::UnassociatedAlpha];

impl CogPlan {
    /// Serializes the plan. [`from_bytes`](Self::from_bytes) makes the same plan from it, in any process and on any
    /// machine with the same version of this library. Equal plans give equal bytes.
    ///
    /// A predictor that pixels have yet to settle stays open; see
    /// [`with_predictor_by_type`](Self::with_predictor_by_type).
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut message = Message::new(PLAN);
        self.put(&mut message);
        message.seal()
    }

    /// Makes the plan from the bytes of [`to_bytes`](Self::to_bytes), with all checks of [`new`](Self::new).
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) if the bytes are incomplete or come from another version of
    /// this library; otherwise as with [`new`](Self::new).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::open(PLAN, bytes)?;
        let plan = Self::take(&mut reader)?;
        reader.end()?;
        Ok(plan)
    }

    pub(super) fn put(&self, message: &mut Message) {
        put_spec(message, self.source_spec());
        put_geo(message, &self.inner.geo);
        put_metadata(message, &self.inner.metadata);
        put_options(message, &self.inner.options);
    }

    pub(super) fn take(reader: &mut Reader<'_>) -> Result<Self> {
        let spec = take_spec(reader)?;
        let geo = take_geo(reader)?;
        let metadata = take_metadata(reader)?;
        Self::new(&spec, &geo, &metadata, &take_options(reader)?)
    }
}

fn put_spec(message: &mut Message, spec: &ImageSpec) {
    message.u32(spec.width);
    message.u32(spec.height);
    message.u16(spec.bands);
    message.one_of(DataType::ALL, &spec.data_type);
    message.option(spec.bits_per_sample.as_ref(), |message, bits| message.u16(*bits));
    message.option(spec.nodata.as_ref(), |message, nodata| match nodata {
        Nodata::Integer(value) => {
            message.u8(0);
            message.raw(&value.to_le_bytes());
        }
        Nodata::Float(value) => {
            message.u8(1);
            message.f64(*value);
        }
    });
    message.u8(spec.mask.into());
    message.one_of(&PHOTOMETRIC, &spec.photometric);
    message.list(&spec.extra_samples, |message, kind| message.one_of(&EXTRA_SAMPLES, kind));
    message.u8(spec.alpha_weighs.into());
    message.list(&spec.color_map, |message, value| message.u16(*value));
}

fn take_spec(reader: &mut Reader<'_>) -> Result<ImageSpec> {
    let (width, height, bands) = (reader.u32()?, reader.u32()?, reader.u16()?);
    Ok(ImageSpec {
        data_type: reader.one_of(DataType::ALL)?,
        bits_per_sample: reader.option(Reader::u16)?,
        nodata: reader.option(|reader| match reader.u8()? {
            0 => Ok(Nodata::Integer(i128::from_le_bytes(reader.array()?))),
            1 => Ok(Nodata::Float(reader.f64()?)),
            other => Err(reader.damaged(format!("unknown kind of nodata {other}"))),
        })?,
        mask: reader.one_of(&[false, true])?,
        photometric: reader.one_of(&PHOTOMETRIC)?,
        extra_samples: reader.list(|reader| reader.one_of(&EXTRA_SAMPLES))?,
        alpha_weighs: reader.one_of(&[false, true])?,
        color_map: reader.list(Reader::u16)?,
        ..ImageSpec::new(width, height, bands, DataType::U8)
    })
}

fn put_doubles(message: &mut Message, doubles: &[f64]) {
    message.list(doubles, |message, value| message.f64(*value));
}

fn put_geo(message: &mut Message, geo: &GeoRef) {
    match &geo.placement {
        Placement::None => message.u8(0),
        Placement::ScaleAndTiepoint { scale, tiepoints } => {
            message.u8(1);
            scale.iter().for_each(|value| message.f64(*value));
            put_doubles(message, tiepoints);
        }
        Placement::Tiepoints(points) => {
            message.u8(2);
            put_doubles(message, points);
        }
        Placement::Matrix(matrix) => {
            message.u8(3);
            matrix.iter().for_each(|value| message.f64(*value));
        }
    }
    message.option(geo.keys.as_ref(), |message, keys| {
        message.list(&keys.directory, |message, value| message.u16(*value));
        put_doubles(message, &keys.doubles);
        message.bytes(&keys.ascii);
    });
    message.option(geo.rpc.as_ref(), |message, rpc| put_doubles(message, &rpc.numbers()));
}

fn take_geo(reader: &mut Reader<'_>) -> Result<GeoRef> {
    let placement = match reader.u8()? {
        0 => Placement::None,
        1 => Placement::ScaleAndTiepoint {
            scale: [reader.f64()?, reader.f64()?, reader.f64()?],
            tiepoints: reader.list(Reader::f64)?,
        },
        2 => Placement::Tiepoints(reader.list(Reader::f64)?),
        3 => {
            let mut matrix = Box::new([0.0; 16]);
            for value in &mut *matrix {
                *value = reader.f64()?;
            }
            Placement::Matrix(matrix)
        }
        other => return Err(reader.damaged(format!("unknown placement {other}"))),
    };
    let keys = reader.option(|reader| {
        let (directory, doubles) = (reader.list(Reader::u16)?, reader.list(Reader::f64)?);
        Ok(GeoKeys { directory, doubles, ascii: reader.bytes()?.to_vec() })
    })?;
    let rpc = reader.option(|reader| {
        let numbers = reader.list(Reader::f64)?;
        let numbers = numbers.as_slice().try_into().map_err(|_| reader.damaged("RPC coefficients are incomplete"))?;
        Ok(Rpc::from_numbers(numbers))
    })?;
    Ok(GeoRef { placement, keys, rpc })
}

fn put_metadata(message: &mut Message, metadata: &Metadata) {
    message.list(&metadata.items, |message, item| {
        message.text(&item.name);
        message.option(item.domain.as_ref(), |message, text| message.text(text));
        message.option(item.sample.as_ref(), |message, sample| message.u32(*sample));
        message.option(item.role.as_ref(), |message, text| message.text(text));
        message.text(&item.value);
    });
    message.list(&metadata.tags, |message, (tag, value)| {
        message.u16(tag.0);
        put_value(message, value);
    });
}

fn take_metadata(reader: &mut Reader<'_>) -> Result<Metadata> {
    let items = reader.list(|reader| {
        Ok(MetadataItem {
            name: reader.text()?,
            domain: reader.option(Reader::text)?,
            sample: reader.option(Reader::u32)?,
            role: reader.option(Reader::text)?,
            value: reader.text()?,
        })
    })?;
    let tags = reader.list(|reader| Ok((Tag(reader.u16()?), take_value(reader)?)))?;
    // The plan has already turned color interpretations into items and tags.
    Ok(Metadata { items, tags, ..Metadata::default() })
}

fn put_value(message: &mut Message, value: &TagValue) {
    message.u16(value.field_type());
    match value {
        TagValue::Byte(items) | TagValue::Ascii(items) | TagValue::Undefined(items) => message.bytes(items),
        TagValue::Short(items) => message.list(items, |message, item| message.u16(*item)),
        TagValue::Long(items) => message.list(items, |message, item| message.u32(*item)),
        TagValue::Rational(items) => {
            message.list(items, |message, item| item.iter().for_each(|&part| message.u32(part)))
        }
        TagValue::SByte(items) => message.list(items, |message, item| message.raw(&item.to_le_bytes())),
        TagValue::SShort(items) => message.list(items, |message, item| message.raw(&item.to_le_bytes())),
        TagValue::SLong(items) => message.list(items, |message, item| message.raw(&item.to_le_bytes())),
        TagValue::SRational(items) => {
            message.list(items, |message, item| item.iter().for_each(|part| message.raw(&part.to_le_bytes())));
        }
        TagValue::Float(items) => message.list(items, |message, item| message.raw(&item.to_le_bytes())),
        TagValue::Double(items) => put_doubles(message, items),
        TagValue::Long8(items) => message.list(items, |message, item| message.u64(*item)),
    }
}

fn take_value(reader: &mut Reader<'_>) -> Result<TagValue> {
    Ok(match reader.u16()? {
        1 => TagValue::Byte(reader.bytes()?.to_vec()),
        2 => TagValue::Ascii(reader.bytes()?.to_vec()),
        3 => TagValue::Short(reader.list(Reader::u16)?),
        4 => TagValue::Long(reader.list(Reader::u32)?),
        5 => TagValue::Rational(reader.list(|reader| Ok([reader.u32()?, reader.u32()?]))?),
        6 => TagValue::SByte(reader.list(|reader| Ok(i8::from_le_bytes(reader.array()?)))?),
        7 => TagValue::Undefined(reader.bytes()?.to_vec()),
        8 => TagValue::SShort(reader.list(|reader| Ok(i16::from_le_bytes(reader.array()?)))?),
        9 => TagValue::SLong(reader.list(|reader| Ok(i32::from_le_bytes(reader.array()?)))?),
        10 => TagValue::SRational(
            reader.list(|reader| Ok([i32::from_le_bytes(reader.array()?), i32::from_le_bytes(reader.array()?)]))?,
        ),
        11 => TagValue::Float(reader.list(|reader| Ok(f32::from_le_bytes(reader.array()?)))?),
        12 => TagValue::Double(reader.list(Reader::f64)?),
        16 => TagValue::Long8(reader.list(Reader::u64)?),
        other => return Err(reader.damaged(format!("unknown tag type {other}"))),
    })
}

fn put_tile_size(message: &mut Message, size: &TileSize) {
    message.u32(size.width);
    message.u32(size.height);
}

fn take_tile_size(reader: &mut Reader<'_>) -> Result<TileSize> {
    Ok(TileSize { width: reader.u32()?, height: reader.u32()? })
}

fn put_options(message: &mut Message, options: &EncodeOptions) {
    put_tile_size(message, &options.tile_size);
    message.option(options.overview_tile_size.as_ref(), put_tile_size);
    put_compression(message, &options.compression);
    message.option(options.overview_compression.as_ref(), put_compression);
    message.one_of(Predictor::ALL, &options.predictor);
    message.option(options.overview_predictor.as_ref(), |message, one| message.one_of(Predictor::ALL, one));
    message.one_of(MaskPolicy::ALL, &options.mask);
    message.one_of(Interleave::ALL, &options.interleave);
    match &options.overviews {
        Overviews::Auto => message.u8(0),
        Overviews::None => message.u8(1),
        Overviews::Count(count) => {
            message.u8(2);
            message.u32(*count);
        }
        Overviews::Factors(factors) => {
            message.u8(3);
            message.list(factors, |message, factor| message.u32(*factor));
        }
        Overviews::Finished(sizes) => {
            message.u8(4);
            message.list(sizes, |message, (width, height)| {
                message.u32(*width);
                message.u32(*height);
            });
        }
        Overviews::Existing => message.u8(5),
    }
    message.option(options.resampling.as_ref(), |message, one| message.one_of(Resampling::ALL, one));
    message.list(&options.band_resampling, |message, one| message.one_of(Resampling::ALL, one));
    message.one_of(BigTiff::ALL, &options.big_tiff);
    message.u8(options.statistics.into());
    message.one_of(Sparse::ALL, &options.sparse);
    message.u32(options.header_room);
}

fn put_compression(message: &mut Message, compression: &Compression) {
    let codecs: Vec<_> = Compression::names().collect();
    message.one_of(&codecs, &compression.name());
    for (parameter, value) in compression.parameters() {
        message.u64(parameter.code(value));
    }
}

fn take_compression(reader: &mut Reader<'_>) -> Result<Compression> {
    let compression = reader.one_of(Compression::ALL)?;
    let read = compression.with_codes(|| reader.u64())?;
    read.ok_or_else(|| reader.damaged(format!("codec {compression} with a parameter that it does not have")))
}

fn take_options(reader: &mut Reader<'_>) -> Result<EncodeOptions> {
    Ok(EncodeOptions {
        tile_size: take_tile_size(reader)?,
        overview_tile_size: reader.option(take_tile_size)?,
        compression: take_compression(reader)?,
        overview_compression: reader.option(take_compression)?,
        predictor: reader.one_of(Predictor::ALL)?,
        overview_predictor: reader.option(|reader| reader.one_of(Predictor::ALL))?,
        mask: reader.one_of(MaskPolicy::ALL)?,
        interleave: reader.one_of(Interleave::ALL)?,
        overviews: match reader.u8()? {
            0 => Overviews::Auto,
            1 => Overviews::None,
            2 => Overviews::Count(reader.u32()?),
            3 => Overviews::Factors(reader.list(Reader::u32)?),
            4 => Overviews::Finished(reader.list(|reader| Ok((reader.u32()?, reader.u32()?)))?),
            5 => Overviews::Existing,
            other => return Err(reader.damaged(format!("unknown overviews {other}"))),
        },
        resampling: reader.option(|reader| reader.one_of(Resampling::ALL))?,
        band_resampling: reader.list(|reader| reader.one_of(Resampling::ALL))?,
        big_tiff: reader.one_of(BigTiff::ALL)?,
        statistics: reader.one_of(&[false, true])?,
        sparse: reader.one_of(Sparse::ALL)?,
        header_room: reader.u32()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_every_type_survive() {
        let values = [
            TagValue::Byte(vec![1]),
            TagValue::Ascii(b"text".to_vec()),
            TagValue::Short(vec![2, 3]),
            TagValue::Long(vec![4]),
            TagValue::Rational(vec![[72, 1]]),
            TagValue::SByte(vec![-1]),
            TagValue::Undefined(vec![0, 9]),
            TagValue::SShort(vec![-2]),
            TagValue::SLong(vec![-3]),
            TagValue::SRational(vec![[-1, 3]]),
            TagValue::Float(vec![0.5]),
            TagValue::Double(vec![-0.25]),
            TagValue::Long8(vec![u64::MAX]),
        ];
        let tags = (0u16..).zip(values).map(|(index, value)| (Tag(50_900 + index), value)).collect();
        let item = MetadataItem {
            name: "NAME".into(),
            domain: Some("DOMAIN".into()),
            sample: Some(1),
            role: Some("scale".into()),
            value: "&lt;".into(),
        };
        let metadata = Metadata { items: vec![item], tags, ..Metadata::default() };
        let mut message = Message::new(PLAN);
        put_metadata(&mut message, &metadata);
        let bytes = message.seal();
        let mut reader = Reader::open(PLAN, &bytes).unwrap();
        assert_eq!(take_metadata(&mut reader).unwrap(), metadata);
        reader.end().unwrap();
    }
}
