//! Georeferencing and metadata of some of a raster's pixels: a window, some bands, a smaller size.

use super::{GeoRef, Metadata, PixelIs, Placement};

/// The domain of rational polynomial coefficients in GDAL's metadata, and its offsets and scales of columns and rows.
const RPC_DOMAIN: &str = "RPC";

impl GeoRef {
    /// Removes the columns to the left of `column` and the rows above `row`: the other pixels stay in their place.
    pub(crate) fn crop(&mut self, column: u32, row: u32) {
        let shift = [f64::from(column), f64::from(row)];
        self.placement.shift(shift);
        if let Some(rpc) = &mut self.rpc {
            rpc.sample_offset -= shift[0];
            rpc.line_offset -= shift[1];
        }
    }

    /// Makes pixels so many times as wide and as tall: the bounds of the raster stay.
    pub(crate) fn reduce(&mut self, across: f64, down: f64) {
        let pixel_is = self.pixel_is();
        let mut geo = std::mem::take(self).with_pixel_is(PixelIs::Area);
        match &mut geo.placement {
            Placement::None => {}
            Placement::ScaleAndTiepoint { scale, tiepoints } => {
                scale[0] *= across;
                scale[1] *= down;
                reduce_points(tiepoints, across, down);
            }
            Placement::Tiepoints(tiepoints) => reduce_points(tiepoints, across, down),
            Placement::Matrix(matrix) => {
                for row in [0, 4, 8] {
                    matrix[row] *= across;
                    matrix[row + 1] *= down;
                }
            }
        }
        if let Some(rpc) = &mut geo.rpc {
            rpc.sample_offset = reduced_offset(rpc.sample_offset, across);
            rpc.line_offset = reduced_offset(rpc.line_offset, down);
            rpc.sample_scale /= across;
            rpc.line_scale /= down;
        }
        *self = geo.with_pixel_is(pixel_is);
    }

    /// Removes the conversion of samples to heights.
    pub(crate) fn drop_vertical_scale(&mut self) {
        match &mut self.placement {
            Placement::ScaleAndTiepoint { scale, tiepoints } => {
                scale[2] = 0.0;
                tiepoints.as_chunks_mut::<6>().0.iter_mut().for_each(|point| point[5] = 0.0);
            }
            Placement::Matrix(matrix) => (matrix[10], matrix[11]) = (0.0, 0.0),
            Placement::None | Placement::Tiepoints(_) => {}
        }
    }
}

/// Moves tiepoints to their positions among larger pixels.
fn reduce_points(tiepoints: &mut [f64], across: f64, down: f64) {
    for [column, row, ..] in tiepoints.as_chunks_mut::<6>().0 {
        (*column, *row) = (*column / across, *row / down);
    }
}

/// Returns an offset of rational polynomials, which count from the center of the first pixel, among larger pixels.
fn reduced_offset(offset: f64, times: f64) -> f64 {
    (offset + 0.5) / times - 0.5
}

impl Metadata {
    /// Keeps the items of these bands, in their new order; a band may appear several times.
    pub(crate) fn select_bands(&mut self, bands: &[u16]) {
        let mut items: Vec<_> = self.items.iter().filter(|item| item.sample.is_none()).cloned().collect();
        for (new, old) in (0..).zip(bands) {
            let of_band = self.items.iter().filter(|item| item.sample == Some(u32::from(*old)));
            items.extend(of_band.map(|item| super::MetadataItem { sample: Some(new), ..item.clone() }));
        }
        self.items = items;
        let colors = (0..).zip(bands).filter_map(|(new, old)| Some((new, *self.colors.get(old)?)));
        self.colors = colors.collect();
        self.bands_named = self.bands_named.min(u16::try_from(bands.len()).unwrap_or(u16::MAX));
    }

    /// Adapts items to a window: see [`GeoRef::crop`]. Statistics no longer cover the pixels.
    pub(crate) fn crop(&mut self, column: u32, row: u32) {
        self.drop_statistics();
        self.change_rpc("SAMP_OFF", |offset| offset - f64::from(column));
        self.change_rpc("LINE_OFF", |offset| offset - f64::from(row));
    }

    /// Adapts items to larger pixels: see [`GeoRef::reduce`].
    pub(crate) fn reduce(&mut self, across: f64, down: f64) {
        self.change_rpc("SAMP_OFF", |offset| reduced_offset(offset, across));
        self.change_rpc("LINE_OFF", |offset| reduced_offset(offset, down));
        self.change_rpc("SAMP_SCALE", |scale| scale / across);
        self.change_rpc("LINE_SCALE", |scale| scale / down);
    }

    /// Changes a number in the RPC domain, if it is there.
    fn change_rpc(&mut self, name: &str, change: impl Fn(f64) -> f64) {
        let is_meant =
            |item: &&mut super::MetadataItem| item.domain.as_deref() == Some(RPC_DOMAIN) && item.name == name;
        for item in self.items.iter_mut().filter(is_meant) {
            if let Ok(number) = item.value.trim().parse::<f64>() {
                item.value = super::text::shortest(change(number));
            }
        }
    }
}
