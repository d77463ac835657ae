//! Medians and percentiles, and the table they are shown in.

use std::time::{Duration, Instant};

/// Durations of one kind of operation.
pub(crate) struct Sample {
    sorted: Vec<Duration>,
}

impl Sample {
    /// Runs `operation` `count` times after a tenth of that as warm-up.
    pub(crate) fn take(count: usize, mut operation: impl FnMut()) -> Self {
        for _ in 0..count.div_ceil(10) {
            operation();
        }
        Self::from_durations((0..count).map(|_| {
            let start = Instant::now();
            operation();
            start.elapsed()
        }))
    }

    /// From durations measured elsewhere; at least one.
    pub(crate) fn from_durations(durations: impl IntoIterator<Item = Duration>) -> Self {
        let mut sorted: Vec<_> = durations.into_iter().collect();
        sorted.sort_unstable();
        assert!(!sorted.is_empty(), "a sample needs at least one duration");
        Self { sorted }
    }

    /// The middle one.
    pub(crate) fn median(&self) -> Duration {
        self.sorted[self.sorted.len() / 2]
    }

    /// The one that 99 of 100 do not exceed.
    pub(crate) fn p99(&self) -> Duration {
        self.sorted[(self.sorted.len() * 99 / 100).min(self.sorted.len() - 1)]
    }
}

/// One line: name, median, p99, added to and ratio of the base's median.
pub(crate) fn print_row(name: &str, sample: &Sample, base: Option<&Sample>) {
    let micros = |duration: Duration| duration.as_secs_f64() * 1e6;
    let median = micros(sample.median());
    let compared = base.map_or_else(String::new, |base| {
        let base = micros(base.median());
        format!("{:>+10.0} {:>8.2}x", median - base, median / base)
    });
    println!("  {name:<58} {median:>9.0} {:>9.0} {compared}", micros(sample.p99()));
}

/// The header of a table of rows.
pub(crate) fn print_header(title: &str) {
    println!(
        "\n{title}\n  {:<58} {:>9} {:>9} {:>10} {:>9}",
        "", "median us", "p99 us", "added us", "ratio"
    );
}
