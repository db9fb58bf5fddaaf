//! GDAL's color interpretations of bands.

/// GDAL's color interpretation of a band.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ColorInterpretation {
    /// Unspecified.
    Undefined,
    /// Grayscale.
    Gray,
    /// Index into a color table.
    Palette,
    /// Red.
    Red,
    /// Green.
    Green,
    /// Blue.
    Blue,
    /// Alpha: 0 is transparent.
    Alpha,
    /// Hue.
    Hue,
    /// Saturation.
    Saturation,
    /// Lightness.
    Lightness,
    /// Cyan ink.
    Cyan,
    /// Magenta ink.
    Magenta,
    /// Yellow ink.
    Yellow,
    /// Black ink.
    Black,
    /// Panchromatic, 0.40 to 1.00 µm (from here on GDAL 3.10).
    Pan,
    /// Coastal, 0.40 to 0.45 µm.
    Coastal,
    /// Red edge, 0.69 to 0.79 µm.
    RedEdge,
    /// Near infrared, 0.75 to 1.40 µm.
    Nir,
    /// Short-wave infrared, 1.40 to 3.00 µm.
    Swir,
    /// Mid-wave infrared, 3.00 to 8.00 µm.
    Mwir,
    /// Long-wave infrared, 8.00 to 15.00 µm.
    Lwir,
    /// Thermal infrared.
    Tir,
    /// Other infrared.
    OtherIr,
    /// Radar, Ka band.
    SarKa,
    /// Radar, K band.
    SarK,
    /// Radar, Ku band.
    SarKu,
    /// Radar, X band.
    SarX,
    /// Radar, C band.
    SarC,
    /// Radar, S band.
    SarS,
    /// Radar, L band.
    SarL,
    /// Radar, P band.
    SarP,
}

impl ColorInterpretation {
    /// All color interpretations.
    pub const ALL: &'static [Self] = &[
        Self::Undefined,
        Self::Gray,
        Self::Palette,
        Self::Red,
        Self::Green,
        Self::Blue,
        Self::Alpha,
        Self::Hue,
        Self::Saturation,
        Self::Lightness,
        Self::Cyan,
        Self::Magenta,
        Self::Yellow,
        Self::Black,
        Self::Pan,
        Self::Coastal,
        Self::RedEdge,
        Self::Nir,
        Self::Swir,
        Self::Mwir,
        Self::Lwir,
        Self::Tir,
        Self::OtherIr,
        Self::SarKa,
        Self::SarK,
        Self::SarKu,
        Self::SarX,
        Self::SarC,
        Self::SarS,
        Self::SarL,
        Self::SarP,
    ];

    /// Returns GDAL's name (`GDALGetColorInterpretationName`), as used in its metadata.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Undefined => "Undefined",
            Self::Gray => "Gray",
            Self::Palette => "Palette",
            Self::Red => "Red",
            Self::Green => "Green",
            Self::Blue => "Blue",
            Self::Alpha => "Alpha",
            Self::Hue => "Hue",
            Self::Saturation => "Saturation",
            Self::Lightness => "Lightness",
            Self::Cyan => "Cyan",
            Self::Magenta => "Magenta",
            Self::Yellow => "Yellow",
            Self::Black => "Black",
            Self::Pan => "Pan",
            Self::Coastal => "Coastal",
            Self::RedEdge => "RedEdge",
            Self::Nir => "NIR",
            Self::Swir => "SWIR",
            Self::Mwir => "MWIR",
            Self::Lwir => "LWIR",
            Self::Tir => "TIR",
            Self::OtherIr => "OtherIR",
            Self::SarKa => "SAR_Ka",
            Self::SarK => "SAR_K",
            Self::SarKu => "SAR_Ku",
            Self::SarX => "SAR_X",
            Self::SarC => "SAR_C",
            Self::SarS => "SAR_S",
            Self::SarL => "SAR_L",
            Self::SarP => "SAR_P",
        }
    }

    /// Returns the color interpretation with this name, ignoring case.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|color| color.name().eq_ignore_ascii_case(name))
    }
}
