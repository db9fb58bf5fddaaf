//! The table, and what the sets say together.

/// Measurements of a set: ours, libdeflate, zlib-rs (LZW: ours, weezl, nothing).
#[derive(Default)]
pub struct Result {
    pub group: String,
    pub name: String,
    pub class: String,
    pub raw: usize,
    pub sizes: [usize; 3],
    pub seconds: [f64; 3],
    /// Speed of inflating our streams against inflating libdeflate's, by libdeflate and by zlib-rs.
    pub inflate: [f64; 2],
}

impl Result {
    fn speed(&self, of: usize) -> f64 {
        self.raw as f64 / 1e6 / self.seconds[of]
    }

    fn larger(&self, than: usize) -> f64 {
        (self.sizes[0] as f64 / self.sizes[than] as f64 - 1.0) * 100.0
    }

    fn faster(&self, than: usize) -> f64 {
        self.seconds[than] / self.seconds[0]
    }
}

const HEADER: &str = "\
                                       compression ratio      size against %     MB/s of a core      speed against    inflating ours/theirs
group  set              class       MB  ours    ld-6   zrs-6     ld-6  zrs-6    ours  ld-6 zrs-6     ld-6  zrs-6     libdeflate zlib-rs";

pub fn line(result: &Result) {
    use std::sync::Once;
    static ONCE: Once = Once::new();
    ONCE.call_once(|| println!("{HEADER}"));
    let ratio = |of: usize| result.raw as f64 / result.sizes[of] as f64;
    println!(
        "{:6} {:16} {:10} {:4.1} {:6.3} {:7.3} {:7.3}   {:+6.2} {:+6.2}  {:6.0} {:5.0} {:5.0}    {:5.2}  {:5.2}     {:6.2}     {:6.2}",
        result.group,
        result.name,
        result.class,
        result.raw as f64 / 1e6,
        ratio(0),
        ratio(1),
        ratio(2),
        result.larger(1),
        result.larger(2),
        result.speed(0),
        result.speed(1),
        result.speed(2),
        result.faster(1),
        result.faster(2),
        result.inflate[0],
        result.inflate[1],
    );
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for value in values {
        sum += value.ln();
        count += 1.0;
    }
    f64::exp(sum / count)
}

pub fn summary(results: &[Result]) {
    for group in ["design", "held"] {
        let of: Vec<&Result> = results.iter().filter(|result| result.group == group).collect();
        if of.is_empty() {
            continue;
        }
        let geometric = |value: &dyn Fn(&Result) -> f64| mean(of.iter().map(|result| value(result)));
        let percent = |value: f64| (value - 1.0) * 100.0;
        println!(
            "{group}: {} sets, geometric means: size {:+.2} % (ld-6), {:+.2} % (zrs-6); {:.0} MB/s; speed {:.2}x (ld-6), {:.2}x (zrs-6); inflate {:.2} {:.2}",
            of.len(),
            percent(geometric(&|result| result.sizes[0] as f64 / result.sizes[1] as f64)),
            percent(geometric(&|result| result.sizes[0] as f64 / result.sizes[2] as f64)),
            geometric(&|result| result.speed(0)),
            geometric(&|result| result.faster(1)),
            geometric(&|result| result.faster(2)),
            geometric(&|result| result.inflate[0]),
            geometric(&|result| result.inflate[1]),
        );
        let limits = [
            ("optical", 4.0, 400.0),
            ("sar", 4.0, 400.0),
            ("float", 3.0, 0.0),
            ("classified", 2.0, 0.0),
            ("other", 1.0, 0.0),
        ];
        for result in of {
            let (_, faster, speed) = limits.into_iter().find(|limit| limit.0 == result.class).expect("a class");
            let mut misses = Vec::new();
            if result.larger(1) > 2.5 {
                misses.push(format!("size {:+.2} %", result.larger(1)));
            }
            if result.faster(1) < faster {
                misses.push(format!("{:.2}x of {faster}x", result.faster(1)));
            }
            if result.speed(0) < speed {
                misses.push(format!("{:.0} of {speed} MB/s", result.speed(0)));
            }
            if result.inflate[0] < 0.55 {
                misses.push(format!("inflates at {:.2}", result.inflate[0]));
            }
            if !misses.is_empty() {
                println!("  misses: {} ({}): {}", result.name, result.class, misses.join(", "));
            }
        }
    }
}
