// SPDX-License-Identifier: GPL-2.0-or-later
//! Command lines that are read, and those that are refused.

use super::*;

fn read(line: &str) -> Result<Cli, clap::Error> {
    Cli::read(
        std::iter::once("xtask")
            .chain(line.split_whitespace())
            .map(OsString::from),
    )
}

#[test]
fn the_help_of_every_verb_ends_with_an_example_that_is_understood() {
    let cli = Cli::command();
    for verb in cli.get_subcommands() {
        let name = verb.get_name();
        let help = verb.clone().render_long_help().to_string();
        let (_, example) = help
            .rsplit_once("Example:\n")
            .unwrap_or_else(|| panic!("the help of `{name}` has no example"));
        let example = example.trim();
        let words = example
            .strip_prefix("cargo xtask ")
            .unwrap_or_else(|| panic!("`{example}` is no call of xtask"));
        assert!(words.starts_with(name), "`{example}` shows another verb");
        // Where its output goes is the shell's. An argument in quotes is one word.
        let words = words.split(" > ").next().unwrap_or_default();
        let words = words.split('"').enumerate().flat_map(|(part, text)| {
            if part % 2 == 1 {
                vec![text]
            } else {
                text.split_whitespace().collect()
            }
        });
        let read = Cli::read(std::iter::once("xtask").chain(words).map(OsString::from));
        assert!(read.is_ok(), "`{example}`: {}", read.err().unwrap());
    }
}

#[test]
fn what_would_have_no_effect_is_a_usage_error() {
    for line in [
        "run --kill explorer",
        "run --kill wininit",
        "run --nt 6.1 --kill winlogon",
        "run --nt 7",
        "run --memory 0",
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
        "run --program helo",
        "run --role initial",
        "run --arguments x",
        "run --base a.iso --program hello",
        "run --hive SOFTWRE=a.hiv",
        "run --file a=..",
        "run --boot-options exit=settled",
        "run --base a.iso --hive a.hiv",
        "gdb --base a.iso --file a.exe",
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
