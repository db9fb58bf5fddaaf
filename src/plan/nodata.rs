//! Nodata in the file: kept as a tag, or as a mask where a lossy codec would change it.

use crate::codec::{JpegPhotometric, TileLoss};
use crate::error::{Error, OptionField, Result};
use crate::geo::Metadata;
use crate::geo::text::nodata_text;
use crate::options::{Compression, EncodeOptions, MaskPolicy};
use crate::spec::{ImageSpec, Photometric};
use crate::view::{NodataRule, can_be_nodata};

use super::{CogPlan, Losses};

/// NaN is suggested as nodata if it saves more than one byte of this many.
const NAN_SAVING: u64 = 10;

impl CogPlan {
    /// Suggests NaN as the nodata value if the tiles that were compared would be much smaller with it.
    pub(crate) fn nan_suggestion(&self, losses: &Losses) -> Option<String> {
        if !cfg!(feature = "lerc") {
            return None;
        }
        let sum = |bytes: fn(&TileLoss) -> u64| losses.levels.iter().map(bytes).fold(0, u64::saturating_add);
        let (bytes, with_nan) = (sum(|loss| loss.bytes), sum(|loss| loss.bytes_with_nan));
        let text = nodata_text(self.spec().nodata.as_ref()?, self.spec().data_type);
        (with_nan < bytes - bytes / NAN_SAVING).then(|| {
            let (text, codec) = (text.trim_end_matches('\0'), self.compression());
            let percent = (bytes - with_nan).saturating_mul(100) / bytes;
            format!("with NaN instead of {text} as nodata, {codec} would need {percent} % fewer bytes")
        })
    }
}

/// Applies the options to the description of the source's pixels: `spec` becomes that of the file. Returns the rule by
/// which a mask is made from nodata, if one is.
pub(super) fn settle(
    spec: &mut ImageSpec,
    metadata: &mut Metadata,
    options: &EncodeOptions,
    warnings: &mut Vec<String>,
) -> Result<Option<NodataRule>> {
    let refuse = |reason: String| Err(Error::option(OptionField::Mask, reason));
    let lossy = options.codecs().find(|codec| codec.codec().mixes_pixels);
    if let Compression::Jpeg { photometric: JpegPhotometric::Ycbcr, .. } = options.compression
        && spec.bands == 3
    {
        // Readers convert YCbCr to red, green, and blue.
        (spec.photometric, spec.extra_samples) = (Photometric::Rgb, Vec::new());
    }
    let nodata = spec.nodata.filter(|nodata| spec.nodata_in_range().is_some() && can_be_nodata(spec.data_type, nodata));
    let asked = match options.mask {
        MaskPolicy::Nodata => Some(NodataRule::All),
        MaskPolicy::AnyNodata => Some(NodataRule::Any),
        MaskPolicy::Auto | MaskPolicy::Alpha | MaskPolicy::None => None,
    };
    if asked.is_some() && spec.nodata.is_none() {
        return refuse("there is no nodata value to make a mask from".to_owned());
    }
    let Some(lossy) = lossy else {
        spec.mask |= asked.is_some();
        if asked == Some(NodataRule::Any) {
            // They cover bands of pixels that are masked now.
            metadata.drop_statistics();
        }
        return Ok(asked);
    };
    if spec.alpha_band().is_some() {
        return refuse(format!("{lossy} would change the alpha band; choose alpha to make it the mask"));
    }
    let Some(nodata) = nodata else { return Ok(asked) };
    let text = nodata_text(&nodata, spec.data_type);
    let text = text.trim_end_matches('\0');
    if options.mask == MaskPolicy::None {
        return refuse(format!(
            "{lossy} would change the nodata value {text} and values near it; choose auto to keep nodata in a mask, or \
             remove the nodata value if all pixels are valid"
        ));
    }
    if asked.is_some() {
        metadata.drop_statistics();
    }
    warnings.push(format!(
        "nodata ({text}) is kept exactly in the mask of the file; its tag is left out, since {lossy} changes samples"
    ));
    (spec.mask, spec.nodata) = (true, None);
    Ok(asked.or(Some(NodataRule::Agreeing)))
}
