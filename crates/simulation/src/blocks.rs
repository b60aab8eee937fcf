// SPDX-License-Identifier: GPL-2.0-or-later
//! Histories by the thousand are played in blocks, each by a process of its own: what a process of a
//! world keeps lives until the host's process ends, so ten thousand histories would keep gigabytes;
//! and a history that ends its host is found like any other.
//!
//! Such a process writes a line when it begins a history, a line if that breaks a promise, and at its
//! end what it reached. Histories that broke one are played again by whoever tells of them: the same
//! seed gives the same history.

use simulation::{History, Reached, play};
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::ops::Range;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Seeds of a block.
const BLOCK: u64 = 100;
/// What a process is started with that plays one.
pub const OPTION: &str = "--block";
/// How often it is told how far the work is.
const PROGRESS: Duration = Duration::from_secs(10);

const BEGUN: &str = "begun ";
const BROKEN: &str = "broken ";
const COMPLETE: &str = "complete";

/// What became of a history that is not as it should be.
pub enum Broken {
    /// It broke a promise.
    Promise,
    /// Its process ended.
    Process(ExitStatus),
}

/// What a block's process tells.
enum Told {
    Begun,
    Broken(u64, Broken),
    Reached(Reached),
}

/// Plays a block.
pub fn play_block(seeds: Range<u64>) {
    let mut out = std::io::stdout().lock();
    let mut reached = Reached::default();
    let mut say = |line: &str| {
        // Whoever listens no more has heard enough.
        if writeln!(out, "{line}").and_then(|()| out.flush()).is_err() {
            std::process::exit(0);
        }
    };
    for seed in seeds {
        say(&format!("{BEGUN}{seed}"));
        let played = play(&History::draw(seed));
        if played.violation.is_some() {
            say(&format!("{BROKEN}{seed}"));
        }
        reached.add(played.reached);
    }
    reached.lines().for_each(|line| say(&line));
    say(COMPLETE);
}

/// Has all of them played, by as many processes at once as there are processors: what was reached.
/// `broken` is told of each that is not as it should be, and says whether to go on.
pub fn play_all(seeds: Range<u64>, broken: &mut dyn FnMut(u64, Broken) -> bool) -> Reached {
    let blocks: VecDeque<Range<u64>> = seeds
        .clone()
        .step_by(BLOCK as usize)
        .map(|first| first..seeds.end.min(first + BLOCK))
        .collect();
    let blocks = Arc::new(Mutex::new(blocks));
    let take = |blocks: &Mutex<VecDeque<_>>| {
        blocks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front()
    };
    let (give, told) = channel();
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    for _ in 0..workers {
        let (blocks, give) = (Arc::clone(&blocks), give.clone());
        std::thread::spawn(move || {
            while let Some(seeds) = take(&blocks) {
                if let Err(error) = have_played(seeds, &give) {
                    eprintln!("simulation: {error}");
                    std::process::exit(2);
                }
            }
        });
    }
    drop(give);
    let begun = Instant::now();
    let mut shown = begun;
    let mut reached = Reached::default();
    let mut histories = 0;
    for told in told {
        match told {
            Told::Begun => histories += 1,
            Told::Reached(more) => reached.add(more),
            Told::Broken(seed, how) => {
                if !broken(seed, how) {
                    blocks
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .clear();
                    break;
                }
            }
        }
        if shown.elapsed() >= PROGRESS {
            shown = Instant::now();
            eprintln!(
                "{histories} of {} histories, {} s",
                seeds.end - seeds.start,
                begun.elapsed().as_secs()
            );
        }
    }
    reached
}

/// Has a block played, and tells what its process says.
fn have_played(seeds: Range<u64>, give: &Sender<Told>) -> std::io::Result<()> {
    let mut rest = seeds;
    while !rest.is_empty() {
        let mut process = Command::new(std::env::current_exe()?)
            .args([OPTION, "--first", &rest.start.to_string()])
            .args(["--seeds", &(rest.end - rest.start).to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut at = rest.start;
        let mut complete = false;
        let mut reached = Reached::default();
        // It ends with the receiver of what is told: nobody wants to know any more.
        let tell = |told| give.send(told).is_ok();
        for line in process
            .stdout
            .take()
            .into_iter()
            .flat_map(|out| BufReader::new(out).lines())
        {
            let line = line?;
            let heard = if let Some(seed) = seed_of(&line, BEGUN) {
                at = seed;
                tell(Told::Begun)
            } else if let Some(seed) = seed_of(&line, BROKEN) {
                tell(Told::Broken(seed, Broken::Promise))
            } else {
                complete |= line == COMPLETE;
                reached.add_line(&line) || complete
            };
            if !heard {
                process.kill()?;
                process.wait()?;
                return Ok(());
            }
        }
        let status = process.wait()?;
        if complete {
            tell(Told::Reached(reached));
            return Ok(());
        }
        tell(Told::Broken(at, Broken::Process(status)));
        rest.start = at + 1;
    }
    Ok(())
}

fn seed_of(line: &str, what: &str) -> Option<u64> {
    line.strip_prefix(what)?.parse().ok()
}
