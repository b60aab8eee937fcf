// SPDX-License-Identifier: GPL-2.0-or-later
//! `simulation [--seeds N] [--first S]` plays N histories; `--seed S --replay` plays one and shows
//! its calls. Exit code 0 exactly when every promise was kept.
#![forbid(unsafe_code)]

use simulation::{History, Played, Reached, play, shrink};
use std::process::ExitCode;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

/// Plays until the shrinking gives up.
const SHRINKING: usize = 150;
/// Calls that are shown of a history that breaks a promise.
const LAST: usize = 25;
/// Violations after which it is enough.
const ENOUGH: usize = 5;

/// How often it is told how far the work is.
const PROGRESS: Duration = Duration::from_secs(10);

struct Options {
    first: u64,
    seeds: u64,
    replay: bool,
}

fn options() -> Result<Options, String> {
    let mut options = Options {
        first: 0,
        seeds: 200,
        replay: false,
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
            other => return Err(format!("{other}: no such option")),
        }
    }
    if options.seeds == 0 {
        return Err("no seed, nothing shown".to_owned());
    }
    Ok(options)
}

/// The histories of the seeds, played by as many threads as there are processors, in the order of
/// the seeds.
fn played(options: &Options) -> impl Iterator<Item = (u64, History, Played)> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let end = options.first + options.seeds;
    let queues: Vec<_> = (0..workers)
        .map(|worker| {
            let (give, take) = sync_channel(4);
            let seeds = (options.first + worker..end).step_by(workers as usize);
            std::thread::spawn(move || {
                for seed in seeds {
                    let history = History::draw(seed);
                    let played = play(&history);
                    if give.send((seed, history, played)).is_err() {
                        return;
                    }
                }
            });
            take
        })
        .collect();
    (0..options.seeds).map_while(move |at| queues[(at % workers) as usize].recv().ok())
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
    let begun = Instant::now();
    let mut reached = Reached::default();
    let mut told = begun;
    let mut failures = 0;
    for (seed, history, played) in played(&options) {
        if options.replay {
            println!("{history:#?}");
            played.trace.iter().for_each(|line| println!("{line}"));
        }
        reached.add(played.reached);
        if told.elapsed() >= PROGRESS {
            told = Instant::now();
            eprintln!(
                "{} of {} histories, {} s",
                reached.histories,
                options.seeds,
                begun.elapsed().as_secs()
            );
        }
        let Some(violation) = played.violation else {
            continue;
        };
        failures += 1;
        println!(
            "seed {seed}: broken: {}: {}",
            violation.invariant, violation.seen
        );
        let last = played.trace.len().saturating_sub(LAST);
        played.trace[last..]
            .iter()
            .for_each(|line| println!("    {line}"));
        if !options.replay {
            let (shortest, why) = shrink::shrink(&played.recorded, violation, SHRINKING);
            println!("  the shortest found ({}): {shortest:#?}", why.seen);
        }
        println!("  again: cargo xtask simulate --seed {seed} --replay");
        if failures == ENOUGH {
            break;
        }
    }
    println!("{reached}");
    println!(
        "{} of {} histories broke a promise; {} s",
        failures,
        reached.histories,
        begun.elapsed().as_secs()
    );
    ExitCode::from(u8::from(failures > 0))
}
