//! JSON of results (feature `serde`): the objects that the command, the Python package, and the npm package print.
//!
//! Keys are stable: new ones may appear, but none is renamed or removed. docs/command.md describes them.

use serde_core::ser::{Serialize, SerializeStruct, Serializer};

use crate::codec::{Compression, ParameterValue};
use crate::encode::{LevelLoss, LevelSummary, Summary};
use crate::statistics::BandStatistics;

/// Serializes a type as an object with these keys, in this order.
macro_rules! object {
    ($type:ident($value:ident), { $($key:literal: $field:expr,)+ }
        $(, optional { $($option:literal: $optional:expr,)+ })? $(, $last:literal: $list:expr)*) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let $value = self;
                let mut object = serializer.serialize_struct(stringify!($type), [$($key,)+ $($($option,)+)? $($last,)*].len())?;
                $(object.serialize_field($key, &$field)?;)+
                $($(match $optional {
                    None => object.skip_field($option)?,
                    Some(value) => object.serialize_field($option, &value)?,
                })+)?
                // Lists that appear only if there is something in them.
                $(if $list.is_empty() {
                    object.skip_field($last)?;
                } else {
                    object.serialize_field($last, &$list)?;
                })*
                object.end()
            }
        }
    };
}

/// Returns a number that JSON can express.
fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

/// Returns the value of a parameter that is a number.
fn integer(value: Option<ParameterValue<'_>>) -> Option<u32> {
    match value? {
        ParameterValue::Integer(number) => Some(number),
        _ => None,
    }
}

/// Returns the value of a parameter that is any number.
fn number(value: Option<ParameterValue<'_>>) -> Option<f64> {
    match value? {
        ParameterValue::Number(number) => Some(number),
        _ => None,
    }
}

object!(Summary(summary), {
    "width": summary.width,
    "height": summary.height,
    "bands": summary.bands,
    "data_type": summary.data_type.name(),
    "tile_width": summary.tile_size.width,
    "tile_height": summary.tile_size.height,
    "levels": summary.levels,
    "compression": summary.compression.name(),
    "predictor": summary.predictor.name(),
    "interleave": summary.interleave.name(),
    "resampling": summary.resampling,
    "big_tiff": summary.big_tiff,
    "spooled_bytes": summary.spooled,
    "bytes": summary.bytes,
    "uncompressed_bytes": summary.uncompressed_bytes,
}, optional {
    "overview_compression": summary.overview_compression.map(Compression::name),
    "quality": integer(summary.compression.parameter("quality")),
    "max_z_error": number(summary.compression.parameter("max-z-error")),
    "nodata_samples": Some(summary.nodata_samples).filter(|count| *count > 0),
    "masked_tiles": Some(summary.masked_tiles).filter(|count| *count > 0),
}, "statistics": summary.statistics, "warnings": summary.warnings);

object!(LevelSummary(level), {
    "width": level.width,
    "height": level.height,
    "tiles": level.tiles,
    "bytes": level.bytes,
}, optional {
    "sparse_tiles": Some(level.sparse_tiles).filter(|count| *count > 0),
    "existing": Some(true).filter(|_| level.existing),
    "loss": level.loss,
});

object!(LevelLoss(loss), {
    "tiles": loss.tiles,
    "max_error": loss.max_error,
    "psnr": loss.psnr.map(|psnr| (psnr * 1000.0).round() / 1000.0),
});

object!(BandStatistics(band), {
    "minimum": finite(band.minimum),
    "maximum": finite(band.maximum),
    "mean": finite(band.mean),
    "standard_deviation": finite(band.standard_deviation),
    "valid_percent": finite(band.valid_percent),
});

/// Results of `check`.
#[cfg(feature = "geotiff")]
mod check {
    use std::collections::BTreeMap;

    use super::*;
    use crate::check::{
        Class, Content, Finding, Info, LevelInfo, MetadataEntry, ReaderCost, Region, Report, Requests, Rule, Severity,
    };
    use crate::explain::{Advice, Explanation, Trial, TrialSample};

    object!(Info(info), {
        "bytes": info.bytes,
        "big_tiff": info.big_tiff,
        "byte_order": if info.big_endian { "big" } else { "little" },
        "gdal_layout": info.gdal_layout,
        "width": info.width,
        "height": info.height,
        "bands": info.bands,
        "data_type": info.data_type,
        "bits": info.bits,
        "color": info.color,
        // Here and below: users count bands from 1.
        "alpha_band": info.alpha.map(|band| band.saturating_add(1)),
        "interleave": info.interleave,
        "nodata": info.nodata,
        "mask": info.mask,
        "levels": info.levels,
        "other_images": info.other_images,
        "crs": info.crs,
        "crs_name": info.crs_name,
        "crs_kind": info.crs_kind,
        "vertical_crs": info.vertical_crs,
        // A slice, because an array would be a tuple in Python.
        "transform": info.transform.as_ref().map(|numbers| numbers.as_slice()),
        "pixel_is_point": info.pixel_is_point,
        "control_points": info.control_points,
        "bounds": info.bounds.map(|bounds| vec![bounds.left, bounds.bottom, bounds.right, bounds.top]),
        "metadata": info.metadata,
        "open": info.open,
        "whole_view": info.whole_view,
        "detail_view": info.detail_view,
    });

    object!(LevelInfo(level), {
        "directory": level.directory,
        "width": level.width,
        "height": level.height,
        "tiled": level.tiled,
        "tile_width": level.tile_width,
        "tile_height": level.tile_height,
        "tiles": level.tiles,
        "sparse_tiles": level.sparse_tiles,
        "compression": level.compression,
        "predictor": level.predictor,
        "bytes": level.bytes,
        "mask_bytes": level.mask_bytes,
        "uncompressed_bytes": level.uncompressed_bytes,
        "ratio": level.ratio(),
    });

    object!(MetadataEntry(item), {
        "name": item.name,
        "domain": item.domain,
        "band": item.band.map(|band| band.saturating_add(1)),
        "role": item.role,
        "value": item.value,
    });

    object!(Requests(cost), {
        "requests": cost.requests,
        "bytes": cost.bytes,
        "tiles": cost.tiles,
    });

    object!(Explanation(explanation), {
        "info": explanation.info,
        "contents": explanation.map.totals.iter().map(|(content, bytes)| Total { content: *content, bytes: *bytes })
            .collect::<Vec<_>>(),
        "padding_bytes": explanation.map.padding,
        "regions": explanation.map.regions,
        "readers": explanation.map.readers,
        "sample": explanation.sample,
        "trials": explanation.trials,
        "advice": explanation.advice,
    });

    /// Bytes of a content.
    struct Total {
        content: Content,
        bytes: u64,
    }

    object!(Total(total), {
        "content": total.content.name(),
        "level": total.content.level(),
        "bytes": total.bytes,
    });

    object!(Region(region), {
        "start": region.start,
        "end": region.end,
        "content": region.content.name(),
        "level": region.content.level(),
    });

    object!(ReaderCost(cost), {
        "reader": cost.reader,
        "block_bytes": cost.block,
        "open": cost.open,
        "views": cost.views,
    });

    object!(TrialSample(sample), {
        "windows": sample.windows.iter().map(|window| window.as_slice()).collect::<Vec<_>>(),
        "uncompressed_bytes": sample.uncompressed_bytes,
        "stored_bytes": sample.stored_bytes,
    });

    object!(Trial(trial), {
        "name": trial.name,
        "arguments": trial.arguments,
        "predictor": trial.predictor,
        "bytes": trial.bytes,
        "seconds": (trial.seconds * 1000.0).round() / 1000.0,
        "lossy": trial.lossy,
    });

    object!(Advice(advice), {
        "reason": advice.reason,
        "arguments": advice.arguments,
    });

    object!(Report(report), {
        "errors": report.count(Severity::Error),
        "warnings": report.count(Severity::Warning),
        "notes": report.count(Severity::Note),
        "directories": report.directories,
        "tiles": report.tiles,
        "tiles_decoded": report.tiles_decoded,
        "cells_compared": report.cells_compared,
        "classes": classes(report),
        "counts": report.counts,
        "findings": report.findings,
    });

    /// Returns whether the file conforms to each class; nothing if no file was checked.
    fn classes(report: &Report) -> BTreeMap<&'static str, bool> {
        let classes = Class::ALL.iter().filter(|_| report.checked);
        classes.map(|class| (class.name(), report.conforms(*class))).collect()
    }

    object!(Finding(finding), {
        "rule": finding.rule.id,
        "severity": finding.rule.severity.name(),
        "class": finding.rule.class.name(),
        "directory": finding.place.directory,
        "tile": finding.place.tile,
        "byte": finding.place.byte,
        "message": finding.message,
        "required": finding.rule.title,
        "source": finding.rule.source,
        "remedy": finding.rule.remedy,
    });

    object!(Rule(rule), {
        "id": rule.id,
        "severity": rule.severity.name(),
        "class": rule.class.name(),
        "required": rule.title,
        "source": rule.source,
        "remedy": rule.remedy,
    });
}
