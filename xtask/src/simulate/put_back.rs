// SPDX-License-Identifier: GPL-2.0-or-later
//! `cargo xtask simulate --put-back`: whether the simulation finds what it is for.
//!
//! Each row of [`FAULTS`] is a fault that this project once had and no test had noticed, written as
//! what has to stand in the sources in place of what is there now. One after the other is put back
//! into a clone of the last commit, and histories are played from seed 0 until one breaks a promise.
//! A row whose text is no longer in the sources fails a test: it is to be brought up to date.

use crate::cli::SimulateOptions;
use crate::{cargo, paths, ui};
use anyhow::{Context, Result, bail};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// One place in the sources.
struct Edit {
    file: &'static str,
    /// What is there now, once.
    now: &'static str,
    /// What was there.
    then: &'static str,
}

/// A fault.
pub struct Fault {
    /// What `--put-back` calls it.
    pub name: &'static str,
    /// What is wrong then.
    about: &'static str,
    edits: &'static [Edit],
}

/// The faults. What each broke is what `docs/testing.md` lists.
pub const FAULTS: &[Fault] = &[
    Fault {
        name: "fat-marks",
        about: "FAT renames without marks in the two entries",
        edits: &[
            Edit {
                file: "kernel-shim/formats/src/fat/entries.rs",
                now: "entry[MARKS_AT] |= mark;",
                then: "let _ = mark;",
            },
            Edit {
                file: "kernel-shim/formats/src/fat/entries.rs",
                now: "*byte = *byte & !(LEAVING | ARRIVING) | mark;",
                then: "let _ = (&mut *byte, mark);",
            },
        ],
    },
    Fault {
        name: "rename-flush",
        about: "renames that are not flushed one by one",
        edits: &[Edit {
            file: "crates/boot/src/renames.rs",
            now: "    let _ = system.flush_file(file.get());\n    touched.flush();\n    Ok(())",
            then: "    Ok(())",
        }],
    },
    Fault {
        name: "rename-barrier",
        about: "no barrier where a list takes a name again",
        edits: &[Edit {
            file: "crates/boot/src/barriers.rs",
            now: "barriers.push(place)?;",
            then: "let _ = place;",
        }],
    },
    Fault {
        name: "initial-end",
        about: "the end of an initial command before its session runs is not noted",
        edits: &[Edit {
            file: "crates/subsystems/src/state/terminals.rs",
            now: "        terminal.initial_ended = true;\n",
            then: "",
        }],
    },
    Fault {
        name: "server-lost",
        about: "the end of csrss before its session runs is not noted",
        edits: &[Edit {
            file: "crates/subsystems/src/state/terminals.rs",
            now: "        terminal.server_lost = true;\n",
            then: "",
        }],
    },
    Fault {
        name: "given-handles",
        about: "handles in a server's answer are taken as they are",
        edits: &[Edit {
            file: "crates/subsystems/src/start.rs",
            now: "given(sm, &record, told).inspect_err(",
            then: "Ok::<_, Status>(told.client = created.client).inspect_err(",
        }],
    },
    Fault {
        name: "second-registration",
        about: "a second registration of one server is not refused",
        edits: &[Edit {
            file: "crates/subsystems/src/state/servers.rs",
            now: "        if server.registering {\n",
            then: "        if server.registering && false {\n",
        }],
    },
    Fault {
        name: "connecting-thread",
        about: "ExecPgm opens the thread that connected",
        edits: &[
            Edit {
                file: "crates/subsystems/src/state/clients.rs",
                now: "    pub(crate) process_id: ProcessId,\n",
                then: "    pub(crate) process_id: ProcessId,\n    pub(crate) connected: nt::ClientId,\n",
            },
            Edit {
                file: "crates/subsystems/src/api/connections.rs",
                now: "            process_id,\n            terminal,\n",
                then: "            process_id,\n            connected: client,\n            terminal,\n",
            },
            Edit {
                file: "crates/subsystems/src/api/requests.rs",
                now: "exec::exec_pgm(sm, sender, body)",
                then: "exec::exec_pgm(sm, client.connected, body)",
            },
        ],
    },
    Fault {
        name: "thread-reserve",
        about: "no thread in reserve for what smss needs itself",
        edits: &[Edit {
            file: "crates/subsystems/src/state/threads.rs",
            now: "pub const MAXIMUM_THREADS: u32 = 2 * HELD as u32 + 2;",
            then: "pub const MAXIMUM_THREADS: u32 = 64;",
        }],
    },
    Fault {
        name: "bounded-calls",
        about: "places for 16 bounded calls",
        edits: &[Edit {
            file: "crates/subsystems/src/watchdog.rs",
            now: "const CALLS: usize = MAXIMUM_THREADS as usize + 1;",
            then: "const CALLS: usize = 16;",
        }],
    },
    Fault {
        name: "complete-once",
        about: "NtCompleteConnectPort is called once",
        edits: &[Edit {
            file: "crates/subsystems/src/api/connections.rs",
            now: "persist(system, &mut complete, client_is_gone)",
            then: "complete()",
        }],
    },
    Fault {
        name: "terminate-once",
        about: "a process that the kernel would not end is left",
        edits: &[Edit {
            file: "crates/launch/src/process.rs",
            now: "    match persist(\n        system,\n        &mut || system.terminate_process(process, status),\n        ends,\n    ) {",
            then: "    let _ = ends(status);\n    match system.terminate_process(process, status) {",
        }],
    },
    Fault {
        name: "gate-held",
        about: "the gate is held while an optional server of session 0 is waited for, without limit",
        edits: &[
            Edit {
                file: "crates/subsystems/src/start.rs",
                now: "    let server = loop {\n        let inside = session_space::pass_gate(sm)?;",
                then: "    let (server, _inside) = loop {\n        let inside = session_space::pass_gate(sm)?;",
            },
            Edit {
                file: "crates/subsystems/src/start.rs",
                now: "        drop(inside);\n        match turn {\n            Turn::Now(server) => break server,",
                then: "        match turn {\n            Turn::Now(server) => break (server, inside),",
            },
            Edit {
                file: "crates/subsystems/src/start.rs",
                now: "            session_space::pass_gate(sm)\n                .and_then(|_inside| process::create(plan, terminal.0, command, true, &mut told))",
                then: "            process::create(plan, terminal.0, command, true, &mut told)",
            },
            Edit {
                file: "crates/subsystems/src/start.rs",
                now: "        Timeout::Milliseconds(SERVER_TIMEOUT),\n",
                then: "        process::patience(terminal.0),\n",
            },
        ],
    },
    Fault {
        name: "gate-signal",
        about: "who waits at the gate waits for its signal alone",
        edits: &[Edit {
            file: "crates/subsystems/src/gate.rs",
            now: "system.wait_one(event, Timeout::Milliseconds(LOOK))",
            then: "system.wait_one(event, Timeout::Never)",
        }],
    },
    Fault {
        name: "answer-signal",
        about: "a server that has answered is ended if the signal for that fails",
        edits: &[Edit {
            file: "crates/subsystems/src/watchdog.rs",
            now: "        if place.answered() {\n            // It",
            then: "        if signalled.is_ok() && place.answered() {\n            // It",
        }],
    },
    Fault {
        name: "orphans",
        about: "what a killed child instance had made and not reported stays",
        edits: &[Edit {
            file: "crates/subsystems/src/nt6/resident.rs",
            now: "    orphans::end_of(sm, id);\n",
            then: "",
        }],
    },
    Fault {
        name: "forged-client",
        about: "ExecPgm believes whom the message names",
        edits: &[Edit {
            file: "crates/subsystems/src/exec.rs",
            now: "    identity::name(system, &mut suspended)?;\n",
            then: "",
        }],
    },
];

/// A fault's name.
///
/// # Errors
/// It is none, with those that are.
pub fn known(name: &str) -> Result<String, String> {
    let names: Vec<&str> = FAULTS.iter().map(|fault| fault.name).collect();
    match names.contains(&name) {
        true => Ok(name.to_owned()),
        false => Err(format!("the faults are {}", names.join(", "))),
    }
}

/// Puts the faults back that were asked for, one at a time, and plays histories.
///
/// # Errors
/// One of them is not found, or its text is no longer in the sources.
pub fn verb(options: &SimulateOptions, names: &[String]) -> Result<()> {
    let top = paths::folder(paths::target().join("put-back"))?;
    let clone = top.join("sources");
    refresh(&clone)?;
    let mut rows = Vec::new();
    let mut missed = Vec::new();
    let asked = |fault: &&Fault| names.is_empty() || names.iter().any(|name| name == fault.name);
    for fault in FAULTS.iter().filter(asked) {
        ui::step(&format!("{}: {}", fault.name, fault.about));
        for edit in fault.edits {
            put_back(&clone, edit)?;
        }
        let found = play(&clone, &top.join("build"), options.seeds);
        restore(&clone)?;
        match found? {
            Some(found) => rows.push(format!(
                "{:20} seed {:<6} {:4} s  {}",
                fault.name, found.seed, found.seconds, found.promise
            )),
            None => {
                rows.push(format!("{:20} not found", fault.name));
                missed.push(fault.name);
            }
        }
        ui::note(rows.last().map_or("", String::as_str));
    }
    for row in &rows {
        ui::say(row);
    }
    if !missed.is_empty() {
        bail!(
            "{} histories did not find {}: draw what these need more often, or play more with --seeds",
            options.seeds,
            missed.join(", ")
        );
    }
    ui::verdict("every fault that was put back is found");
    Ok(())
}

/// The last commit in `clone`. What was built of it stays: cargo sees which files have changed.
fn refresh(clone: &Path) -> Result<()> {
    if !clone.join(".git").is_dir() {
        git(
            paths::root(),
            &["clone", "--quiet", "--local", ".", &clone.to_string_lossy()],
        )?;
    }
    let head = git(paths::root(), &["rev-parse", "HEAD"])?;
    git(clone, &["fetch", "--quiet", "origin"])?;
    git(clone, &["reset", "--quiet", "--hard", head.trim()])?;
    Ok(())
}

fn restore(clone: &Path) -> Result<()> {
    git(clone, &["reset", "--quiet", "--hard"]).map(drop)
}

fn git(folder: &Path, arguments: &[&str]) -> Result<String> {
    let output = Command::new("git")
        .current_dir(folder)
        .args(arguments)
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run git")?;
    if !output.status.success() {
        bail!("git {} failed: see above", arguments.join(" "));
    }
    Ok(String::from_utf8(output.stdout)?)
}

fn put_back(top: &Path, edit: &Edit) -> Result<()> {
    let path = top.join(edit.file);
    let text = std::fs::read_to_string(&path)?;
    match text.matches(edit.now).count() {
        1 => Ok(std::fs::write(path, text.replace(edit.now, edit.then))?),
        count => bail!(
            "{} has this {count} times, not once: {}",
            edit.file,
            edit.now
        ),
    }
}

/// A history that broke a promise.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    seed: u64,
    promise: String,
    seconds: u64,
}

/// Builds what is in `clone` and plays up to `seeds` histories: the first that broke a promise.
fn play(clone: &Path, build: &Path, seeds: u64) -> Result<Option<Found>> {
    let at = |command: &mut Command| {
        command
            .current_dir(clone)
            .env("CARGO_TARGET_DIR", build)
            .env("CARGO_MANIFEST_DIR", clone)
            .args(["--quiet", "--profile", "simulation", "-p", "simulation"]);
    };
    let mut command = cargo::command();
    at(command.arg("build"));
    // Dead code of the fault's repair is no news.
    cargo::succeed(command.env("RUSTFLAGS", "-Awarnings"))?;
    let begun = Instant::now();
    let output = Command::new(build.join("simulation").join("simulation"))
        .args(["--seeds", &seeds.to_string(), "--until-broken"])
        .stderr(Stdio::inherit())
        .output()
        .context("the simulation cannot be started")?;
    let told = String::from_utf8_lossy(&output.stdout);
    Ok(told.lines().find_map(broken).map(|(seed, promise)| Found {
        seed,
        promise: promise.to_owned(),
        seconds: begun.elapsed().as_secs(),
    }))
}

/// The seed and the promise in a line of the simulation's that tells of a broken one.
fn broken(line: &str) -> Option<(u64, &str)> {
    let (seed, rest) = line.strip_prefix("seed ")?.split_once(": ")?;
    let (promise, _) = rest.strip_prefix("broken: ")?.split_once(": ")?;
    Some((seed.parse().ok()?, promise))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn what_is_put_back_has_its_place_in_the_sources() {
        for fault in FAULTS {
            for edit in fault.edits {
                let text = std::fs::read_to_string(paths::root().join(edit.file)).unwrap();
                let count = text.matches(edit.now).count();
                assert_eq!(count, 1, "{}: {}: {}", fault.name, edit.file, edit.now);
            }
        }
        let names: BTreeSet<&str> = FAULTS.iter().map(|fault| fault.name).collect();
        assert_eq!(names.len(), FAULTS.len());
    }

    #[test]
    fn a_line_that_tells_of_a_broken_promise() {
        assert_eq!(
            broken("seed 3: broken: no content is gone: file 1: nothing"),
            Some((3, "no content is gone"))
        );
        assert_eq!(broken("seed 3: broke a promise, and does so no more"), None);
        assert_eq!(broken("1 of 900 histories broke a promise; 6 s"), None);
    }
}
