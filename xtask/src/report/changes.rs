// SPDX-License-Identifier: GPL-2.0-or-later
//! What a boot changed and left: paging files, renames, the registry as a difference, the volume, and
//! the processes that stand at its end.

use super::difference::{self, Change, Key, Made, list, string};
use super::recording::Recording;
use super::timeline::{Call, Timeline};
use maud::{Markup, html};
use serde_json::Value as Json;

/// Paging files and what became of files.
pub fn files(recording: &Recording, timeline: &Timeline) -> Markup {
    let renames: Vec<&Call> = timeline.calls.iter().filter(|call| renames(call)).collect();
    html! {
        h3 { "Paging files" }
        @if list(&recording.after["pagingFiles"]).next().is_none() {
            p.muted { "There is none." }
        }
        ul.plain {
            @for file in list(&recording.after["pagingFiles"]) {
                li {
                    span.mono { (string(&file["path"])) } " "
                    (megabytes(&file["size"])) ", at most " (megabytes(&file["maximum"]))
                }
            }
        }
        h3 { "Renames and deletions" }
        @if renames.is_empty() {
            p.muted { "Nobody renamed or deleted a file." }
        } @else {
            ul.plain {
                @for call in renames {
                    li { (rename(call)) }
                }
            }
        }
        h3 { "On the volume" }
        @if recording.before.is_null() {
            (unknown())
        } @else {
            @let changes = difference::files(&recording.before, &recording.after);
            @if changes.is_empty() { p.muted { "Every file is as it was." } }
            (rows(&changes))
        }
    }
}

fn renames(call: &Call) -> bool {
    call.name == "NtDeleteFile"
        || call.name == "NtSetInformationFile"
            && ["class=Rename", "class=Disposition", "class=Link"]
                .iter()
                .any(|class| call.arguments.contains(class))
}

/// `\a → \b` where the trace says both.
fn rename(call: &Call) -> Markup {
    let between = |from: &str, to: &str| {
        let (_, rest) = call.arguments.split_once(from)?;
        rest.split_once(to).map(|(text, _)| text)
    };
    let file = between("file=0x", ">").and_then(|text| text.split_once('<'));
    let file = file.map_or(call.arguments.as_str(), |(_, name)| name);
    let target = between("buffer={", "}, ");
    html! {
        span.mono { (file) } " "
        @match target {
            Some("delete") => "deleted",
            Some(target) => { span.muted { "\u{2192}" } " " span.mono { (target) } }
            None => (call.name),
        }
        @if call.failed { " " span.status.failed { (call.status) } }
    }
}

fn megabytes(bytes: &Json) -> String {
    let bytes = bytes.as_u64().unwrap_or(0);
    format!("{} MB", bytes >> 20)
}

fn unknown() -> Markup {
    html! {
        p.muted {
            "Not known: this run has no dump of what stood before it."
        }
    }
}

/// The registry's difference.
pub fn registry(recording: &Recording) -> Markup {
    if recording.before.is_null() {
        return unknown();
    }
    let (keys, same) = difference::registry(&recording.before, &recording.after);
    html! {
        @if keys.is_empty() { p.muted { "Nothing has changed." } }
        @for key in &keys { (changed_key(key)) }
        p.muted { (same) " values are as they were." }
    }
}

fn changed_key(key: &Key) -> Markup {
    let (sign, class) = match key.is {
        Some(Made::Came) => ("+", "came"),
        Some(Made::Went) => ("\u{2212}", "went"),
        None => ("", ""),
    };
    html! {
        div.key {
            div.path.(class) { span.sign { (sign) } (key.path) }
            (rows(&key.values))
        }
    }
}

fn rows(changes: &[(String, Change)]) -> Markup {
    let name = |name: &str| {
        if name.is_empty() {
            "(default)".to_owned()
        } else {
            name.to_owned()
        }
    };
    html! {
        ul.difference {
            @for (what, change) in changes {
                @match change {
                    Change::Made(new) => {
                        li.came { span.sign { "+" } b { (name(what)) } " " (new) }
                    }
                    Change::Gone(old) => {
                        li.went { span.sign { "\u{2212}" } b { (name(what)) } " " (old) }
                    }
                    Change::Changed(old, new) => {
                        li.went { span.sign { "\u{2212}" } b { (name(what)) } " " (old) }
                        li.came { span.sign { "+" } b { (name(what)) } " " (new) }
                    }
                }
            }
        }
    }
}

/// The processes that stand at the end.
pub fn processes(dump: &Json) -> Markup {
    html! {
        div.scroll {
            table {
                thead {
                    tr {
                        th { "Process" } th { "Made by" } th.number { "Session" }
                        th.number { "Threads" } th.number { "Private" } th { "Command line" }
                    }
                }
                tbody {
                    @for process in list(&dump["processes"]) {
                        tr {
                            td {
                                (string(&process["name"]))
                                @if process["critical"] == true { " " span.kind { "critical" } }
                            }
                            td { (string(&process["parent"])) }
                            td.number { (process["session"]) }
                            td.number { (process["threads"]) }
                            td.number { (process["privateBytes"].as_u64().unwrap_or(0) >> 10) " KB" }
                            td.mono.command { (string(&process["commandLine"])) }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rename_tells_where_from_and_where_to() {
        let trace = r#"smss.exe  0.1 c.10 NtSetInformationFile(file=0x1c<\\Device\\V\\a.txt>, buffer={replace "\\??\\C:\\b"}, size=0x20, class=Rename) = SUCCESS <0.1>
smss.exe  0.2 c.10 NtSetInformationFile(file=0x1c<\\Device\\V\\c.txt>, buffer={delete}, size=0x1, class=Disposition) = CANNOT_DELETE <0.1>
"#;
        let timeline = Timeline::of(trace);
        let recording = Recording::default();
        let page = files(&recording, &timeline).into_string();
        assert!(page.contains(r"\Device\V\a.txt"), "{page}");
        assert!(page.contains(r"replace &quot;\??\C:\b&quot;"), "{page}");
        assert!(
            page.contains("deleted") && page.contains("CANNOT_DELETE"),
            "{page}"
        );
    }
}
