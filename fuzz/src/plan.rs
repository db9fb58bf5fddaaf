//! Plans: any description and any options are planned or refused, and nothing panics.

use cogsmith::CogPlan;

use super::Choices;
use super::image::{Scale, geo, metadata, options, other_codecs, spec};

pub fn run(data: &[u8]) {
    let choices = &mut Choices::new(data);
    let spec = spec(choices, Scale::Any);
    // One kernel for each of many bands takes too long to make.
    let mut options = options(choices, Scale::Any, spec.bands.min(9));
    other_codecs(choices, &spec, &mut options);
    let (geo, metadata) = (geo(choices), metadata(choices));
    match CogPlan::new(&spec, &geo, &metadata, &options) {
        Ok(plan) => {
            let levels = plan.levels();
            assert_eq!((levels[0].width, levels[0].height), (spec.width, spec.height));
            for pair in levels.windows(2) {
                assert!(pair[1].width <= pair[0].width && pair[1].height <= pair[0].height, "{pair:?}");
                assert!((pair[1].width, pair[1].height) != (pair[0].width, pair[0].height), "{pair:?}");
            }
            assert!(plan.uncompressed_bytes() > 0);
            assert!(!plan.resampling_names().is_empty());
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
