//! Descriptions and validation reports of files: the fields of the command's `--json`, in camel case.

use cogsmith::Executor;
use cogsmith::check::{self, CheckOptions, Class, Depth, Finding, Info, LevelInfo, Requests, Severity};
use js_sys::Function;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::thrown;
use crate::object::{Out, Result, entries, list, number};
use crate::reader::Reader;

/// Describes a TIFF.
#[wasm_bindgen]
pub fn inspect(read: Function, length: f64) -> Result<JsValue, JsValue> {
    check::inspect(&Reader::new(read, length)).map(|info| described(&info).into()).map_err(thrown)
}

fn described(info: &Info) -> Out {
    let bounds = info.bounds.map(|bounds| list([bounds.left, bounds.bottom, bounds.right, bounds.top]));
    let items = info.metadata.iter().map(|item| {
        Out::default()
            .with("name", item.name.as_str())
            .with("domain", item.domain.as_str())
            // People count bands from 1.
            .with_option("band", item.band.map(|band| band.saturating_add(1)))
            .with("role", item.role.as_str())
            .with("value", item.value.as_str())
    });
    Out::default()
        .with("bytes", number(info.bytes))
        .with("bigTiff", info.big_tiff)
        .with("byteOrder", if info.big_endian { "big" } else { "little" })
        .with("gdalLayout", info.gdal_layout)
        .with("width", number(info.width))
        .with("height", number(info.height))
        .with("bands", number(info.bands))
        .with("dataType", info.data_type.as_str())
        .with("bits", number(info.bits))
        .with("color", info.color.as_str())
        .with_option("alphaBand", info.alpha.map(|band| number(band + 1)))
        .with("interleave", info.interleave.as_str())
        .with_option("nodata", info.nodata.as_deref())
        .with("mask", info.mask)
        .with("levels", list(info.levels.iter().map(level)))
        .with("otherImages", number(info.other_images as u64))
        .with_option("crs", info.crs.as_deref())
        .with_option("crsName", info.crs_name.as_deref())
        .with_option("crsKind", info.crs_kind.as_deref())
        .with_option("verticalCrs", info.vertical_crs.as_deref())
        .with_option("transform", info.transform.map(list))
        .with("pixelIsPoint", info.pixel_is_point)
        .with("controlPoints", number(info.control_points as u64))
        .with_option("bounds", bounds)
        .with("metadata", list(items))
        .with("open", requests(info.open))
        .with("wholeView", requests(info.whole_view))
        .with("detailView", requests(info.detail_view))
}

fn level(level: &LevelInfo) -> Out {
    Out::default()
        .with("directory", number(level.directory as u64))
        .with("width", number(level.width))
        .with("height", number(level.height))
        .with("tiled", level.tiled)
        .with("tileWidth", number(level.tile_width))
        .with("tileHeight", number(level.tile_height))
        .with("tiles", number(level.tiles))
        .with("sparseTiles", number(level.sparse_tiles))
        .with("compression", level.compression.as_str())
        .with("predictor", level.predictor.as_str())
        .with("bytes", number(level.bytes))
        .with("maskBytes", number(level.mask_bytes))
        .with("uncompressedBytes", number(level.uncompressed_bytes))
}

fn requests(cost: Requests) -> Out {
    Out::default()
        .with("requests", number(cost.requests))
        .with("bytes", number(cost.bytes))
        .with("tiles", number(cost.tiles))
}

/// Validates a file.
#[wasm_bindgen]
pub fn validate(read: Function, length: f64, options: &JsValue) -> Result<JsValue, JsValue> {
    let judge = || -> Result<Out> {
        let (mut strict, mut depth) = (false, Depth::Full);
        for given in entries(options, "options", &["strict", "quick"])? {
            match (given.option(), given.flag()?) {
                ("strict", flag) => strict = flag,
                (_, true) => depth = Depth::Quick,
                (_, false) => {}
            }
        }
        let options = CheckOptions::full().depth(depth);
        let report = check::validate(&Reader::new(read, length), &options, &Executor::serial())?;
        let classes =
            Class::ALL.iter().fold(Out::default(), |out, class| out.with(class.name(), report.conforms(*class)));
        let counts = report.counts.iter().fold(Out::default(), |out, (rule, count)| out.with(rule, number(*count)));
        Ok(Out::default()
            .with("valid", report.is_valid(strict))
            .with("strict", strict)
            .with("quick", depth == Depth::Quick)
            .with("errors", number(report.count(Severity::Error)))
            .with("warnings", number(report.count(Severity::Warning)))
            .with("notes", number(report.count(Severity::Note)))
            .with("directories", number(report.directories as u64))
            .with("tiles", number(report.tiles))
            .with("tilesDecoded", number(report.tiles_decoded))
            .with("cellsCompared", number(report.cells_compared))
            .with("classes", classes)
            .with("counts", counts)
            .with("findings", list(report.findings.iter().map(finding))))
    };
    judge().map(JsValue::from).map_err(thrown)
}

fn finding(finding: &Finding) -> Out {
    let (rule, place) = (finding.rule, finding.place);
    Out::default()
        .with("rule", rule.id)
        .with("severity", rule.severity.name())
        .with("class", rule.class.name())
        .with_option("directory", place.directory.map(|directory| number(directory as u64)))
        .with_option("tile", place.tile.map(number))
        .with_option("byte", place.byte.map(number))
        .with("message", finding.message.as_str())
        .with("required", rule.title)
        .with("source", rule.source)
        .with("remedy", rule.remedy)
}
