//! Merging of auxiliary metadata into the metadata of a raster.

use super::super::overridden::same_nodata;
use super::Described;
use super::parse::{Band, CrsText, GcpList, Item, Pam};
use super::rpc;
use crate::geo::{Crs, GeoKeys, GeoRef, Metadata, PixelIs, Placement, Transform, colors};
use crate::sample::{Nodata, SampleKind};
use crate::spec::{ImageSpec, Photometric};
use crate::tiff::Tag;

/// Domains that describe the storage of the raster itself, or that GDAL computes.
const NOT_MERGED: [&str; 3] = ["IMAGE_STRUCTURE", "SUBDATASETS", "DERIVED_SUBDATASETS"];

/// A merge in progress, and its result.
pub(super) struct Merge<'a> {
    spec: &'a mut ImageSpec,
    geo: &'a mut GeoRef,
    metadata: &'a mut Metadata,
    /// Values of the raster that were replaced.
    pub(super) replaced: Vec<String>,
    /// Values that cannot be used.
    pub(super) unusable: Vec<String>,
}

impl<'a> Merge<'a> {
    /// Merges all fields into the source.
    pub(super) fn of((spec, geo, metadata): Described<'a>, pam: Pam) -> Self {
        let mut merge = Self { spec, geo, metadata, replaced: Vec::new(), unusable: pam.unusable };
        merge.place(pam.crs, pam.transform, pam.gcps);
        let mut of_bands = vec![None; usize::from(merge.spec.bands)];
        for (&number, band) in &pam.bands {
            if let Some(nodata) = of_bands.get_mut(usize::from(number)) {
                *nodata = band.nodata;
            }
        }
        merge.nodata(&of_bands);
        merge.colors(&pam.bands);
        // Items may include statistics, which match this file's nodata value and alpha band, so they come last.
        merge.items(&pam.items);
        for (&number, band) in &pam.bands {
            merge.band(number, band);
        }
        merge
    }

    fn place(&mut self, crs: Option<CrsText>, transform: Option<[f64; 6]>, gcps: Option<GcpList>) {
        let transform = transform.and_then(|numbers| {
            let made = Transform::from_gdal(numbers);
            made.map_err(|error| self.unusable.push(format!("the GeoTransform: {}", error.reason()))).ok()
        });
        let (mut gcps, mut crs) = (gcps, crs);
        if let (Some(_), Some(list)) = (transform, &mut gcps) {
            self.unusable.push(
                "ground control points, because there is a transform, and a GeoTIFF can hold only one".to_owned(),
            );
            crs = crs.or(list.crs.take());
            gcps = None;
        }
        match gcps {
            Some(list) => {
                // Control points bring their own CRS; as in GDAL, without one the raster has none either.
                let crs = list.crs.or(crs);
                if crs.is_none() && self.geo.keys().is_some_and(has_crs) {
                    self.replaced.push("CRS (with none, because the ground control points have none)".to_owned());
                    let pixel_is = self.geo.pixel_is();
                    self.geo.keys = None;
                    *self.geo = std::mem::take(self.geo).with_pixel_is(pixel_is);
                }
                self.crs(crs);
                match self.geo.clone().with_gcps(&list.points) {
                    Ok(geo) => {
                        if geo.placement != self.geo.placement {
                            self.replaced_placement();
                        }
                        *self.geo = geo;
                    }
                    Err(error) => self.unusable.push(format!("ground control points: {}", error.reason())),
                }
            }
            None => self.crs(crs),
        }
        if let Some(transform) = transform
            && self.geo.transform() != Some(transform)
        {
            self.replaced_placement();
            let heights = heights(&self.geo.placement);
            *self.geo = std::mem::take(self.geo).with_transform(transform);
            // GDAL reads the scale and offset of heights from the tags before it reads this file.
            if let Some((scale, offset)) = heights {
                let geo = self.geo.clone();
                *self.geo = geo.clone().with_vertical_scale(scale, offset).unwrap_or(geo);
            }
        }
    }

    fn replaced_placement(&mut self) {
        match self.geo.placement {
            Placement::None => {}
            Placement::Tiepoints(_) => self.replaced.push("ground control points".to_owned()),
            _ => self.replaced.push("transform".to_owned()),
        }
    }

    fn crs(&mut self, text: Option<CrsText>) {
        let Some(CrsText { definition, epoch }) = text else { return };
        let crs = Crs::parse(&definition).and_then(|crs| match epoch {
            Some(epoch) => crs.with_coordinate_epoch(epoch),
            None => Ok(crs),
        });
        // GDAL stores in the citation what keys cannot express.
        match crs.and_then(|crs| self.geo.clone().with_crs(&crs.with_wkt_citation(true))) {
            Ok(geo) => match (self.geo.keys(), geo.keys()) {
                (Some(old), Some(new)) if same_crs(old, new) => {}
                (old, _) => {
                    if old.is_some_and(has_crs) {
                        self.replaced.push("CRS".to_owned());
                    }
                    *self.geo = geo;
                }
            },
            Err(error) => self.unusable.push(format!("the CRS: {}", error.reason())),
        }
    }

    /// Applies the nodata value of the first band, as in GDAL: a GeoTIFF has only one.
    fn nodata(&mut self, of_bands: &[Option<Nodata>]) {
        let own = self.spec.nodata;
        if of_bands.iter().all(Option::is_none) {
            return;
        }
        let effective = |index: usize| of_bands.get(index).copied().flatten().or(own);
        let first = effective(0);
        for index in 1..of_bands.len() {
            // If all bands have a value, GDAL writes only that of the first band.
            if let Some(value) = effective(index).filter(|value| !same_nodata(Some(*value), first)) {
                let (value, reason) = (value.as_f64(), "because a GeoTIFF has only that of the first band");
                self.unusable.push(format!("the nodata value {value} (band {}), {reason}", index + 1));
            }
        }
        if same_nodata(first, own) {
            return;
        }
        if let (Some(own), Some(first)) = (own, first) {
            self.replaced.push(format!("nodata ({} with {})", own.as_f64(), first.as_f64()));
        }
        self.spec.nodata = first;
        self.metadata.drop_statistics();
    }

    fn colors(&mut self, bands: &std::collections::BTreeMap<u16, Band>) {
        for (&number, band) in bands {
            if let Some(table) = &band.color_table {
                match self.color_map(number, table) {
                    Ok(map) => {
                        if self.spec.has_color_map() && self.spec.color_map != map {
                            self.replaced.push("color table".to_owned());
                        }
                        (self.spec.color_map, self.spec.photometric) = (map, Photometric::Palette);
                        self.metadata.items.retain(|item| !(item.sample == Some(0) && is_color(item.role.as_deref())));
                        if table.iter().any(|[_, _, _, alpha]| *alpha != 255) {
                            self.unusable.push("alpha of the color table, which a GeoTIFF cannot hold".to_owned());
                        }
                    }
                    Err(reason) => self.unusable.push(format!("the color table (band {}): {reason}", number + 1)),
                }
            }
        }
        let (mut spec, mut metadata) = (self.spec.clone(), self.metadata.clone());
        for (&number, color) in bands.iter().filter_map(|(number, band)| Some((number, band.color.as_ref()?))) {
            metadata.set_color_interpretation(number, *color);
        }
        let (photometric, was_said) =
            (spec.photometric, metadata.items.iter().any(|item| is_color(item.role.as_deref())));
        match colors::settle(&mut spec, &mut metadata) {
            Ok(()) => {
                if spec.photometric != photometric && photometric != Photometric::MinIsBlack || was_said {
                    let changed = metadata.items != self.metadata.items || spec != *self.spec;
                    self.replaced.extend(changed.then(|| "color interpretation".to_owned()));
                }
                (*self.spec, *self.metadata) = (spec, metadata);
            }
            Err(error) => self.unusable.push(format!("the color interpretation: {}", error.reason())),
        }
    }

    /// Converts a color table to a TIFF color map.
    fn color_map(&self, band: u16, table: &[[u8; 4]]) -> Result<Vec<u16>, String> {
        let bits = self.spec.bits();
        if band > 0 {
            return Err("a GeoTIFF can hold only that of the first band".to_owned());
        }
        if self.spec.data_type.kind() != SampleKind::Unsigned || bits > 16 || self.spec.photometric.color_bands() != 1 {
            return Err("it needs an image with a single color band of unsigned samples of at most 16 bits".to_owned());
        }
        let entries = 1usize << bits;
        if table.len() > entries {
            return Err(format!(
                "it has {} entries, but samples of {bits} bits have only {entries} values",
                table.len()
            ));
        }
        let component = |index: usize| {
            let given = table.iter().map(move |entry| u16::from(entry.get(index).copied().unwrap_or(0)) * 257);
            given.chain(std::iter::repeat(0)).take(entries)
        };
        Ok((0..3).flat_map(component).collect())
    }

    /// Merges the items of the whole raster.
    fn items(&mut self, items: &[Item]) {
        for item in items {
            match item.domain.to_ascii_uppercase().as_str() {
                "" if item.key.eq_ignore_ascii_case("AREA_OR_POINT") => {
                    let pixel_is =
                        if item.value.eq_ignore_ascii_case("point") { PixelIs::Point } else { PixelIs::Area };
                    *self.geo = std::mem::take(self.geo).with_pixel_is(pixel_is);
                }
                "" if item.key.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("TIFFTAG_")) => {
                    match self.metadata.merge_text(&item.key, &item.value) {
                        Some(old) => self.replaced.extend(old.map(|_| item.key.clone())),
                        None => self.unusable.push(item.key.clone()),
                    }
                }
                "RPC" => {}
                "COLOR_PROFILE" => {
                    if !self.unusable.iter().any(|what| what == "the color profile") {
                        self.unusable.push("the color profile".to_owned());
                    }
                }
                "XML:XMP" if self.metadata.has_tag(Tag::XMP) => {
                    self.unusable.push("xml:XMP, which the file itself has".to_owned());
                }
                "XML:XMP" => self.metadata.set_xmp(&item.value),
                _ => self.item(None, item),
            }
        }
        let coefficients: Vec<&Item> = items.iter().filter(|item| item.domain.eq_ignore_ascii_case("RPC")).collect();
        // In GDAL, the raster's own RPC tag takes precedence.
        if !coefficients.is_empty() && self.geo.rpc().is_none() {
            let read = rpc::read(&coefficients).map_err(|name| format!("{name} is missing or invalid"));
            match read.and_then(|rpc| self.geo.clone().with_rpc(rpc).map_err(|error| error.reason())) {
                Ok(geo) => *self.geo = geo,
                Err(reason) => self.unusable.push(format!("RPC, where {reason}")),
            }
        }
    }

    /// Merges an item of a band, or of the whole raster in a domain without a special meaning.
    fn item(&mut self, band: Option<u16>, item: &Item) {
        let domain = Some(item.domain.as_str()).filter(|domain| !domain.is_empty());
        if domain.is_some_and(|domain| NOT_MERGED.iter().any(|other| other.eq_ignore_ascii_case(domain))) {
            return;
        }
        let is_document = domain.is_some_and(|domain| {
            ["xml:", "json:"]
                .iter()
                .any(|start| domain.get(..start.len()).is_some_and(|own| own.eq_ignore_ascii_case(start)))
        });
        // GDAL merges name-value pairs; documents have none.
        if let Some(domain) = domain.filter(|domain| is_document && self.metadata.has_domain(domain, band)) {
            self.unusable.push(format!("{domain}, which the file itself has"));
            return;
        }
        let name = || match band {
            Some(band) => format!("{} (band {})", item.key, band + 1),
            None => item.key.clone(),
        };
        match self.metadata.merge_item(domain, band, &item.key, &item.value) {
            Ok(old) => self.replaced.extend(old.map(|_| name())),
            Err(error) => self.unusable.push(format!("{}: {}", name(), error.reason())),
        }
    }

    fn band(&mut self, number: u16, band: &Band) {
        let (metadata, shown) = (&mut *self.metadata, u32::from(number) + 1);
        let mut replaced = |what: &str, old: Option<String>, new: &str| {
            if old.is_some_and(|old| old != new) {
                self.replaced.push(format!("{what} (band {shown})"));
            }
        };
        let mut set = Vec::new();
        if let Some(description) = &band.description {
            replaced("description", metadata.description(number), description);
            set.push(metadata.set_description(number, description));
        }
        if let Some(unit) = &band.unit {
            replaced("unit", metadata.unit(number), unit);
            set.push(metadata.set_unit(number, unit));
        }
        if let Some((scale, offset)) = band.quantity {
            let (old_scale, old_offset) = (metadata.scale(number), metadata.offset(number));
            let is_default = |value: f64, default: f64| value.to_bits() == default.to_bits();
            let own = !(is_default(old_scale, 1.0) && is_default(old_offset, 0.0));
            let old = own.then(|| format!("{old_scale} {old_offset}"));
            replaced("scale and offset", old, &format!("{scale} {offset}"));
            set.push(metadata.set_scale(number, scale).and_then(|()| metadata.set_offset(number, offset)));
            // Heights have their scale and offset in the transform, which takes precedence in readers.
            if self.spec.bands == 1
                && self.geo.keys().is_some_and(GeoKeys::is_vertical)
                && self.geo.transform().is_some()
            {
                match self.geo.clone().with_vertical_scale(scale, offset) {
                    Ok(geo) => *self.geo = geo,
                    Err(error) => set.push(Err(error)),
                }
            }
        }
        for error in set.into_iter().filter_map(Result::err) {
            self.unusable.push(format!("{} (band {shown})", error.reason()));
        }
        for item in &band.items {
            self.item(Some(number), item);
        }
    }
}

fn is_color(role: Option<&str>) -> bool {
    role == Some("colorinterp")
}

/// Returns the scale and offset of heights, from the z of scale and tiepoint.
fn heights(placement: &Placement) -> Option<(f64, f64)> {
    match placement {
        Placement::ScaleAndTiepoint { scale: [_, _, scale], tiepoints } if *scale != 0.0 => {
            let &[_, _, from, _, _, to] = tiepoints.first_chunk::<6>()?;
            Some((*scale, to - from * scale))
        }
        _ => None,
    }
}

/// GeoKeys of the model type, of the codes of horizontal and vertical systems, and of the coordinate epoch (GeoTIFF 1.1
/// section 7; the epoch is GDAL's).
const MODEL_TYPE: u16 = 1024;
const GEODETIC: u16 = 2048;
const PROJECTED: u16 = 3072;
const VERTICAL: u16 = 4096;
const EPOCH: u16 = 5120;
/// The code of a system that is defined by other keys.
const USER_DEFINED: u16 = 32767;

/// Returns true if keys name a system, not only the raster type.
fn has_crs(keys: &GeoKeys) -> bool {
    [GEODETIC, PROJECTED].iter().any(|key| keys.short(*key).is_some_and(|code| code != 0))
        || keys.short(MODEL_TYPE).is_some_and(|model| !matches!(model, 0 | USER_DEFINED))
}

/// Returns true if keys name the same system by its code. Citations and redundant keys may differ.
fn same_crs(old: &GeoKeys, new: &GeoKeys) -> bool {
    let code = |keys: &GeoKeys| {
        let code = keys.short(PROJECTED).or(keys.short(GEODETIC)).filter(|code| !matches!(*code, 0 | USER_DEFINED))?;
        let vertical = keys.short(VERTICAL).unwrap_or(0);
        let epoch = keys.directory.chunks_exact(4).skip(1).find(|entry| entry.first() == Some(&EPOCH));
        let epoch = epoch.and_then(|entry| keys.doubles.get(usize::from(*entry.get(3)?))).map(|epoch| epoch.to_bits());
        (vertical != USER_DEFINED).then_some((keys.short(PROJECTED).is_some(), code, vertical, epoch))
    };
    old == new || code(old).is_some_and(|old| code(new) == Some(old))
}
