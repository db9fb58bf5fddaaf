//! Parser for VRT files: sources and their rectangles, checked before anything is opened.

use roxmltree::Node;

use crate::grid::Rectangle;
use crate::sample::{DataType, Nodata};
use crate::xml::{attribute, child, children, is};

/// Distance from whole pixels that is ignored, as elsewhere in GDAL.
const TOLERANCE: f64 = 0.001;

/// The pixels of a VRT file. Georeferencing and metadata are read by the parser of auxiliary metadata.
#[derive(Debug)]
pub(super) struct Vrt {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) data_type: DataType,
    pub(super) bands: Vec<Band>,
    /// The sources of the mask of all bands.
    pub(super) mask: Option<Vec<Source>>,
}

/// A band: its nodata value and sources, the last one on top.
#[derive(Debug)]
pub(super) struct Band {
    pub(super) nodata: Option<Nodata>,
    pub(super) sources: Vec<Source>,
}

/// A part of a band of another file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Source {
    /// Counted from 0; `None` for its mask.
    pub(super) band: Option<u16>,
    pub(super) part: Part,
}

/// A part of a file, whatever the band.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Part {
    pub(super) name: String,
    /// True if the name is relative to the folder of the VRT file.
    pub(super) is_relative: bool,
    /// Column, row, width, and height in the file; `None` for all of it.
    pub(super) from: Option<[f64; 4]>,
    /// The same in the VRT; `None` for all of it.
    pub(super) to: Option<[f64; 4]>,
    pub(super) values: Values,
}

/// The way in which values are taken.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Values {
    /// Samples that are left out.
    pub(super) nodata: Option<Nodata>,
    /// True if masked pixels are left out.
    pub(super) use_mask: bool,
    /// Scale and offset.
    pub(super) linear: Option<(f64, f64)>,
    /// Pairs of values and what they become, in ascending order.
    pub(super) table: Vec<(f64, f64)>,
}

impl Values {
    /// Returns whether values change, apart from their type.
    pub(super) fn changes(&self) -> bool {
        self.linear.is_some() || !self.table.is_empty()
    }
}

impl Vrt {
    /// Parses the root element of a document.
    ///
    /// # Errors
    /// A feature that is not supported, or what is missing, as a clause.
    pub(super) fn parse(root: Node<'_, '_>) -> Result<Self, Refusal> {
        if !is(root, "VRTDataset") {
            return Err(Refusal::Damaged(format!(
                "its root element is '{}', not 'VRTDataset'",
                root.tag_name().name()
            )));
        }
        if let Some(class) = attribute(root, "subClass") {
            return Err(Refusal::Unsupported(format!("a VRT of class {class}")));
        }
        for element in ["GDALWarpOptions", "PansharpeningOptions", "ProcessingSteps", "Group"] {
            if child(root, element).is_some() {
                return Err(Refusal::Unsupported(format!("<{element}> in a VRT")));
            }
        }
        let (width, height) = (side(root, "rasterXSize")?, side(root, "rasterYSize")?);
        let mut types = Vec::new();
        let mut bands = Vec::new();
        for node in children(root, "VRTRasterBand") {
            let (data_type, band) = band(node)?;
            types.push(data_type);
            bands.push(band);
        }
        let Some(&data_type) = types.first() else { return Err(Refusal::Damaged("it has no bands".into())) };
        if let Some(other) = types.iter().find(|other| **other != data_type) {
            return Err(Refusal::Unsupported(format!("a VRT with bands of types {data_type} and {other}")));
        }
        let mask = match child(root, "MaskBand").and_then(|node| child(node, "VRTRasterBand")) {
            Some(node) => Some(band_sources(node)?),
            None => None,
        };
        if let Some(node) = children(root, "VRTRasterBand").find_map(|node| child(node, "MaskBand")) {
            let number = node.parent_element().and_then(|band| attribute(band, "band")).unwrap_or("?");
            return Err(Refusal::Unsupported(format!("a mask of a single band (band {number}) in a VRT")));
        }
        Ok(Self { width, height, data_type, bands, mask })
    }
}

/// The reason that a VRT file is not read.
#[derive(Debug, PartialEq)]
pub(super) enum Refusal {
    Damaged(String),
    Unsupported(String),
}

fn side(root: Node<'_, '_>, name: &str) -> Result<u32, Refusal> {
    let text = attribute(root, name).unwrap_or_default();
    let side = text.trim().parse::<u32>().ok().filter(|side| *side > 0 && i32::try_from(*side).is_ok());
    side.ok_or_else(|| Refusal::Damaged(format!("{name} is '{text}', not a number of pixels")))
}

fn band(node: Node<'_, '_>) -> Result<(DataType, Band), Refusal> {
    let name = attribute(node, "dataType").unwrap_or("Byte");
    let data_type = name.parse().map_err(|_| Refusal::Unsupported(format!("data type {name} in a VRT")))?;
    let nodata = child(node, "NoDataValue").and_then(|node| Nodata::parse(text(node)));
    // A value that no sample can have is of no effect.
    let nodata = nodata.filter(|nodata| nodata.misfit(data_type).is_none());
    Ok((data_type, Band { nodata, sources: band_sources(node)? }))
}

/// Reads the sources of a band, or of a mask.
fn band_sources(node: Node<'_, '_>) -> Result<Vec<Source>, Refusal> {
    if let Some(class) = attribute(node, "subClass").filter(|class| !class.eq_ignore_ascii_case("VRTSourcedRasterBand"))
    {
        return Err(Refusal::Unsupported(format!("a band of class {class} in a VRT")));
    }
    for element in ["PixelFunctionType", "PixelFunctionCode", "ImageOffset"] {
        if child(node, element).is_some() {
            return Err(Refusal::Unsupported(format!("<{element}> in a VRT")));
        }
    }
    let mut sources = Vec::new();
    for element in node.children().filter(Node::is_element) {
        let name = element.tag_name().name();
        match name.to_ascii_lowercase().as_str() {
            "simplesource" => sources.push(source(element, Values::default())?),
            "complexsource" => sources.push(source(element, values(element)?)?),
            lower if lower.ends_with("source") => {
                return Err(Refusal::Unsupported(format!("<{name}> in a VRT")));
            }
            _ => {}
        }
    }
    Ok(sources)
}

fn source(node: Node<'_, '_>, values: Values) -> Result<Source, Refusal> {
    let Some(file) = child(node, "SourceFilename") else {
        return Err(Refusal::Damaged("a source has no SourceFilename".into()));
    };
    if child(node, "OpenOptions").is_some_and(|options| options.first_element_child().is_some()) {
        return Err(Refusal::Unsupported("<OpenOptions> in a VRT".into()));
    }
    let text = child(node, "SourceBand").map_or("1", |node| text(node)).trim();
    let band = match text.split_once(',').map_or(text, |(first, _)| first) {
        "mask" => None,
        number => match number.parse::<u16>() {
            Ok(number @ 1..) => Some(number - 1),
            _ => return Err(Refusal::Damaged(format!("SourceBand is '{text}', not the number of a band"))),
        },
    };
    let is_relative = attribute(file, "relativeToVRT").is_some_and(|flag| flag.trim() == "1");
    let name = file.text().unwrap_or_default().trim().to_owned();
    let (from, to) = (rectangle(node, "SrcRect")?, rectangle(node, "DstRect")?);
    Ok(Source { band, part: Part { name, is_relative, from, to, values } })
}

fn rectangle(node: Node<'_, '_>, name: &'static str) -> Result<Option<[f64; 4]>, Refusal> {
    let Some(node) = child(node, name) else { return Ok(None) };
    let number = |name| attribute(node, name).and_then(|text| text.trim().parse::<f64>().ok());
    let numbers = [number("xOff"), number("yOff"), number("xSize"), number("ySize")];
    match numbers {
        [Some(x), Some(y), Some(width), Some(height)] if [x, y, width, height].iter().all(|one| one.abs() < 4e9) => {
            Ok(Some([x, y, width, height]))
        }
        _ => Err(Refusal::Damaged(format!("{name} is not four numbers of pixels"))),
    }
}

fn values(node: Node<'_, '_>) -> Result<Values, Refusal> {
    for element in ["ColorTableComponent", "Exponent", "SrcMin", "DstMin", "Clamp"] {
        if child(node, element).is_some() {
            return Err(Refusal::Unsupported(format!("<{element}> in a VRT")));
        }
    }
    let number = |name: &'static str| match child(node, name) {
        None => Ok(None),
        Some(node) => {
            let number = text(node).trim().parse::<f64>().ok().filter(|number| number.is_finite());
            number.map(Some).ok_or_else(|| Refusal::Damaged(format!("{name} is '{}', not a number", text(node))))
        }
    };
    let (scale, offset) = (number("ScaleRatio")?, number("ScaleOffset")?);
    let linear = (scale.is_some() || offset.is_some()).then(|| (scale.unwrap_or(1.0), offset.unwrap_or(0.0)));
    let nodata = match child(node, "NODATA") {
        None => None,
        Some(node) => match Nodata::parse(text(node)) {
            Some(nodata) => Some(nodata),
            None => return Err(Refusal::Damaged(format!("NODATA is '{}', not a number", text(node)))),
        },
    };
    let use_mask = child(node, "UseMaskBand").is_some_and(|node| {
        let flag = text(node).trim().to_ascii_lowercase();
        flag == "true" || flag == "1" || flag == "yes" || flag == "on"
    });
    Ok(Values { nodata, use_mask, linear: linear.filter(|linear| *linear != (1.0, 0.0)), table: table(node)? })
}

/// Reads pairs of values, `from:to,from:to`, in ascending order.
fn table(node: Node<'_, '_>) -> Result<Vec<(f64, f64)>, Refusal> {
    let Some(node) = child(node, "LUT") else { return Ok(Vec::new()) };
    let pair = |text: &str| {
        let (from, to) = text.split_once(':')?;
        let finite = |text: &str| text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
        Some((finite(from)?, finite(to)?))
    };
    let pairs: Option<Vec<_>> = text(node).split(',').map(pair).collect();
    let ordered = pairs.filter(|pairs| pairs.windows(2).all(|two| two[0].0 <= two[1].0));
    ordered.ok_or_else(|| Refusal::Damaged("the LUT is not pairs of numbers in ascending order".into()))
}

impl Part {
    /// Returns the rectangles in a file of this size and in the VRT, both cut to what is there; `None` if nothing is.
    ///
    /// # Errors
    /// If pixels would be resampled.
    pub(super) fn rectangles(
        &self,
        file: (u32, u32),
        vrt: (u32, u32),
    ) -> Result<Option<(Rectangle, Rectangle)>, Refusal> {
        let whole = |(width, height): (u32, u32)| [0.0, 0.0, f64::from(width), f64::from(height)];
        let (from, to) = (self.from.unwrap_or_else(|| whole(file)), self.to.unwrap_or_else(|| whole(vrt)));
        let is_whole = |number: f64| (number - number.round()).abs() <= TOLERANCE;
        let same_size = (from[2] - to[2]).abs() <= TOLERANCE && (from[3] - to[3]).abs() <= TOLERANCE;
        if !same_size || !from.iter().chain(&to).all(|number| is_whole(*number)) {
            let feature = format!(
                "a VRT source that is resampled: {} x {} pixels at {}, {} of '{}' become {} x {} at {}, {}",
                from[2], from[3], from[0], from[1], self.name, to[2], to[3], to[0], to[1]
            );
            return Err(Refusal::Unsupported(feature));
        }
        let axis = |near: f64, near_to: f64, length: f64, file: u32, vrt: u32| {
            #[expect(clippy::cast_possible_truncation, reason = "less than 4e9, as checked by the parser")]
            let [near, near_to, length] = [near, near_to, length].map(|number| number.round() as i64);
            // Pixels before the start of either are cut.
            let skipped = 0.max(-near).max(-near_to);
            let end = length.min(i64::from(file) - near).min(i64::from(vrt) - near_to);
            let range = |near: i64| {
                Some(u32::try_from(near + skipped).ok()?..u32::try_from(near + end).ok()?)
                    .filter(|range| !range.is_empty())
            };
            range(near).zip(range(near_to))
        };
        let columns = axis(from[0], to[0], from[2], file.0, vrt.0);
        let rows = axis(from[1], to[1], from[3], file.1, vrt.1);
        Ok(columns.zip(rows).map(|((columns, columns_to), (rows, rows_to))| {
            (Rectangle { columns, rows }, Rectangle { columns: columns_to, rows: rows_to })
        }))
    }
}

fn text<'a>(node: Node<'a, '_>) -> &'a str {
    node.text().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(inside: &str) -> Result<Vrt, Refusal> {
        let text = format!("<VRTDataset rasterXSize=\"20\" rasterYSize=\"10\">{inside}</VRTDataset>");
        let document = crate::xml::parse(&text).unwrap();
        Vrt::parse(document.root_element())
    }

    fn band(inside: &str) -> Result<Vrt, Refusal> {
        parse(&format!("<VRTRasterBand dataType=\"UInt16\" band=\"1\">{inside}</VRTRasterBand>"))
    }

    #[test]
    fn sources_are_read() {
        let vrt = band(
            "<NoDataValue>7</NoDataValue><ComplexSource><SourceFilename relativeToVRT=\"1\">a.tif</SourceFilename>\
             <SourceBand>2</SourceBand><NODATA>0</NODATA><ScaleRatio>2</ScaleRatio><LUT>0:1,10:5</LUT>\
             <SrcRect xOff=\"1\" yOff=\"2\" xSize=\"3\" ySize=\"4\"/></ComplexSource>",
        )
        .unwrap();
        let source = &vrt.bands[0].sources[0];
        assert_eq!((vrt.width, vrt.height, vrt.data_type, source.band), (20, 10, DataType::U16, Some(1)));
        assert!(source.part.is_relative && source.part.values.linear == Some((2.0, 0.0)));
        assert_eq!(source.part.values.table, [(0.0, 1.0), (10.0, 5.0)]);
        assert_eq!((source.part.from, source.part.to), (Some([1.0, 2.0, 3.0, 4.0]), None));
    }

    #[test]
    fn what_is_not_supported_is_named() {
        let file = "<SourceFilename>a.tif</SourceFilename>";
        for (inside, expected) in [
            (format!("<AveragedSource>{file}</AveragedSource>"), "<AveragedSource>"),
            (format!("<KernelFilteredSource>{file}</KernelFilteredSource>"), "<KernelFilteredSource>"),
            (format!("<ComplexSource>{file}<Exponent>2</Exponent></ComplexSource>"), "<Exponent>"),
            (format!("<ComplexSource>{file}<ColorTableComponent>1</ColorTableComponent></ComplexSource>"), "Component"),
            (format!("<SimpleSource>{file}<OpenOptions><OOI key=\"A\">1</OOI></OpenOptions></SimpleSource>"), "OpenOp"),
            ("<PixelFunctionType>sum</PixelFunctionType>".into(), "<PixelFunctionType>"),
            ("<MaskBand/>".into(), "a mask of a single band (band 1)"),
        ] {
            let refusal = band(&inside).unwrap_err();
            assert!(matches!(&refusal, Refusal::Unsupported(text) if text.contains(expected)), "{refusal:?}");
        }
        let raw = parse("<VRTRasterBand dataType=\"Byte\" subClass=\"VRTRawRasterBand\"/>").unwrap_err();
        assert_eq!(raw, Refusal::Unsupported("a band of class VRTRawRasterBand in a VRT".into()));
        assert!(matches!(parse(""), Err(Refusal::Damaged(_))));
        assert!(parse("<GDALWarpOptions/><VRTRasterBand/>").is_err());
        assert!(
            band("<SimpleSource/>").is_err()
                && band(&format!("<SimpleSource>{file}<SrcRect/></SimpleSource>")).is_err()
        );
    }

    #[test]
    fn rectangles_are_cut_and_never_resampled() {
        let part = |from, to| Part { name: "a".into(), is_relative: true, from, to, values: Values::default() };
        let rectangle = |columns, rows| Rectangle { columns, rows };
        let cut = part(Some([-2.0, 0.0, 10.0, 5.0]), Some([17.0, 8.0, 10.0, 5.0]));
        let expected = (rectangle(0..1, 0..2), rectangle(19..20, 8..10));
        assert_eq!(cut.rectangles((30, 30), (20, 10)).unwrap(), Some(expected));
        assert_eq!(part(None, Some([30.0, 0.0, 5.0, 5.0])).rectangles((5, 5), (20, 10)).unwrap(), None);
        assert!(part(None, None).rectangles((5, 5), (20, 10)).is_err());
        assert!(part(None, Some([0.5, 0.0, 5.0, 5.0])).rectangles((5, 5), (20, 10)).is_err());
        let far = part(Some([3e9, 0.0, 3e9, 1.0]), Some([0.0, 0.0, 3e9, 1.0]));
        assert_eq!(far.rectangles((5, 5), (20, 10)).unwrap(), None);
    }
}
