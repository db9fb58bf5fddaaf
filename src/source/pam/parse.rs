//! Parser for `.aux.xml` files: GDAL's persistent auxiliary metadata.

use std::collections::BTreeMap;

use roxmltree::Node;

use crate::geo::{ColorInterpretation, Gcp};
use crate::sample::{DataType, Nodata};
use crate::xml::{attribute, child, children, is};

/// The contents of an `.aux.xml` file. Invalid values are omitted and named in `unusable`.
#[derive(Debug, Default)]
pub(super) struct Pam {
    pub(super) crs: Option<CrsText>,
    /// In GDAL's order.
    pub(super) transform: Option<[f64; 6]>,
    pub(super) gcps: Option<GcpList>,
    pub(super) items: Vec<Item>,
    /// By band index, counted from 0.
    pub(super) bands: BTreeMap<u16, Band>,
    /// Values that cannot be used, each with the reason.
    pub(super) unusable: Vec<String>,
}

/// A coordinate reference system as given in the file.
#[derive(Debug, PartialEq)]
pub(super) struct CrsText {
    /// WKT, or any other definition of a CRS.
    pub(super) definition: String,
    pub(super) epoch: Option<f64>,
}

/// Ground control points, and the CRS of their coordinates.
#[derive(Debug)]
pub(super) struct GcpList {
    pub(super) crs: Option<CrsText>,
    pub(super) points: Vec<Gcp>,
}

/// A metadata item; the domain is empty for the default one.
#[derive(Debug, PartialEq)]
pub(super) struct Item {
    pub(super) domain: String,
    pub(super) key: String,
    pub(super) value: String,
}

/// The metadata of a band.
#[derive(Debug, Default)]
pub(super) struct Band {
    pub(super) description: Option<String>,
    pub(super) nodata: Option<Nodata>,
    /// Scale and offset: GDAL sets both if one is given.
    pub(super) quantity: Option<(f64, f64)>,
    pub(super) unit: Option<String>,
    pub(super) color: Option<ColorInterpretation>,
    /// Red, green, blue and alpha of each entry.
    pub(super) color_table: Option<Vec<[u8; 4]>>,
    pub(super) items: Vec<Item>,
}

impl Pam {
    /// Parses the text for a raster with `bands` bands.
    ///
    /// # Errors
    /// If the text is not XML, or not auxiliary metadata.
    pub(super) fn parse(text: &str, bands: u16, data_type: DataType) -> Result<Self, String> {
        let text = text.trim_start_matches('\u{feff}');
        let document = crate::xml::parse(text)?;
        let root = document.root_element();
        let mut pam = Self::default();
        if is(root, "GeodataXform") {
            // ArcGIS 9.3 writes only this element.
            pam.items.push(xml_item("xml:ESRI", root));
        } else if !is(root, "PAMDataset") {
            return Err(format!("its root element is '{}', not 'PAMDataset'", root.tag_name().name()));
        } else if document.root().first_child() != Some(root) || text.trim_start().starts_with("<?") {
            // GDAL looks for the elements in the first node of the file, whatever it is.
            return Err("GDAL ignores it too, because something precedes <PAMDataset>".to_owned());
        } else {
            pam.read(root, "PAMRasterBand", bands, data_type);
        }
        pam.read_esri();
        Ok(pam)
    }

    /// Reads the root element of a VRT file, which has the same elements.
    #[cfg(feature = "mosaic")]
    pub(super) fn of_vrt(root: Node<'_, '_>, bands: u16, data_type: DataType) -> Self {
        let mut pam = Self::default();
        pam.read(root, "VRTRasterBand", bands, data_type);
        pam.read_esri();
        pam
    }

    fn read(&mut self, root: Node<'_, '_>, element: &'static str, bands: u16, data_type: DataType) {
        self.crs = child(root, "SRS").and_then(|node| self.crs(node, text(node)));
        if let Some(node) = child(root, "GeoTransform") {
            let numbers: Option<Vec<f64>> = text(node).split(',').map(|number| number.trim().parse().ok()).collect();
            self.transform = numbers.and_then(|numbers| numbers.try_into().ok());
            if self.transform.is_none() {
                self.unusable.push("the GeoTransform, which is not six numbers".to_owned());
            }
        }
        if let Some(node) = child(root, "GCPList") {
            self.gcps = self.gcp_list(node);
        }
        self.items = items(root);
        for (index, node) in children(root, element).enumerate() {
            // Bands of a VRT are in order, and need no number.
            let in_order = (index + 1).to_string();
            let otherwise = if element == "VRTRasterBand" { in_order.as_str() } else { "" };
            let number = attribute(node, "band").unwrap_or(otherwise);
            match number.trim().parse::<u16>().ok().filter(|number| (1..=bands).contains(number)) {
                Some(number) => self.band(node, number, data_type),
                None => self.unusable.push(format!("values for band '{number}', of {bands} in the raster")),
            }
        }
        for (name, what) in [("Subdataset", "subdatasets"), ("Array", "multidimensional arrays")] {
            if child(root, name).is_some() {
                self.unusable.push(format!("{what}, which a GeoTIFF cannot hold"));
            }
        }
    }

    /// Reads the CRS of an element.
    fn crs(&mut self, node: Node<'_, '_>, definition: &str) -> Option<CrsText> {
        if definition.is_empty() {
            return None;
        }
        let mapping: String =
            attribute(node, "dataAxisToSRSAxisMapping").unwrap_or_default().split_whitespace().collect();
        // x and y, in the order of the CRS or the reverse; GDAL also uses the coordinates unchanged in both cases.
        if !matches!(mapping.as_str(), "" | "1,2" | "2,1" | "1,2,3" | "2,1,3") {
            self.unusable.push(format!("the axis mapping '{mapping}' of the CRS (coordinates are read as x, y)"));
        }
        let epoch = attribute(node, "coordinateEpoch").and_then(|epoch| epoch.trim().parse().ok());
        Some(CrsText { definition: definition.to_owned(), epoch: epoch.filter(|epoch| *epoch > 0.0) })
    }

    fn gcp_list(&mut self, node: Node<'_, '_>) -> Option<GcpList> {
        let crs = self.crs(node, attribute(node, "Projection").unwrap_or_default());
        let point = |node: Node<'_, '_>| {
            let number = |name| attribute(node, name).map_or(Some(0.0), |number| number.trim().parse::<f64>().ok());
            let z = attribute(node, "Z").or(attribute(node, "GCPZ"));
            let z = z.map_or(Some(0.0), |number| number.trim().parse().ok())?;
            Some(Gcp { column: number("Pixel")?, row: number("Line")?, x: number("X")?, y: number("Y")?, z })
        };
        let points: Option<Vec<Gcp>> = children(node, "GCP").map(point).collect();
        match points {
            Some(points) if points.is_empty() => None,
            Some(points) => Some(GcpList { crs, points }),
            None => {
                self.unusable.push("the ground control points, some of which are not numbers".to_owned());
                None
            }
        }
    }

    fn band(&mut self, node: Node<'_, '_>, number: u16, data_type: DataType) {
        let mut unusable = Vec::new();
        let band = self.bands.entry(number - 1).or_default();
        let filled = |name| child(node, name).map(text).filter(|text| !text.is_empty());
        band.description = filled("Description").map(str::to_owned);
        if let Some(node) = child(node, "NoDataValue") {
            let exact = attribute(node, "le_hex_equiv").and_then(little_endian_double).map(Nodata::from);
            let nodata = exact.or_else(|| Nodata::parse(text(node)));
            // GDAL stores the values of all other types as doubles.
            let is_wide = matches!(data_type, DataType::I64 | DataType::U64);
            band.nodata = nodata.map(|nodata| if is_wide { nodata } else { Nodata::from(nodata.as_f64()) });
            if band.nodata.is_none() {
                unusable.push(format!("the nodata value '{}', which is not a number", text(node)));
            }
        }
        let (scale, offset) = (filled("Scale"), filled("Offset"));
        if scale.is_some() || offset.is_some() {
            let number = |text: Option<&str>, otherwise: f64| text.map_or(Some(otherwise), |text| text.parse().ok());
            let quantity = number(scale, 1.0).zip(number(offset, 0.0));
            let usable = quantity.filter(|(scale, offset)| *scale != 0.0 && scale.is_finite() && offset.is_finite());
            match usable {
                Some(quantity) => band.quantity = Some(quantity),
                None => unusable.push("scale and offset, which are not finite numbers or have a scale of 0".to_owned()),
            }
        }
        if let Some(unit) = filled("UnitType") {
            band.unit = Some(unit.to_owned());
        }
        if let Some(name) = filled("ColorInterp") {
            match ColorInterpretation::parse(name) {
                // GDAL keeps the value of the raster itself.
                Some(ColorInterpretation::Undefined) => {}
                Some(color) => band.color = Some(color),
                None => unusable.push(format!("the color interpretation '{name}', which is unknown")),
            }
        }
        if let Some(node) = child(node, "ColorTable") {
            let entry = |node| ["c1", "c2", "c3", "c4"].map(|name| component(node, name));
            band.color_table = Some(children(node, "Entry").map(entry).collect());
        }
        band.items.extend(items(node));
        for (name, what) in [
            ("CategoryNames", "category names"),
            ("Histograms", "histograms"),
            ("GDALRasterAttributeTable", "a raster attribute table"),
        ] {
            if child(node, name).is_some() {
                unusable.push(format!("{what}, which a GeoTIFF cannot hold"));
            }
        }
        self.unusable.extend(unusable.into_iter().map(|what| format!("{what} (band {number})")));
    }

    /// Reads the CRS that ArcGIS stores in a metadata domain. GDAL uses it unless there are also control points.
    fn read_esri(&mut self) {
        if self.crs.is_some() {
            return;
        }
        let Some(item) = self.items.iter().find(|item| item.domain.eq_ignore_ascii_case("xml:ESRI")) else { return };
        let Ok(document) = crate::xml::parse(&item.value) else { return };
        let root = document.root_element();
        if !is(root, "GeodataXform") {
            return;
        }
        if child(root, "SourceGCPs").is_some() && child(root, "TargetGCPs").is_some() {
            self.unusable.push("the ArcGIS transformation, which uses control points".to_owned());
        } else if let Some(wkt) = child(root, "SpatialReference").and_then(|node| child(node, "WKT")) {
            self.crs = Some(CrsText { definition: text(wkt).to_owned(), epoch: None });
        }
    }
}

/// Returns the text of an element, without leading white space, as in GDAL.
fn text<'a>(node: Node<'a, '_>) -> &'a str {
    node.text().unwrap_or_default().trim_start()
}

/// Returns a color component given as an attribute; missing alpha is opaque.
fn component(node: Node<'_, '_>, name: &str) -> u8 {
    let missing = if name == "c4" { 255 } else { 0 };
    let number = attribute(node, name).and_then(|number| number.trim().parse::<i64>().ok()).unwrap_or(missing);
    u8::try_from(number.clamp(0, 255)).unwrap_or(0)
}

/// Returns the items of all metadata domains of an element.
fn items(node: Node<'_, '_>) -> Vec<Item> {
    let mut found = Vec::new();
    for metadata in children(node, "Metadata") {
        let domain = attribute(metadata, "domain").unwrap_or_default();
        match attribute(metadata, "format").map(str::to_ascii_lowercase).as_deref() {
            Some("xml") => found.extend(metadata.first_element_child().map(|node| xml_item(domain, node))),
            Some("json") => {
                let (domain, key) = (domain.to_owned(), "doc".to_owned());
                found.push(Item { domain, key, value: text(metadata).to_owned() });
            }
            _ => found.extend(children(metadata, "MDI").filter_map(|node| {
                let key = attribute(node, "key")?.to_owned();
                let value = Some(text(node)).filter(|value| !value.is_empty())?.to_owned();
                Some(Item { domain: domain.to_owned(), key, value })
            })),
        }
    }
    found
}

/// Creates an item whose value is the source text of an element.
fn xml_item(domain: &str, node: Node<'_, '_>) -> Item {
    let source = node.document().input_text().get(node.range()).unwrap_or_default();
    Item { domain: domain.to_owned(), key: "doc".to_owned(), value: source.to_owned() }
}

/// Parses a double given as eight bytes in hexadecimal digits, least significant byte first.
fn little_endian_double(digits: &str) -> Option<f64> {
    let digits = digits.trim();
    if digits.len() != 16 {
        return None;
    }
    u64::from_str_radix(digits, 16).ok().map(|bits| f64::from_bits(bits.swap_bytes()))
}
