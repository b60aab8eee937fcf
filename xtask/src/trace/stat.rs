// SPDX-License-Identifier: GPL-2.0-or-later
//! `cargo xtask trace stat`: the calls of a trace, and where their time went, by phase of the boot and
//! by name.
//!
//! Time inside a call and time in which it waited are told apart: the first is the kernel's, the
//! second somebody else's. A wait that had not ended when the trace did counts for nothing.

use super::line::{Line, Outcome, What};
use crate::ui;
use anyhow::{Context, Result, bail};
use ntstatus::ntstatus::NtStatus;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

/// What became of some calls; times in units of 100 ns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    made: u32,
    failed: u32,
    /// Inside calls that did not wait.
    inside: u64,
    /// Between the start of a wait and its end.
    waited: u64,
}

/// One phase of the Session Manager's boot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Phase {
    name: String,
    begins: u64,
    tally: Tally,
}

/// Everything that is counted.
#[derive(Debug, Default)]
struct Statistics {
    by_name: BTreeMap<String, Tally>,
    phases: Vec<Phase>,
    /// When the trace's last line was.
    end: u64,
}

/// What the Session Manager says when a phase begins.
pub const PHASE: &str = "SMSS: phase: ";

/// Runs the verb.
pub fn verb(path: &Path, program: Option<&str>) -> Result<()> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the trace {}", path.display()))?;
    let statistics = Statistics::of(&text, program);
    if statistics.by_name.is_empty() {
        let of = program.map_or_else(String::new, |program| format!(" of {program}"));
        bail!("no call{of} in {}", path.display());
    }
    if statistics.phases.len() > 1 {
        phases(&statistics);
        println!();
    }
    let mut rows: Vec<_> = statistics.by_name.iter().collect();
    rows.sort_by_key(|(name, tally)| (std::cmp::Reverse(tally.made), *name));
    println!(
        "{:>7} {:>7} {:>11} {:>11}  call",
        "calls", "failed", "inside", "waited"
    );
    for (name, tally) in rows {
        println!("{}  {name}", columns(tally));
    }
    let made: u32 = statistics.by_name.values().map(|tally| tally.made).sum();
    ui::verdict(&format!(
        "{made} calls of {} services",
        statistics.by_name.len()
    ));
    Ok(())
}

fn phases(statistics: &Statistics) {
    println!(
        "{:>11} {:>7} {:>7} {:>11} {:>11}  phase",
        "lasts", "calls", "failed", "inside", "waited"
    );
    for (place, phase) in statistics.phases.iter().enumerate() {
        let next = statistics.phases.get(place + 1);
        let end = next.map_or(statistics.end, |next| next.begins);
        println!(
            "{:>11} {}  {}",
            seconds(end.saturating_sub(phase.begins)),
            columns(&phase.tally),
            phase.name
        );
    }
}

fn columns(tally: &Tally) -> String {
    format!(
        "{:>7} {:>7} {:>11} {:>11}",
        tally.made,
        tally.failed,
        seconds(tally.inside),
        seconds(tally.waited)
    )
}

/// Units of 100 ns in seconds, to the microsecond.
fn seconds(units: u64) -> String {
    format!("{}.{:06} s", units / 10_000_000, units / 10 % 1_000_000)
}

impl Statistics {
    /// Counts a trace. A line for the end of a wait is no other call.
    fn of(text: &str, program: Option<&str>) -> Self {
        let mut all = Self::default();
        let mut waiting: BTreeMap<&str, u64> = BTreeMap::new();
        for line in text.lines().filter_map(Line::parse) {
            all.end = line.time;
            if all.phases.is_empty() {
                all.begin("before the first phase", line.time);
            }
            if let What::Prints(text) = line.what
                && let Some(phase) = text.strip_prefix(PHASE)
            {
                all.begin(phase, line.time);
            }
            if program.is_some_and(|program| program != line.image) {
                continue;
            }
            let What::Call(name, outcome) = line.what else {
                continue;
            };
            let mut tally = Tally::default();
            let since = waiting.remove(line.client);
            match (since, outcome) {
                (Some(since), _) => tally.waited = line.time.saturating_sub(since),
                (None, Outcome::Returned(_, took)) => (tally.made, tally.inside) = (1, took),
                (None, _) => tally.made = 1,
            }
            match outcome {
                Outcome::Waits => {
                    waiting.insert(line.client, line.time);
                }
                Outcome::Returned(status, _) => tally.failed = u32::from(failed(status)),
                Outcome::Gone => {}
            }
            all.by_name.entry(name.to_owned()).or_default().add(&tally);
            if let Some(phase) = all.phases.last_mut() {
                phase.tally.add(&tally);
            }
        }
        all
    }

    fn begin(&mut self, name: &str, time: u64) {
        self.phases.push(Phase {
            name: name.to_owned(),
            begins: time,
            tally: Tally::default(),
        });
    }
}

impl Tally {
    const fn add(&mut self, other: &Self) {
        self.made += other.made;
        self.failed += other.failed;
        self.inside += other.inside;
        self.waited += other.waited;
    }
}

/// Whether a status is a warning or an error: by name, or in hex.
pub fn failed(status: &str) -> bool {
    let name = status.trim_start_matches("STATUS_");
    match u32::from_str_radix(name, 16) {
        Ok(code) => code >= 0x8000_0000,
        Err(_) => FAILURES.contains(name),
    }
}

/// The names of all warnings and errors in the public listing, without `STATUS_`.
static FAILURES: LazyLock<BTreeSet<&str>> = LazyLock::new(|| {
    let warnings = 0x8000_0000..=0x8000_FFFF_u32;
    let errors = 0xC000_0000..=0xC000_FFFF_u32;
    warnings
        .chain(errors)
        .filter_map(NtStatus::from_u32)
        .map(|name| name.trim_start_matches("STATUS_"))
        .collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "\
smss.exe  0.1000000 c.10 NtOpenKey(key=0x8) = OBJECT_NAME_NOT_FOUND <0.0000100>
smss.exe  0.1500000 c.10 --- SMSS: phase: 9 registry ---
smss.exe  0.2000000 c.10 NtOpenKey(key=0x8) = SUCCESS <0.0000200>
smss.exe  0.3000000 c.10 NtWaitForSingleObject(object=0x24<Event>) waits
csrss.exe 0.3500000 1c.20 NtClose(handle=0x8) = C0FFEE00 <0.0000001>
smss.exe  1.5500000 c.10 NtWaitForSingleObject() = TIMEOUT <1.2500000>
smss.exe  1.6000000 c.10 --- SMSS: phase: 16 DOS devices ---
smss.exe  1.7000000 c.10 NtClose(handle=0x8) = SUCCESS <0.0000010>
";

    const fn of(made: u32, failed: u32, inside: u64, waited: u64) -> Tally {
        Tally {
            made,
            failed,
            inside,
            waited,
        }
    }

    #[test]
    fn a_tally_counts_calls_failures_and_time() {
        let all = Statistics::of(TRACE, None).by_name;
        assert_eq!(all["NtOpenKey"], of(2, 1, 300, 0));
        assert_eq!(all["NtWaitForSingleObject"], of(1, 0, 0, 12_500_000));
        assert_eq!(all["NtClose"], of(2, 1, 11, 0));
        let smss = Statistics::of(TRACE, Some("smss.exe")).by_name;
        assert_eq!(smss["NtClose"], of(1, 0, 10, 0));
    }

    #[test]
    fn a_call_belongs_to_the_phase_in_which_it_is_made() {
        let all = Statistics::of(TRACE, Some("smss.exe"));
        let phases: Vec<(&str, u64, Tally)> = all
            .phases
            .iter()
            .map(|phase| (phase.name.as_str(), phase.begins, phase.tally))
            .collect();
        assert_eq!(
            phases,
            [
                ("before the first phase", 1_000_000, of(1, 1, 100, 0)),
                ("9 registry", 1_500_000, of(2, 0, 200, 12_500_000)),
                ("16 DOS devices", 16_000_000, of(1, 0, 10, 0)),
            ]
        );
        assert_eq!(all.end, 17_000_000);
    }
}
