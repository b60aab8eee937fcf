// SPDX-License-Identifier: GPL-2.0-or-later
//! A history: everything that is decided before it is played, as plain data.
//!
//! Nothing in it depends on anything else in it, so that any part can be left out and what is left
//! is a history still: that is what makes shrinking possible.

use crate::machine::{Machine, PowerCut, Rename};
use crate::random::Random;
use crate::settings::Setting;
use crate::statuses;
use executive::Version;
use nt::Status;

/// Stands for the image of a Session Manager that another one started: a child instance of NT 6.
pub const CHILD: &str = "child instance";

/// The way of a server that keeps the contract.
pub const HONEST: &str = "honest";

/// Sessions that a kernel has room for, the first one among them.
pub const SESSIONS: u32 = 64;

/// What a client does; each is a program that ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Starts a session with this initial command, or the default one.
    Start(Option<&'static str>),
    /// Ends a session: 0 is the first; others are counted round among those that stand beside it when
    /// the client starts, and are one that does not if there are none.
    Stop(u32),
    /// Lists the sessions.
    List,
    /// Has a program run in a session, named in the same way.
    Exec(u32, &'static str),
    /// The same on a connection whose thread has ended.
    ExecLater(u32, &'static str),
    /// Starts an optional subsystem.
    Load(&'static str),
    /// A client that ends in the middle of something, at this step.
    Die(u32),
    /// A client that breaks the protocol in this way.
    Break(&'static str),
}

impl Operation {
    /// Whether it may make a session.
    pub const fn may_start(&self) -> bool {
        matches!(self, Self::Start(_) | Self::Die(_) | Self::Break(_))
    }

    /// The program's command line, where these sessions stand beside the first.
    pub fn command_line(&self, sessions: &[u32]) -> String {
        let named = |which: u32| match which.checked_sub(1) {
            None => 0,
            Some(at) => {
                let at = at as usize % sessions.len().max(1);
                sessions.get(at).copied().unwrap_or(which)
            }
        };
        match self {
            Self::Start(None) => "smctl.exe start".to_owned(),
            Self::Start(Some(command)) => format!("smctl.exe start {command}"),
            Self::Stop(which) => format!("smctl.exe stop {}", named(*which)),
            Self::List => "smctl.exe list".to_owned(),
            Self::Exec(which, program) => format!("smctl.exe exec {} {program}", named(*which)),
            Self::ExecLater(which, program) => {
                format!("smctl.exe later {} {program}", named(*which))
            }
            Self::Load(name) => format!("smctl.exe load {name}"),
            Self::Die(step) => format!("smdie.exe {step}"),
            Self::Break(case) => format!("smtest.exe {case}"),
        }
    }
}

/// Which call, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nth {
    /// Of all calls.
    Call(u64),
    /// Of those of one service.
    Of(&'static str, u64),
}

/// A call of smss that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailedCall {
    /// Which of smss' calls.
    pub call: Nth,
    /// With what: a choice among what that call can give.
    pub choice: u64,
}

impl FailedCall {
    /// What `call` gives.
    pub fn status(&self, call: &str) -> Status {
        statuses::of(call, self.choice)
    }
}

/// A call that takes its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlowCall {
    /// The image.
    pub image: &'static str,
    /// Which call of all processes of that image, from 0.
    pub call: u64,
    /// How long, in seconds of virtual time.
    pub seconds: u64,
}

/// A process that ends at one of its own calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Death {
    /// The image, or [`CHILD`].
    pub image: &'static str,
    /// Which call of all processes of that image, from 0.
    pub call: u64,
}

/// A place where the running thread gives way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preemption {
    /// Which point of all processes, from 0: a call, or a lock of smss' own that is taken.
    pub point: u64,
    /// Which of those that are ready goes on: this number modulo how many there are.
    pub next: u64,
}

/// In which order threads run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// At some of the points the next thread is drawn at random from those that are ready.
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
    /// The handles that session 0's Windows server and those of new sessions say they have made a
    /// process with, one after the other; if there is none they make it.
    pub picks: Vec<u32>,
    /// How the optional POSIX server behaves, each time that it is started.
    pub posix: &'static str,
    /// How many programs the registry asks to run before the subsystems, and which.
    pub boot_commands: Vec<&'static str>,
    /// The disks.
    pub machine: Machine,
    /// What else the registry says.
    pub settings: Vec<Setting>,
    /// Pending renames.
    pub renames: Vec<Rename>,
    /// What clients do: those of one round at the same time, the rounds one after the other.
    pub rounds: Vec<Vec<Operation>>,
    /// Which calls fail.
    pub faults: Vec<FailedCall>,
    /// Which calls are slow.
    pub slow: Vec<SlowCall>,
    /// Which requests for a frame of memory are refused, counted from the first boot's start.
    pub frames: Vec<u64>,
    /// Which processes die.
    pub deaths: Vec<Death>,
    /// Who runs.
    pub schedule: Schedule,
    /// The power cuts of the first boots, one a boot.
    pub power_cuts: Vec<PowerCut>,
}

/// Ways of the server of a new session (`Elsewhere=` of the stand-in csrss).
const WAYS: &[&str] = &[
    HONEST, "silent", "deaf", "mute", "refuses", "leaves", "nameless", "dies", "wordy", "twice",
    "both",
];

/// Ways of the POSIX server that is not honest (arguments of faulty.exe).
const POSIX_WAYS: &[&str] = &[
    "silent", "deaf", "mute", "refuses", "leaves", "nameless", "dies",
];

const COMMANDS: &[&str] = &["sleep.exe", "logoff.exe", "winlogon.exe", "nosuch.exe"];
const PROGRAMS: &[&str] = &["sleep.exe", "console.exe", "winlogon.exe", "nosuch.exe"];
const BOOT_COMMANDS: &[&str] = &["autocheck autochk *", "exit.exe", "nosuch.exe"];
const MORTALS: &[&str] = &["csrss.exe", "winlogon.exe", "smctl.exe", "psxss.exe", CHILD];
const SLOW: &[&str] = &[
    "csrss.exe",
    "smss.exe",
    "smctl.exe",
    "psxss.exe",
    "winlogon.exe",
];
/// Cases of smtest that a Session Manager in any state must outlive.
const BROKEN: &[&str] = &[
    "unknown-numbers",
    "foreign-sessions",
    "session-complete",
    "deferred-names",
    "stop-csr",
    "short-messages",
    "long-connection-data",
    "forged-headers",
    "exec-pgm",
    "query",
];

/// Roughly how many calls smss makes in a boot: faults are drawn below this, and beyond it those
/// that hit what clients ask for.
const BOOT_CALLS: u64 = 500;
/// Roughly how many it makes in all.
const ALL_CALLS: u64 = 1500;
/// Services that are called seldom, so that a fault drawn for any call hardly ever hits them.
const RARE: &[&str] = &[
    "NtCreateFile",
    "NtDelayExecution",
    "NtDisplayString",
    "NtFlushKey",
    "NtMakeTemporaryObject",
    "NtMapViewOfSection",
    "NtReadFile",
    "NtTerminateProcess",
    "NtWriteFile",
];
/// The service by which one thread of smss lets another go on.
const SIGNAL: &str = "NtSetEvent";
/// Calls of one service, of which one is made to fail.
const OF_ONE: u64 = 12;
/// One history in so many is a crowd.
const CROWDED: u64 = 200;
/// And one of the others in so many has nothing in it that stands in a client's way.
const QUIET: u64 = 12;
/// Roughly how many frames of memory are asked for in a boot and what follows.
const FRAMES: u64 = 3000;

impl History {
    /// The history of a seed.
    pub fn draw(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let random = &mut random;
        let version = *random.pick(&[Version::V5_2, Version::V6_1]);
        if random.one_in(CROWDED) {
            return Self::crowd(random, version);
        }
        let servers = many(random, 4, |random| *random.pick(WAYS));
        let picks = if random.one_in(8) {
            many(random, 3, pick)
        } else {
            Vec::new()
        };
        let boot_commands = many(random, 2, |random| *random.pick(BOOT_COMMANDS));
        let renames = if random.one_in(3) {
            many(random, 5, Rename::draw)
        } else {
            Vec::new()
        };
        let machine = Machine::draw(random);
        let settings = if random.one_in(2) {
            many(random, 6, Setting::draw)
        } else {
            Vec::new()
        };
        let rounds = many(random, 5, |random| {
            let mut round = many(random, 3, operation);
            round.push(operation(random));
            round
        });
        let disturbed_boot = random.one_in(3);
        let mut faults = match random.below(4) {
            0 => Vec::new(),
            1 => vec![fault(random, disturbed_boot)],
            2 => vec![fault(random, disturbed_boot), fault(random, disturbed_boot)],
            _ => many(random, 12, |random| fault(random, disturbed_boot)),
        };
        let slow = if random.one_in(3) {
            many(random, 3, |random| SlowCall {
                image: random.pick(SLOW),
                call: random.below(400),
                seconds: 1 << random.below(8),
            })
        } else {
            Vec::new()
        };
        let frames = if random.one_in(4) {
            many(random, 4, |random| random.below(FRAMES))
        } else {
            Vec::new()
        };
        let deaths = if random.one_in(2) {
            many(random, 3, |random| Death {
                image: random.pick(MORTALS),
                call: random.below(160),
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
        let power_cuts = if !renames.is_empty() && random.one_in(2) {
            let mut cuts = many(random, 1, PowerCut::draw);
            cuts.push(PowerCut::draw(random));
            cuts
        } else {
            Vec::new()
        };
        // Drawn last: what was drawn before there was any of this is still what its seed gave.
        let way = *random.pick(POSIX_WAYS);
        // As a required server of session 0 it would be waited for without limit (spec 9.4 #9).
        let required = settings.iter().any(Setting::may_refuse_sessions);
        let posix = match random.one_in(3) && !required {
            true => way,
            false => HONEST,
        };
        if random.one_in(6) {
            faults.extend(many(random, 3, signal));
        }
        let mut history = Self {
            version,
            servers,
            picks,
            posix,
            boot_commands,
            machine,
            settings,
            renames,
            rounds,
            faults,
            slow,
            frames,
            deaths,
            schedule,
            power_cuts,
        };
        if random.one_in(QUIET) {
            history.quieten(random);
        }
        history
    }

    /// Takes out what disturbs the Session Manager: signals that fail stay, or the POSIX server, which a client
    /// asks for.
    fn quieten(&mut self, random: &mut Random) {
        self.servers.clear();
        self.picks.clear();
        self.settings.clear();
        (self.faults, self.posix) = match random.one_in(2) {
            true => (many(random, 3, signal), HONEST),
            false => (Vec::new(), *random.pick(POSIX_WAYS)),
        };
        self.slow.clear();
        self.frames.clear();
        self.deaths.clear();
        self.power_cuts.clear();
        let more = [
            Operation::Load("Posix"),
            Operation::Exec(1 + random.below(5) as u32, random.pick(PROGRAMS)),
        ];
        match self.rounds.first_mut() {
            Some(round) => round.extend(more),
            None => self.rounds.push(more.into()),
        }
    }

    /// As many new sessions at once as there is room for, and nothing else but a schedule.
    fn crowd(random: &mut Random, version: Version) -> Self {
        let room = SESSIONS - first_sessions(version);
        let starts = vec![Operation::Start(None); room as usize];
        Self {
            version,
            servers: Vec::new(),
            picks: Vec::new(),
            posix: HONEST,
            boot_commands: Vec::new(),
            machine: Machine::default(),
            settings: Vec::new(),
            renames: Vec::new(),
            rounds: vec![starts],
            faults: Vec::new(),
            slow: Vec::new(),
            frames: Vec::new(),
            deaths: Vec::new(),
            schedule: Schedule::Drawn {
                seed: random.bits(),
                one_in: 1 + random.below(40),
            },
            power_cuts: Vec::new(),
        }
    }

    /// Whether nothing in it gives the Session Manager a reason to refuse a client that asks for
    /// what there is.
    pub fn is_quiet(&self) -> bool {
        self.faults.is_empty() && self.only_signals_fail()
    }

    /// The same, but that signals may fail.
    pub fn only_signals_fail(&self) -> bool {
        let mut calls = self.faults.iter().map(|fault| fault.call);
        calls.all(|call| matches!(call, Nth::Of(SIGNAL, _)))
            && self.servers.is_empty()
            && self.picks.is_empty()
            && self.settings.is_empty()
            && self.slow.is_empty()
            && self.frames.is_empty()
            && self.deaths.is_empty()
    }

    /// How much there is in it: what shrinking makes smaller.
    pub fn size(&self) -> usize {
        let schedule = match &self.schedule {
            Schedule::Drawn { .. } => 1000,
            Schedule::Listed(preemptions) => preemptions.len(),
        };
        self.servers.len()
            + self.picks.len()
            + usize::from(self.posix != HONEST)
            + self.boot_commands.len()
            + self.machine.size()
            + self.settings.len()
            + self.renames.len()
            + self
                .rounds
                .iter()
                .map(|round| 1 + round.len())
                .sum::<usize>()
            + self.faults.len()
            + self.slow.len()
            + self.frames.len()
            + self.deaths.len()
            + schedule
            + self.power_cuts.len()
    }
}

/// Up to `most` of something.
pub fn many<T>(random: &mut Random, most: u64, mut one: impl FnMut(&mut Random) -> T) -> Vec<T> {
    (0..random.below(most + 1)).map(|_| one(random)).collect()
}

fn operation(random: &mut Random) -> Operation {
    let session = |random: &mut Random| random.below(6) as u32;
    match random.below(12) {
        0..=3 => Operation::Start(random.one_in(3).then(|| *random.pick(COMMANDS))),
        4 | 5 => Operation::Stop(session(random)),
        6 => Operation::List,
        7 => Operation::Exec(session(random), random.pick(PROGRAMS)),
        8 => Operation::Load("Posix"),
        9 => Operation::Break(random.pick(BROKEN)),
        10 => Operation::ExecLater(session(random), random.pick(PROGRAMS)),
        _ => Operation::Die(random.below(6) as u32),
    }
}

/// A signal of smss that fails: somebody waits for each, and most are given where requests meet.
fn signal(random: &mut Random) -> FailedCall {
    FailedCall {
        call: Nth::Of(SIGNAL, random.below(40)),
        choice: random.bits(),
    }
}

/// A handle that a server may say is that of a process it has made: a pseudo-handle, none, one of
/// those that smss has, or any.
fn pick(random: &mut Random) -> u32 {
    match random.below(4) {
        0 => u32::MAX - random.below(2) as u32,
        1 => random.below(5) as u32,
        2 => 4 * random.below(64) as u32,
        _ => random.bits() as u32,
    }
}

/// Sessions that stand after a boot that nothing disturbs.
pub const fn first_sessions(version: Version) -> u32 {
    match version {
        Version::V5_2 => 1,
        Version::V6_1 => 2,
    }
}

fn fault(random: &mut Random, boot: bool) -> FailedCall {
    let call = if random.one_in(5) {
        Nth::Of(random.pick(RARE), random.below(4))
    } else if random.one_in(3) {
        Nth::Of(random.pick(statuses::SERVICES), random.below(OF_ONE))
    } else if boot {
        Nth::Call(random.below(BOOT_CALLS))
    } else {
        Nth::Call(BOOT_CALLS + random.below(ALL_CALLS - BOOT_CALLS))
    };
    FailedCall {
        call,
        choice: random.bits(),
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
