//! Writes coordinate reference systems to tiny COGs, many in one process, for `tests/judges/crs.py`.
//!
//! `cargo run --example many_crs <LIST`, where each line of LIST is a path, a tab, and a system in one line (a code, WKT,
//! PROJJSON, …). Each result is a line: `ok`, kind, and EPSG code (`-` for none), or `refused` and the reason. With the
//! path `-`, nothing is written; with `wkt:PATH`, WKT in the citation is allowed.

use std::io::{self, BufRead, BufWriter, Write};

use cogsmith::{CogPlan, Crs, DataType, EncodeOptions, GeoRef, ImageSpec, Metadata, SliceSource, Transform};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut output = BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        let line = line?;
        let (path, text) = line.split_once('\t').ok_or("each line must be a path, a tab, and a system")?;
        match write(path, text) {
            Ok(answer) => writeln!(output, "ok {answer}")?,
            Err(error) => writeln!(output, "refused {}", error.to_string().replace('\n', " "))?,
        }
    }
    output.flush()?;
    Ok(())
}

fn write(path: &str, text: &str) -> Result<String, Box<dyn std::error::Error>> {
    let (path, wkt_citation) = match path.strip_prefix("wkt:") {
        Some(path) => (path, true),
        None => (path, false),
    };
    let crs = Crs::parse(text)?.with_wkt_citation(wkt_citation);
    let geo = GeoRef::default().with_crs(&crs)?.with_transform(Transform::north_up(1.0, 1.0, 1.0, 1.0)?);
    let code = crs.code().map_or_else(|| "-".to_owned(), |code| code.to_string());
    let answer = format!("{code} {}", crs.kind());
    if path == "-" {
        return Ok(answer);
    }
    let spec = ImageSpec::new(1, 1, 1, DataType::U8);
    let options = EncodeOptions::new().tile_size(cogsmith::TileSize::square(16));
    let plan = CogPlan::new(&spec, &geo, &Metadata::default(), &options)?;
    let bytes = cogsmith::encode_to_vec(&mut SliceSource::new(spec, &[0u8])?, &plan)?;
    std::fs::write(path, bytes)?;
    Ok(answer)
}
