//! What the system knows of the process, under the names that every Prometheus client gives it.

use std::fmt;
use std::fs;

use jiff::Timestamp;

use super::families::Families;

/// The kernel gives times to programs in hundredths of a second, on every architecture.
const TICKS_PER_SECOND: f64 = 100.0;

/// The process at one moment; what the system does not give is absent (no `/proc` outside Linux).
#[derive(Debug, Default)]
pub(super) struct Process {
    /// In seconds, user and system.
    cpu: Option<f64>,
    resident_bytes: Option<u64>,
    virtual_bytes: Option<u64>,
    open_fds: Option<usize>,
    max_fds: Option<f64>,
}

impl Process {
    pub(super) fn read() -> Self {
        let text = |name: &str| fs::read_to_string(format!("/proc/self/{name}")).unwrap_or_default();
        let status = text("status");
        Self {
            cpu: cpu(&text("stat")),
            resident_bytes: kibibytes(&status, "VmRSS:"),
            virtual_bytes: kibibytes(&status, "VmSize:"),
            open_fds: fs::read_dir("/proc/self/fd").map(Iterator::count).ok(),
            max_fds: max_fds(&text("limits")),
        }
    }

    pub(super) fn write(&self, families: &mut Families<'_>, started_at: Timestamp) -> fmt::Result {
        let Self { cpu, resident_bytes, virtual_bytes, open_fds, max_fds } = self;
        let started = started_at.as_duration().as_secs_f64();
        families.seconds_counter("process_cpu_seconds", "User and system CPU time spent.", *cpu)?;
        families.gauge("process_resident_memory_bytes", "Resident memory size.", *resident_bytes)?;
        families.gauge("process_virtual_memory_bytes", "Virtual memory size.", *virtual_bytes)?;
        families.gauge("process_open_fds", "Number of open file descriptors.", *open_fds)?;
        families.gauge("process_max_fds", "Maximum number of open file descriptors.", *max_fds)?;
        families.gauge("process_start_time_seconds", "Start time of the process since the Unix epoch.", Some(started))
    }
}

/// Fields 14 and 15 of `stat`. The name of the program stands in parentheses before them and may hold anything.
fn cpu(stat: &str) -> Option<f64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u32>().ok().map(f64::from);
    Some((ticks()? + ticks()?) / TICKS_PER_SECOND)
}

/// A line of `status`, as in `VmRSS:     5312 kB`.
fn kibibytes(status: &str, name: &str) -> Option<u64> {
    let rest = status.lines().find_map(|line| line.strip_prefix(name))?;
    rest.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
}

/// The soft limit. Without one it is infinite.
fn max_fds(limits: &str) -> Option<f64> {
    let rest = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    match rest.split_whitespace().next()? {
        "unlimited" => Some(f64::INFINITY),
        number => number.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::plain("7 (kai) S 1 7 7 0 -1 4194560 1 0 0 0 250 50 0 0 20 0 9", Some(3.0))]
    #[case::a_name_with_a_parenthesis("7 (k) 1 2 S) S 1 7 7 0 -1 4194560 1 0 0 0 0 1 0 0 20", Some(0.01))]
    #[case::cut("7 (kai) S 1 7", None)]
    #[case::empty("", None)]
    fn the_times_are_told_from_the_name(#[case] stat: &str, #[case] seconds: Option<f64>) {
        assert_eq!(cpu(stat), seconds);
    }

    #[test]
    fn sizes_and_limits_are_read_in_bytes_and_files() {
        let status = "Name:\tkai\nVmSize:\t  10 kB\nVmRSS:\t    5312 kB\n";
        assert_eq!((kibibytes(status, "VmRSS:"), kibibytes(status, "VmSwap:")), (Some(5312 * 1024), None));
        let limits =
            |soft: &str| format!("Limit  Soft Limit  Hard Limit  Units\nMax open files  {soft}  4096  files\n");
        assert_eq!(max_fds(&limits("1024")), Some(1024.0));
        assert_eq!(max_fds(&limits("unlimited")), Some(f64::INFINITY));
        assert_eq!(max_fds(""), None);
    }
}
