// SPDX-License-Identifier: GPL-2.0-or-later
//! Command lines that are read, and those that are refused.

use super::*;

fn understood<'w>(words: impl IntoIterator<Item = &'w str>) -> Result<Cli, clap::Error> {
    let words = std::iter::once("xtask").chain(words);
    Cli::understood(&Cli::command().try_get_matches_from(words)?)
}

/// As [`Cli::read`], except that files and folders need not be there.
fn read(line: &str) -> Result<Cli, clap::Error> {
    understood(line.split_whitespace())
}

#[test]
fn the_help_of_every_verb_ends_with_an_example_that_is_understood() {
    fn hold(above: &str, verb: &clap::Command) {
        let name = format!("{above} {}", verb.get_name());
        let help = verb.clone().render_long_help().to_string();
        let (_, example) = help
            .rsplit_once("Example:\n")
            .unwrap_or_else(|| panic!("the help of `{name}` has no example"));
        let example = example.trim();
        assert!(example.starts_with(&name), "`{example}` shows another verb");
        // Where its output goes is the shell's. An argument in quotes is one word.
        let words = example.trim_start_matches("cargo xtask ");
        let words = words.split(" > ").next().unwrap_or_default();
        let words = words
            .split(['"', '\''])
            .enumerate()
            .flat_map(|(part, text)| {
                if part % 2 == 1 {
                    vec![text]
                } else {
                    text.split_whitespace().collect()
                }
            });
        let read = understood(words);
        assert!(read.is_ok(), "`{example}`: {}", read.err().unwrap());
        verb.get_subcommands().for_each(|below| hold(&name, below));
    }
    let cli = Cli::command();
    cli.get_subcommands()
        .for_each(|verb| hold("cargo xtask", verb));
}

#[test]
fn what_would_have_no_effect_is_a_usage_error() {
    for line in [
        "run --kill explorer",
        "run --kill wininit",
        "run --nt 6.1 --kill winlogon",
        "run --nt 7",
        "run --memory 0",
        "run --memory 99999999",
        "run --kill csrss --dump",
        "simulate --seeds 0",
        "simulate --seed 1 --seeds 2",
        "simulate --replay",
        "simulate --seed 1 --lines",
        "coverage nosuch",
        "mutants nosuch",
        "mutants pagefile --shard 3/3",
        "mutants pagefile --shard 3",
        "budgets --record --from a.iso",
        "budgets --hive a.reg",
        "budgets --growth --record",
        "budgets --arch i386 --record",
        "build --arch arm64",
        "dist --arch arm64",
        "report --width 800",
        "report --picture a.png --width 0",
        "report --picture a.png --height 1",
        "report --dark",
        "plan a.reg --nt 7",
        "plan a.reg --disk a.img --tree b",
        "compare",
        "compare --from a.iso --with notepad",
        "sm exec 0",
        "sm stop first",
        "completions tcsh",
        "trace dif a b",
        "run --json",
        "run --base a.iso --dump",
        "run --base a.iso --kill csrss",
        "run --base a.iso --nt 6.1",
        "run --from a.iso --smss b.exe",
        "test --fuzz hive",
        "test --faults hive",
        "test --host-only --qemu-only",
        "test --bless --host-only",
        "test --list --faults",
        "gdb --attach --batch bt",
        "gdb --vscode --attach",
        "ci --only everything",
        "run --keep",
        "run --system-root WINDOWS",
        "plan a.reg --system-root a:b",
        "run --program helo",
        "run --role initial",
        "run --arguments x",
        "run --base a.iso --program hello",
        "run --hive SOFTWRE=a.hiv",
        "run --file a=..",
        "run --boot-options exit=settled",
        "run --base a.iso --hive a.hiv",
        "gdb --base a.iso --file a.exe",
        "gdb --base a.iso --arch i386",
        "iso --base a.iso --disk b.img",
        "iso --smss a.exe",
        "install --tree a --smss b.exe --undo",
    ] {
        let error = read(line)
            .err()
            .unwrap_or_else(|| panic!("`{line}` passes"));
        assert_eq!(error.exit_code(), 2, "{line}");
    }
}

#[test]
fn what_is_no_number_is_told_in_words() {
    for line in [
        "simulate --seeds x",
        "simulate --seed 1.5",
        "budgets --functions many",
        "run --memory 1G",
        "report --picture a.png --width wide",
        "sm stop first",
    ] {
        let words = format!("xtask {line}");
        let error = Cli::read(words.split_whitespace().map(OsString::from))
            .err()
            .unwrap_or_else(|| panic!("`{line}` passes"));
        assert_eq!(error.exit_code(), 2, "{line}");
        let text = error.to_string();
        assert!(text.contains("it is no number"), "{line}: {text}");
    }
}

/// Each option that names something on this machine, with something else.
#[test]
fn what_is_named_and_is_not_there_is_told_before_anything_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(at("file"), "Windows Registry Editor Version 5.00\n").unwrap();
    let [file, none, dir] = [at("file"), at("none"), at("")];
    let deep = at("none/file");
    for (before, wrong, after) in [
        ("plan", &none, ""),
        ("plan", &dir, ""),
        ("plan --software", &none, &file),
        ("plan --disk", &none, &file),
        ("plan --tree", &none, &file),
        ("plan --tree", &file, &file),
        ("budgets --from", &none, ""),
        ("compare --from", &none, ""),
        ("compare --hive", &none, &format!("--from {file}")),
        ("run --hive", &none, ""),
        ("run --hive", &format!("SOFTWARE={none}"), ""),
        ("run --hive", &dir, ""),
        ("run --file", &none, ""),
        ("run --file", &format!("{none}=\\x"), ""),
        ("run --disk", &none, ""),
        ("run --base", &none, ""),
        ("run --smss", &none, ""),
        ("run --ntdll", &none, ""),
        ("run --from", &none, ""),
        ("run --shot", &deep, ""),
        ("run --shot", &dir, ""),
        ("gdb --hive", &none, ""),
        ("gdb --base", &none, ""),
        ("iso --base", &none, ""),
        ("iso --disk", &none, ""),
        ("iso --smss", &none, &format!("--base {file}")),
        ("iso --out", &deep, ""),
        ("dist --out", &deep, ""),
        ("install --tree", &none, ""),
        ("install --smss", &none, &format!("--tree {dir}")),
        ("shot", &deep, ""),
        ("trace diff", &none, &file),
        ("trace diff", &file, &none),
        ("trace stat", &none, ""),
        ("report", &none, ""),
        ("report --against", &none, ""),
        ("report --out", &deep, ""),
        ("report --picture", &deep, ""),
        ("chart", &none, ""),
        ("chart --out", &deep, ""),
    ] {
        let line = format!("xtask {before} {wrong} {after}");
        let words = line.split_whitespace();
        assert!(
            understood(words.clone().skip(1)).is_ok(),
            "`{line}` is no command line"
        );
        let error = Cli::read(words.map(OsString::from))
            .err()
            .unwrap_or_else(|| panic!("`{line}` passes"));
        assert_eq!(error.exit_code(), 2, "{line}");
        let text = error.to_string();
        assert!(
            text.contains("there is no") || text.contains("give "),
            "{text}"
        );
    }
    for line in [
        format!("plan {file} --tree {dir}"),
        format!("run --file {dir} --hive SOFTWARE={file} --shot {none}"),
        format!("report {dir} --against {file} --out {none}"),
        format!("trace diff {file} {file}"),
    ] {
        let words = format!("xtask {line}");
        let read = Cli::read(words.split_whitespace().map(OsString::from));
        assert!(read.is_ok(), "`{line}`: {}", read.err().unwrap());
    }
}

/// A new option that takes a path says whether it is a file or a folder that must be there, or one
/// that is written; those that may be either are told here.
#[test]
fn every_path_is_known_to_be_read_or_written() {
    const EITHER: [&str; 2] = ["run", "against"];
    fn hold(command: &clap::Command) {
        for argument in command.get_arguments() {
            let id = argument.get_id().as_str();
            assert!(
                argument.get_value_hint() != ValueHint::AnyPath
                    || EITHER.contains(&id)
                    || given::WRITTEN.contains(&id),
                "{} {argument}: is it a file or a folder?",
                command.get_name()
            );
        }
        command.get_subcommands().for_each(hold);
    }
    hold(&Cli::command());
}

#[test]
fn a_variable_of_the_environment_that_says_nothing_is_a_usage_error() {
    let with = |set: &'static str, value: &'static str| {
        given::environment(&Cli::command(), |name| {
            (name == set).then(|| OsString::from(value))
        })
    };
    for (name, value) in [
        ("SMSS_ACCEL", "kvn"),
        ("SMSS_FAULT_STEP", "every"),
        ("SMSS_REACTOS_ISO", "no such file"),
        ("SMSS_FUZZ_SEED", ""),
    ] {
        let error = with(name, value).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains(name), "{error}");
    }
    for (name, value) in [
        ("SMSS_ACCEL", "kvm"),
        ("SMSS_FAULT_LAST", "7"),
        ("OTHER", "x"),
    ] {
        assert!(with(name, value).is_ok(), "{name}={value}");
    }
}

#[test]
fn every_shell_has_completions_of_every_verb() {
    for &shell in clap_complete::Shell::value_variants() {
        let mut script = Vec::new();
        Cli::completions(&CompletionsOptions { shell }, &mut script);
        let script = String::from_utf8(script).unwrap();
        for verb in Cli::command().get_subcommands() {
            assert!(
                script.contains(verb.get_name()),
                "{shell}: {}",
                verb.get_name()
            );
        }
        assert!(script.contains("boot-options"), "{shell}");
    }
}

#[test]
fn only_what_stops_the_system_can_be_killed() {
    for line in [
        "run --kill csrss",
        "run --kill winlogon",
        "run --nt 6.1 --kill csrss",
        "run --nt 6.1 --kill wininit",
    ] {
        assert!(read(line).is_ok(), "{line}");
    }
}
