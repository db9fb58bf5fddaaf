//! Transforms points for the oracle of coordinates: each line of standard input is `FROM TO`, then `x y` pairs of forward points,
//! a bar, and pairs of inverse points. Prints the results in the same form.

use std::io::{self, BufRead, Write};

use cogsmith_warp::{CoordinateTransform, Direction, transform_between};

fn pairs(text: &str) -> Vec<[f64; 2]> {
    let numbers: Vec<f64> = text.split_whitespace().map(|number| number.parse().unwrap_or(f64::NAN)).collect();
    numbers.as_chunks::<2>().0.to_vec()
}

fn line(transform: &dyn CoordinateTransform, text: &str) -> String {
    let (forward, inverse) = text.split_once('|').unwrap_or((text, ""));
    let done = |direction, text| {
        let mut points = pairs(text);
        transform.transform(direction, &mut points);
        points.iter().map(|[x, y]| format!("{x:?} {y:?}")).collect::<Vec<_>>().join(" ")
    };
    format!("{} | {}", done(Direction::Forward, forward), done(Direction::Inverse, inverse))
}

fn main() -> io::Result<()> {
    let mut output = io::stdout().lock();
    for text in io::stdin().lock().lines() {
        let text = text?;
        let mut words = text.splitn(3, ' ');
        let (from, to) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        match transform_between(from, to) {
            Ok(transform) => writeln!(output, "{}", line(&*transform, words.next().unwrap_or_default()))?,
            Err(error) => writeln!(output, "error: {error}")?,
        }
    }
    Ok(())
}
