//! VRT files of arbitrary text: read or refused, never a panic, nothing outside of their folder, and time and memory within
//! bounds.

use std::path::PathBuf;
use std::sync::OnceLock;

use cogsmith::{CogOptions, DataType, ErrorKind, ExtraSample, ImageSpec, PixelSource, ReadOptions, SliceSource};

use super::image;

/// Rows of more bytes are not read.
const MOST: u64 = 1 << 18;

/// A folder with the files that the seeds name, and one next to it that no VRT may open.
fn folder() -> &'static PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let outside = std::env::temp_dir().join(format!("cogsmith-fuzz-vrt-{}", std::process::id()));
        let folder = outside.join("in");
        std::fs::create_dir_all(&folder).expect("a folder");
        let write = |name: &str, bands: u16, mask: bool| {
            let pixels: Vec<u8> = (0..40 * 30 * usize::from(bands)).map(|index| (index % 251) as u8).collect();
            let valid: Vec<u8> = (0..40 * 30).map(|index| if index % 3 == 0 { 0 } else { 255 }).collect();
            let mut spec = ImageSpec::new(40, 30, bands, DataType::U8);
            if bands == 4 {
                spec = spec.photometric(cogsmith::Photometric::Rgb).extra_samples([ExtraSample::UnassociatedAlpha]);
            }
            let mut source = SliceSource::new(spec, &pixels).expect("a source");
            if mask {
                source = source.with_mask(&valid).expect("a mask");
            }
            let options = CogOptions::new().overwrite(true).threads(1);
            cogsmith::write(outside.join(name), source, &options).expect("a file");
        };
        write("in/a.tif", 3, false);
        write("in/m.tif", 1, true);
        write("in/t.tif", 4, false);
        write("secret.tif", 1, false);
        folder
    })
}

pub fn run(data: &[u8]) {
    let path = folder().join("x.vrt");
    std::fs::write(&path, data).expect("a VRT file");
    let mut source = match cogsmith::open(&path, &ReadOptions::default()) {
        Ok(source) => source,
        Err(error) => {
            // The only names outside of the folder that may be opened are none.
            assert!(!matches!(error.kind(), ErrorKind::OutOfMemory { .. }), "{error}");
            return;
        }
    };
    let spec = source.spec().clone();
    let row = u64::from(spec.width) * u64::from(spec.bands) * spec.data_type.size() as u64;
    if row <= MOST {
        let rows = (MOST / row.max(1)).clamp(1, u64::from(spec.height).min(60));
        let _ = image::read(&mut source, u32::try_from(rows).expect("few rows"));
    }
}
