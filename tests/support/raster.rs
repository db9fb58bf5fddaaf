//! Small rasters and their overviews, as pixels.

use std::io::Read;

use cogsmith::{
    CogPlan, Compression, EncodeOptions, ExtraSample, GeoRef, ImageSpec, Metadata, Nodata, Overviews, Photometric,
    Predictor, Resampling, Sample, SliceSource, TileSize, encode_to_vec,
};

use super::parse::{Ifd, Tiff};

/// One tile holds every level, so that levels are easily read.
const TILE: usize = 256;

/// An image of one or more bands, (row, column, band), and what makes pixels of it missing.
#[derive(Clone)]
pub struct Image<T> {
    pub width: usize,
    pub height: usize,
    pub bands: usize,
    pub pixels: Vec<T>,
    pub mask: Option<Vec<u8>>,
    pub nodata: Option<Nodata>,
    pub alpha: Option<ExtraSample>,
}

/// A level: pixels, and which of them are valid by the mask.
#[derive(Debug, PartialEq)]
pub struct Level<T> {
    pub width: usize,
    pub height: usize,
    pub pixels: Vec<T>,
    pub mask: Option<Vec<bool>>,
}

impl<T: Sample> Image<T> {
    pub fn new(width: usize, height: usize, pixel: impl Fn(usize, usize) -> T) -> Self {
        let pixels = (0..height).flat_map(|row| (0..width).map(move |column| (row, column)));
        let pixels = pixels.map(|(row, column)| pixel(row, column)).collect();
        Self { width, height, bands: 1, pixels, mask: None, nodata: None, alpha: None }
    }

    pub fn nodata(self, nodata: f64) -> Self {
        Self { nodata: Some(nodata.into()), ..self }
    }

    pub fn mask(self, valid: impl Fn(usize, usize) -> bool) -> Self {
        let places = (0..self.height).flat_map(|row| (0..self.width).map(move |column| (row, column)));
        let mask = places.map(|(row, column)| u8::from(valid(row, column))).collect();
        Self { mask: Some(mask), ..self }
    }

    pub fn turned(&self) -> Self {
        let mask = self.mask.as_ref().map(|mask| mask.iter().rev().copied().collect());
        Self { pixels: self.pixels.iter().rev().copied().collect(), mask, ..self.clone() }
    }

    /// All levels, full resolution first.
    pub fn levels(&self, resampling: &[Resampling], count: u32) -> Vec<Level<T>> {
        let mut spec =
            ImageSpec::new(self.width as u32, self.height as u32, u16::try_from(self.bands).unwrap(), T::DATA_TYPE);
        spec.nodata = self.nodata;
        spec.mask = self.mask.is_some();
        spec.photometric = Photometric::MinIsBlack;
        spec.extra_samples = vec![ExtraSample::Unspecified; self.bands - 1];
        if let Some(kind) = self.alpha {
            // The last band.
            spec.extra_samples[self.bands - 2] = kind;
        }
        let one = (resampling.len() == 1).then(|| resampling[0]);
        let options = EncodeOptions::new()
            .compression(Compression::None)
            .predictor(Predictor::None)
            .tile_size(TileSize::square(TILE as u32))
            .overviews(Overviews::Count(count))
            .resampling(one)
            .band_resampling(if one.is_some() { Vec::new() } else { resampling.to_vec() });
        let plan = CogPlan::new(&spec, &GeoRef::default(), &Metadata::default(), &options).unwrap();
        let mut source = SliceSource::new(spec, &self.pixels).unwrap();
        if let Some(mask) = &self.mask {
            source = source.with_mask(mask).unwrap();
        }
        let file = encode_to_vec(&mut source, &plan).unwrap();
        let tiff = Tiff::parse(&file);
        let tile = |ifd: &Ifd| {
            let [start, size] = [324, 325].map(|tag| usize::try_from(ifd.number(tag)).unwrap());
            &file[start..start + size]
        };
        let masks: Vec<_> = tiff.ifds.iter().filter(|ifd| ifd.is_mask()).collect();
        let images = tiff.ifds.iter().filter(|ifd| !ifd.is_mask()).enumerate();
        images
            .map(|(index, ifd)| {
                let [width, height] = [256, 257].map(|tag| usize::try_from(ifd.number(tag)).unwrap());
                let samples: Vec<T> =
                    tile(ifd).chunks_exact(size_of::<T>()).map(bytemuck::pod_read_unaligned).collect();
                let rows = samples.chunks(TILE * self.bands).take(height);
                let pixels = rows.flat_map(|row| row[..width * self.bands].to_vec()).collect();
                let mask = masks.get(index).map(|ifd| {
                    let mut bits = Vec::new();
                    flate2::read::ZlibDecoder::new(tile(ifd)).read_to_end(&mut bits).unwrap();
                    let places = (0..height).flat_map(|row| (0..width).map(move |column| (row, column)));
                    places
                        .map(|(row, column)| bits[row * TILE / 8 + column / 8] & (0x80 >> (column % 8)) != 0)
                        .collect()
                });
                Level { width, height, pixels, mask }
            })
            .collect()
    }

    pub fn overview(&self, resampling: Resampling) -> Level<T> {
        self.levels(&[resampling], 1).remove(1)
    }
}
