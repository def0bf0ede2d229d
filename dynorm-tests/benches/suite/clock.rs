//! The measurements that a client makes of itself. The package of the peers includes this file.

use std::time::Instant;

use anyhow::Context as _;

/// The cost of a piece of work in seconds; NaN if the client cannot do it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Took {
    pub(crate) cpu: f64,
    pub(crate) wall: f64,
}

impl Took {
    /// The minimum of both, of each figure.
    #[allow(dead_code, reason = "the peers have one turn each")]
    pub(crate) fn least(self, other: Self) -> Self {
        Self { cpu: self.cpu.min(other.cpu), wall: self.wall.min(other.wall) }
    }
}

/// Measures CPU time of all threads of this process, and wall time.
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

/// CPU seconds of the threads of this process, by the kernel's exact count.
fn cpu() -> anyhow::Result<f64> {
    let mut nanoseconds = 0.0;
    for thread in std::fs::read_dir("/proc/self/task").context("this needs Linux")? {
        let times = std::fs::read_to_string(thread?.path().join("schedstat")).context("no schedstat")?;
        nanoseconds += times.split_whitespace().next().unwrap_or_default().parse::<f64>()?;
    }
    Ok(nanoseconds / 1e9)
}
