//! GDAL's persistent auxiliary metadata (PAM): the `.aux.xml` file next to a raster.
//!
//! It takes precedence over the raster itself, field by field, as in GDAL (`ApplyPamInfo` in its GeoTIFF driver);
//! `tests/judges/auxiliary.py` compares the two.

mod merge;
mod parse;
mod rpc;

use std::path::{Path, PathBuf};

use self::merge::Merge;
use self::parse::Pam;
use super::file::bounded_text;
use crate::geo::{GeoRef, Metadata};
use crate::spec::ImageSpec;

/// Maximum size of an `.aux.xml` file; attribute tables and histograms make them long.
const MAX_LEN: usize = 64 << 20;
/// Maximum number of list entries in a warning.
const MAX_NAMED: usize = 12;

/// Spec, georeferencing, and metadata of a raster, to be amended.
pub(super) type Described<'a> = (&'a mut ImageSpec, &'a mut GeoRef, &'a mut Metadata);

/// Applies the `.aux.xml` file next to a raster, if there is one, and warns about what it overrides and what cannot be used.
pub(super) fn read_aux(raster: &Path, described: Described<'_>, warnings: &mut Vec<String>) {
    let mut path = raster.as_os_str().to_owned();
    path.push(".aux.xml");
    let path = PathBuf::from(path);
    let parsed = match bounded_text(&path, MAX_LEN) {
        Ok(None) => return,
        Ok(Some(text)) => Pam::parse(&text, described.0.bands, described.0.data_type),
        Err(reason) => Err(reason),
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    match parsed {
        Err(reason) => warnings.push(format!("'{name}' is ignored: {reason}")),
        Ok(pam) => {
            let Merge { replaced, unusable, .. } = Merge::of(described, pam);
            if !replaced.is_empty() {
                warnings.push(format!("'{name}' overrides what the raster itself says: {}", list(&replaced)));
            }
            if !unusable.is_empty() {
                warnings.push(format!("'{name}' is only partly used; left out: {}", list(&unusable)));
            }
        }
    }
}

/// Reads georeferencing and metadata from the root element of a VRT file, which has the form of auxiliary metadata. Returns
/// the values that cannot be used.
#[cfg(feature = "mosaic")]
pub(crate) fn describe(
    root: roxmltree::Node<'_, '_>,
    spec: &mut ImageSpec,
    geo: &mut GeoRef,
    metadata: &mut Metadata,
) -> Option<String> {
    let pam = Pam::of_vrt(root, spec.bands, spec.data_type);
    let unusable = Merge::of((spec, geo, metadata), pam).unusable;
    (!unusable.is_empty()).then(|| list(&unusable))
}

/// Joins the first entries, and the number of further ones.
fn list(entries: &[String]) -> String {
    let named = entries.get(..MAX_NAMED).unwrap_or(entries);
    let more = entries.len() - named.len();
    let text = named.join("; ");
    if more == 0 { text } else { format!("{text}; and {more} more") }
}

/// Texts from careless or hostile programs; `tests/judges/auxiliary.py` has valid ones.
#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{DataType, Nodata};
    use crate::source::RasterSource as _;
    use crate::source::geotiff::GeoTiffSource;
    use crate::source::geotiff::tests::gray;

    fn parse(text: &str) -> Result<Pam, String> {
        Pam::parse(text, 2, DataType::U8)
    }

    #[test]
    fn values_that_make_no_sense_are_named_and_left_out() {
        for (text, expected) in [
            ("<GeoTransform>1,a,0,4,0,5</GeoTransform>", "not six numbers"),
            ("<SRS dataAxisToSRSAxisMapping=\"-1,2\">EPSG:4326</SRS>", "axis mapping '-1,2'"),
            ("<GCPList><GCP Pixel=\"x\" Line=\"0\" X=\"0\" Y=\"0\"/></GCPList>", "ground control points"),
            ("<PAMRasterBand band=\"3\"><Scale>2</Scale></PAMRasterBand>", "band '3', of 2"),
            ("<PAMRasterBand band=\"1\"><Scale>0</Scale></PAMRasterBand>", "a scale of 0"),
            ("<PAMRasterBand band=\"1\"><Scale>inf</Scale></PAMRasterBand>", "not finite"),
            (
                "<PAMRasterBand band=\"2\"><NoDataValue>junk</NoDataValue></PAMRasterBand>",
                "'junk', which is not a number (band 2)",
            ),
            (
                "<PAMRasterBand band=\"2\"><ColorInterp>Puce</ColorInterp></PAMRasterBand>",
                "'Puce', which is unknown (band 2)",
            ),
            ("<PAMRasterBand band=\"1\"><Histograms/></PAMRasterBand>", "histograms"),
            ("<PAMRasterBand band=\"1\"><GDALRasterAttributeTable/></PAMRasterBand>", "attribute table"),
            ("<Array name=\"x\"/>", "multidimensional"),
        ] {
            let pam = parse(&format!("<PAMDataset>{text}</PAMDataset>")).unwrap();
            assert!(pam.unusable.len() == 1 && pam.unusable[0].contains(expected), "{text}: {:?}", pam.unusable);
            assert!(pam.transform.is_none() && pam.gcps.is_none(), "{text}");
            assert!(pam.bands.values().all(|band| band.quantity.is_none() && band.nodata.is_none()), "{text}");
        }
        assert!(parse("<Other/>").unwrap_err().contains("'Other'"));
        assert!(parse("<PAMDataset>").is_err());
    }

    #[test]
    fn nodata_is_exact() {
        let band = |text: &str, data_type| {
            let text = format!("<PAMDataset><PAMRasterBand band=\"1\">{text}</PAMRasterBand></PAMDataset>");
            Pam::parse(&text, 1, data_type).unwrap().bands[&0].nodata.unwrap()
        };
        let hexadecimal = "<NoDataValue le_hex_equiv=\"000000E0FFFFEFC7\">-3.40282346638529E+38</NoDataValue>";
        assert_eq!(band(hexadecimal, DataType::F32).as_f64(), f64::from(f32::MIN));
        let wide = "<NoDataValue>-9007199254740993</NoDataValue>";
        assert_eq!(band(wide, DataType::I64), Nodata::from(-9_007_199_254_740_993_i64));
        assert_eq!(band(wide, DataType::F64).as_f64(), -9_007_199_254_740_992.0);
    }

    #[test]
    fn what_a_caller_cannot_use_does_not_stop_it() {
        let folder = tempfile::tempdir().unwrap();
        let raster = folder.path().join("a.tif");
        std::fs::write(&raster, gray(4, 4)).unwrap();
        let opened = |text: &str| {
            std::fs::write(folder.path().join("a.tif.aux.xml"), text).unwrap();
            let source = GeoTiffSource::open(&raster, &crate::source::geotiff::ReadOptions::default()).unwrap();
            (source.geo().is_empty(), source.warnings().to_vec())
        };
        for (inside, expected) in [
            ("<SRS>junk</SRS>", "the CRS: "),
            ("<GeoTransform>0,0,0,0,0,0</GeoTransform>", "no area"),
            (
                "<PAMRasterBand band=\"1\"><ColorInterp>Alpha</ColorInterp></PAMRasterBand>",
                "the color interpretation: ",
            ),
            (
                "<PAMRasterBand band=\"1\"><ColorInterp>Palette</ColorInterp></PAMRasterBand>",
                "the color interpretation: ",
            ),
            ("<Metadata domain=\"RPC\"><MDI key=\"LINE_OFF\">1</MDI></Metadata>", "RPC, where SAMP_OFF is missing"),
            (
                "<Metadata domain=\"COLOR_PROFILE\"><MDI key=\"A\">1</MDI><MDI key=\"B\">1</MDI></Metadata>",
                "the color profile",
            ),
            ("<Metadata><MDI key=\"TIFFTAG_XRESOLUTION\">1</MDI></Metadata>", "TIFFTAG_XRESOLUTION"),
        ] {
            let (is_empty, warnings) = opened(&format!("<PAMDataset>{inside}</PAMDataset>"));
            assert!(is_empty, "{inside}");
            assert!(warnings.len() == 1 && warnings[0].contains(expected), "{inside}: {warnings:?}");
        }
        let many: String = (0..40).map(|_| "<PAMRasterBand band=\"9\"/>").collect();
        let (_, warnings) = opened(&format!("<PAMDataset>{many}</PAMDataset>"));
        assert!(warnings[0].ends_with("and 28 more"), "{warnings:?}");
    }
}
