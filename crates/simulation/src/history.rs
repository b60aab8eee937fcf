// SPDX-License-Identifier: GPL-2.0-or-later
//! A history: everything that is decided before it is played, as plain data.
//!
//! Nothing in it depends on anything else in it, so that any part can be left out and what is left
//! is a history still: that is what makes shrinking possible.

use crate::random::Random;
use executive::Version;
use nt::Status;

/// What a client does; each is a program that ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Starts a session with this initial command, or the default one.
    Start(Option<&'static str>),
    /// Ends the session with this number.
    Stop(u32),
    /// Lists the sessions.
    List,
    /// Has a program run in a session.
    Exec(u32, &'static str),
    /// Starts an optional subsystem.
    Load(&'static str),
    /// A client that ends in the middle of something, at this step.
    Die(u32),
}

impl Operation {
    /// The program's command line.
    pub fn command_line(&self) -> String {
        match self {
            Self::Start(None) => "smctl.exe start".to_owned(),
            Self::Start(Some(command)) => format!("smctl.exe start {command}"),
            Self::Stop(session) => format!("smctl.exe stop {session}"),
            Self::List => "smctl.exe list".to_owned(),
            Self::Exec(session, program) => format!("smctl.exe exec {session} {program}"),
            Self::Load(name) => format!("smctl.exe load {name}"),
            Self::Die(step) => format!("smdie.exe {step}"),
        }
    }
}

/// A call of smss that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailedCall {
    /// Which of smss' calls, from 0.
    pub call: u64,
    /// With what.
    pub status: Status,
}

/// A process that ends at one of its own calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Death {
    /// The image.
    pub image: &'static str,
    /// Which call of all processes of that image, from 0.
    pub call: u64,
}

/// A place where the running thread gives way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preemption {
    /// Which call of all processes it is made before, from 0.
    pub point: u64,
    /// Which of those that are ready goes on: this number modulo how many there are.
    pub next: u64,
}

/// In which order threads run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// At some of the calls the next thread is drawn at random from those that are ready.
    Drawn {
        /// The seed of the draws.
        seed: u64,
        /// How often.
        one_in: u64,
    },
    /// First come, first served, but for these.
    Listed(Vec<Preemption>),
}

/// A whole history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// The kernel's version.
    pub version: Version,
    /// How the subsystem servers of new sessions behave, one after the other, then honestly.
    pub servers: Vec<&'static str>,
    /// How many programs the registry asks to run before the subsystems, and which.
    pub boot_commands: Vec<&'static str>,
    /// Pending renames: this many files, each to another name.
    pub renames: u32,
    /// What clients do: those of one round at the same time, the rounds one after the other.
    pub rounds: Vec<Vec<Operation>>,
    /// Which calls fail.
    pub faults: Vec<FailedCall>,
    /// Which processes die.
    pub deaths: Vec<Death>,
    /// Who runs.
    pub schedule: Schedule,
    /// After how many writes to the disk the power goes in the first boot.
    pub power_cut: Option<u64>,
}

/// What a failing call may say: plausible for most. Success codes that do not mean
/// success (TIMEOUT, ALERTED) are left out: the seam turns all of those into `Ok`, and a call that
/// was not made has no result to return.
const STATUSES: &[Status] = &[
    Status::NO_MEMORY,
    Status::INSUFFICIENT_RESOURCES,
    Status::ACCESS_DENIED,
    Status::OBJECT_NAME_NOT_FOUND,
    Status::INVALID_HANDLE,
    Status::IO_DEVICE_ERROR,
    Status::UNSUCCESSFUL,
];

/// Ways of the server of a new session (`Elsewhere=` of the stand-in csrss).
const WAYS: &[&str] = &[
    "honest", "silent", "deaf", "mute", "refuses", "leaves", "nameless", "dies",
];

const COMMANDS: &[&str] = &["sleep.exe", "logoff.exe", "winlogon.exe", "nosuch.exe"];
const PROGRAMS: &[&str] = &["sleep.exe", "console.exe", "winlogon.exe", "nosuch.exe"];
const BOOT_COMMANDS: &[&str] = &["autocheck autochk *", "exit.exe", "nosuch.exe"];
const MORTALS: &[&str] = &["csrss.exe", "winlogon.exe", "smctl.exe", "psxss.exe"];

/// Roughly how many calls smss makes in a boot: faults are drawn below this, and beyond it those
/// that hit what clients ask for.
const BOOT_CALLS: u64 = 500;
/// Roughly how many it makes in all.
const ALL_CALLS: u64 = 1500;
/// Roughly how many writes to the disk there are.
const WRITES: u64 = 120;

impl History {
    /// The history of a seed.
    pub fn draw(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let random = &mut random;
        let version = *random.pick(&[Version::V5_2, Version::V6_1]);
        let servers = many(random, 4, |random| *random.pick(WAYS));
        let boot_commands = many(random, 2, |random| *random.pick(BOOT_COMMANDS));
        let renames = if random.one_in(3) {
            random.below(6) as u32
        } else {
            0
        };
        let rounds = many(random, 5, |random| {
            let mut round = many(random, 3, operation);
            round.push(operation(random));
            round
        });
        let disturbed_boot = random.one_in(3);
        let faults = match random.below(3) {
            0 => Vec::new(),
            1 => vec![fault(random, disturbed_boot)],
            _ => many(random, 4, |random| fault(random, disturbed_boot)),
        };
        let deaths = if random.one_in(2) {
            many(random, 2, |random| Death {
                image: random.pick(MORTALS),
                call: random.below(120),
            })
        } else {
            Vec::new()
        };
        let schedule = match random.below(3) {
            0 => Schedule::Listed(Vec::new()),
            1 => Schedule::Drawn {
                seed: random.bits(),
                one_in: 1,
            },
            _ => Schedule::Drawn {
                seed: random.bits(),
                one_in: 2 + random.below(40),
            },
        };
        let power_cut = (renames > 0 && random.one_in(2)).then(|| random.below(WRITES));
        Self {
            version,
            servers,
            boot_commands,
            renames,
            rounds,
            faults,
            deaths,
            schedule,
            power_cut,
        }
    }

    /// How much there is in it: what shrinking makes smaller.
    pub fn size(&self) -> usize {
        let schedule = match &self.schedule {
            Schedule::Drawn { .. } => 1000,
            Schedule::Listed(preemptions) => preemptions.len(),
        };
        self.servers.len()
            + self.boot_commands.len()
            + self.renames as usize
            + self
                .rounds
                .iter()
                .map(|round| 1 + round.len())
                .sum::<usize>()
            + self.faults.len()
            + self.deaths.len()
            + schedule
            + usize::from(self.power_cut.is_some())
    }
}

fn many<T>(random: &mut Random, most: u64, mut one: impl FnMut(&mut Random) -> T) -> Vec<T> {
    (0..random.below(most + 1)).map(|_| one(random)).collect()
}

fn operation(random: &mut Random) -> Operation {
    let session = |random: &mut Random| 1 + random.below(4) as u32;
    match random.below(10) {
        0..=3 => Operation::Start(random.one_in(3).then(|| *random.pick(COMMANDS))),
        4 | 5 => Operation::Stop(session(random)),
        6 => Operation::List,
        7 => Operation::Exec(session(random), random.pick(PROGRAMS)),
        8 => Operation::Load("Posix"),
        _ => Operation::Die(random.below(6) as u32),
    }
}

fn fault(random: &mut Random, boot: bool) -> FailedCall {
    let call = if boot {
        random.below(BOOT_CALLS)
    } else {
        BOOT_CALLS + random.below(ALL_CALLS - BOOT_CALLS)
    };
    FailedCall {
        call,
        status: *random.pick(STATUSES),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_one_history_and_another_gives_another() {
        assert_eq!(History::draw(7), History::draw(7));
        assert_ne!(History::draw(7), History::draw(8));
    }
}
