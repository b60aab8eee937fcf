// SPDX-License-Identifier: GPL-2.0-or-later
//! `simulation [--seeds N] [--first S]` plays N histories; `--seed S --replay` plays one and shows
//! its calls; `--until-broken` ends with the first that breaks a promise, as it is. Exit code 0 exactly when every promise was kept.
#![forbid(unsafe_code)]

mod blocks;

use simulation::{History, Played, Reached, play, shrink};
use std::process::ExitCode;
use std::time::Instant;

/// Plays until the shrinking gives up.
const SHRINKING: usize = 150;
/// Calls that are shown of a history that breaks a promise.
const LAST: usize = 25;
/// Violations after which it is enough.
const ENOUGH: usize = 5;

/// What is asked for.
struct Options {
    first: u64,
    seeds: u64,
    replay: bool,
    /// The first broken promise is enough, and no shorter history is looked for.
    until_broken: bool,
    /// This process plays a block for another one.
    block: bool,
}

fn options() -> Result<Options, String> {
    let mut options = Options {
        first: 0,
        seeds: 200,
        replay: false,
        until_broken: false,
        block: false,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || {
            let text = arguments
                .next()
                .ok_or(format!("{argument} wants a number"))?;
            text.parse().map_err(|_| format!("{text} is no number"))
        };
        match argument.as_str() {
            "--seeds" => options.seeds = number()?,
            "--first" => options.first = number()?,
            "--seed" => (options.first, options.seeds) = (number()?, 1),
            "--replay" => options.replay = true,
            "--until-broken" => options.until_broken = true,
            blocks::OPTION => options.block = true,
            other => return Err(format!("{other}: no such option")),
        }
    }
    if options.seeds == 0 {
        return Err("no seed, nothing shown".to_owned());
    }
    Ok(options)
}

fn main() -> ExitCode {
    let options = match options() {
        Ok(options) => options,
        Err(error) => {
            eprintln!("simulation: {error}");
            return ExitCode::from(2);
        }
    };
    if cfg!(panic = "abort") {
        eprintln!("simulation: threads must unwind: build it with --profile simulation");
        return ExitCode::from(2);
    }
    // What panics is told as a violation, with its history.
    std::panic::set_hook(Box::new(|_| {}));
    let seeds = options.first..options.first + options.seeds;
    if options.block {
        blocks::play_block(seeds);
        return ExitCode::SUCCESS;
    }
    let begun = Instant::now();
    let (reached, failures) = if options.seeds == 1 {
        let history = History::draw(options.first);
        let played = play(&history);
        if options.replay {
            println!("{history:#?}");
            played.trace.iter().for_each(|line| println!("{line}"));
        }
        let reached = played.reached.clone();
        (
            reached,
            usize::from(tell(options.first, played, options.replay)),
        )
    } else {
        many(seeds, options.until_broken)
    };
    // What one history did not reach says nothing.
    if options.seeds > 1 {
        println!("{reached}");
    }
    println!(
        "{failures} of {} histories broke a promise; {} s",
        options.seeds,
        begun.elapsed().as_secs()
    );
    ExitCode::from(u8::from(failures > 0))
}

/// Has the histories played by other processes, and plays those again that broke a promise: what was
/// reached, and how many broke one.
fn many(seeds: std::ops::Range<u64>, until_broken: bool) -> (Reached, usize) {
    let mut failures = 0;
    let reached = blocks::play_all(seeds, &mut |seed, how| {
        failures += 1;
        match how {
            blocks::Broken::Promise => {
                if !tell(seed, play(&History::draw(seed)), until_broken) {
                    println!("seed {seed}: broke a promise, and does so no more");
                }
            }
            blocks::Broken::Process(status) => {
                println!("seed {seed}: the process that played it ended: {status}");
            }
        }
        !until_broken && failures < ENOUGH
    });
    (reached, failures)
}

/// Tells of a history that broke a promise: whether it did. `as_it_is`: no shorter one is looked for.
fn tell(seed: u64, played: Played, as_it_is: bool) -> bool {
    let Some(violation) = played.violation else {
        return false;
    };
    println!(
        "seed {seed}: broken: {}: {}",
        violation.invariant, violation.seen
    );
    let last = played.trace.len().saturating_sub(LAST);
    played.trace[last..]
        .iter()
        .for_each(|line| println!("    {line}"));
    if !as_it_is {
        let (shortest, why) = shrink::shrink(&played.recorded, violation, SHRINKING);
        println!("  the shortest found ({}): {shortest:#?}", why.seen);
    }
    println!("  again: cargo xtask simulate --seed {seed} --replay");
    true
}
