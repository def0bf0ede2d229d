//! What a client measures of itself. The package of the peers takes this file as its own.

use std::time::Instant;

use anyhow::Context as _;

/// What a piece of work took, in seconds; not a number where a client has no way of doing it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Took {
    pub(crate) cpu: f64,
    pub(crate) wall: f64,
}

impl Took {
    /// The less of the two, of each.
    #[allow(dead_code, reason = "the peers have one turn each")]
    pub(crate) fn least(self, other: Self) -> Self {
        Self { cpu: self.cpu.min(other.cpu), wall: self.wall.min(other.wall) }
    }
}

/// Measures a piece of work of this process: CPU of all its threads, and wall time.
pub(crate) struct Clock {
    cpu: f64,
    wall: Instant,
}

impl Clock {
    pub(crate) fn start() -> anyhow::Result<Self> {
        Ok(Self { cpu: cpu()?, wall: Instant::now() })
    }

    pub(crate) fn stop(self) -> anyhow::Result<Took> {
        let wall = self.wall.elapsed().as_secs_f64();
        Ok(Took { cpu: cpu()? - self.cpu, wall })
    }
}

/// Seconds of CPU that the threads of this process have had, by the kernel's exact count.
fn cpu() -> anyhow::Result<f64> {
    let mut nanoseconds = 0.0;
    for thread in std::fs::read_dir("/proc/self/task").context("this needs Linux")? {
        let times = std::fs::read_to_string(thread?.path().join("schedstat")).context("no schedstat")?;
        nanoseconds += times.split_whitespace().next().unwrap_or_default().parse::<f64>()?;
    }
    Ok(nanoseconds / 1e9)
}
