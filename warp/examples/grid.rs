//! Computes target grids for the oracle of grids: each line of standard input is `SCHEME CRS WIDTH HEIGHT`, six numbers of the
//! geotransform in GDAL's order, tile size, zoom level or `-`, strategy, and the number of aligned levels or `all`. Prints
//! `WIDTH HEIGHT LEFT TOP RESOLUTION ZOOM ALIGNED`.

use std::io::{self, BufRead, Write};

use cogsmith_warp::{
    Affine, AlignOptions, AlignedLevels, Grid, TilingScheme, WarpError, ZoomStrategy, align, suggest,
    transform_between, within_web_mercator,
};

fn target(text: &str) -> Result<String, Box<dyn std::error::Error>> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let [name, crs, width, height, numbers @ .., tile, zoom, strategy, aligned] = &words[..] else {
        return Err("expected fourteen words".into());
    };
    let numbers: Vec<f64> = numbers.iter().map(|number| number.parse()).collect::<Result<_, _>>()?;
    let affine = Affine(numbers.try_into().map_err(|_| "expected six numbers")?);
    let mut source = Grid { width: width.parse()?, height: height.parse()?, affine };
    let scheme = TilingScheme::find(name).ok_or_else(|| WarpError::Grid(format!("no scheme {name}")))?;
    let transform = transform_between(crs, scheme.crs())?;
    if scheme.crs() == "EPSG:3857" && transform.is_from_degrees() {
        source = within_web_mercator(&source);
    }
    let options = AlignOptions {
        zoom_level: (*zoom != "-").then(|| zoom.parse()).transpose()?,
        strategy: match *strategy {
            "lower" => ZoomStrategy::Lower,
            "upper" => ZoomStrategy::Upper,
            _ => ZoomStrategy::Auto,
        },
        aligned_levels: if *aligned == "all" { AlignedLevels::All } else { AlignedLevels::Count(aligned.parse()?) },
        tile_size: Some(tile.parse()?),
    };
    let target = align(&scheme, &suggest(&source, &*transform)?, &options)?;
    let [left, resolution, _, top, ..] = target.grid.affine.0;
    let (width, height) = (target.grid.width, target.grid.height);
    Ok(format!("{width} {height} {left:?} {top:?} {resolution:?} {} {}", target.zoom_level, target.aligned_levels))
}

fn main() -> io::Result<()> {
    let mut output = io::stdout().lock();
    for text in io::stdin().lock().lines() {
        match target(&text?) {
            Ok(target) => writeln!(output, "{target}")?,
            Err(error) => writeln!(output, "error: {error}")?,
        }
    }
    Ok(())
}
