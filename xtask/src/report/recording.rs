// SPDX-License-Identifier: GPL-2.0-or-later
//! What a traced run left: the trace, the dumps of what stood before and after it, and the log; from
//! the folder of the run, or out of a report, which carries them along.

use super::timeline::Timeline;
use anyhow::{Context, Result, bail};
use serde_json::{Value as Json, json};
use std::path::Path;

/// The id of the element of a report that carries what it was made of.
pub const ELEMENT: &str = "recording";

/// What was recorded of a run.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    /// What it is called where there are two.
    pub name: String,
    /// The trace, as text.
    pub trace: String,
    /// What stood at its end.
    pub after: Json,
    /// What stood before the first process; null if the kernel did not say.
    pub before: Json,
    /// The log, a line a time.
    pub log: String,
}

impl Recording {
    /// Reads the folder of a run, such as `target/run`, or a report.
    ///
    /// # Errors
    /// There is no trace in it, or what is there cannot be read.
    pub fn read(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        if path.is_file() {
            let page = std::fs::read_to_string(path)
                .with_context(|| format!("cannot read the report {name}"))?;
            return Self::from_page(&name, &page);
        }
        let text = |file: &str| std::fs::read_to_string(path.join(file));
        let trace = text("trace.txt").with_context(|| {
            format!("no trace in {name}: make one with `cargo xtask run --trace --headless --exit`")
        })?;
        let after = text("dump.json").with_context(|| format!("no dump in {name}"))?;
        let before = text("before.json").ok();
        let log = text("boot.log").unwrap_or_default();
        Self::from_texts(&name, &trace, &after, before.as_deref(), &log)
    }

    /// From the texts themselves.
    ///
    /// # Errors
    /// A dump is no JSON.
    pub fn from_texts(
        name: &str,
        trace: &str,
        after: &str,
        before: Option<&str>,
        log: &str,
    ) -> Result<Self> {
        let dump = |text: &str| serde_json::from_str(text).context("the dump cannot be read");
        Ok(Self {
            name: name.to_owned(),
            trace: trace.to_owned(),
            after: dump(after)?,
            before: before.map(dump).transpose()?.unwrap_or(Json::Null),
            log: shown(log),
        })
    }

    /// Out of a report.
    fn from_page(name: &str, page: &str) -> Result<Self> {
        let start = format!("id=\"{ELEMENT}\">");
        let carried = page
            .split_once(&start)
            .and_then(|(_, rest)| rest.split_once("</script>"))
            .map(|(text, _)| text);
        let Some(carried) = carried else {
            bail!("{name} is no report of `cargo xtask report`");
        };
        let carried: Json =
            serde_json::from_str(carried).with_context(|| format!("{name} is damaged"))?;
        let text = |key: &str| carried[key].as_str().unwrap_or_default().to_owned();
        Ok(Self {
            name: name.to_owned(),
            trace: text("trace"),
            after: carried["after"].clone(),
            before: carried["before"].clone(),
            log: text("log"),
        })
    }

    /// As a report carries it: JSON without `<`, so that nothing in it ends the element.
    pub fn carried(&self) -> String {
        let all = json!({
            "trace": self.trace, "after": self.after, "before": self.before, "log": self.log,
        });
        all.to_string().replace('<', "\\u003c")
    }

    /// When the Session Manager had settled; none if it did not.
    pub fn settled(&self, timeline: &Timeline) -> Option<u64> {
        let line = self
            .log
            .lines()
            .find(|line| line.contains("SHIM-SETTLED"))?;
        let time = seconds(line)?;
        // The log knows milliseconds only.
        Some(time.saturating_sub(timeline.origin).min(timeline.end))
    }

    /// How the system stopped, if it did: the line of the stop screen.
    pub fn stop(&self) -> Option<&str> {
        let line = self.log.lines().find(|line| line.contains("*** STOP"))?;
        line.find("*** STOP").and_then(|at| line.get(at..))
    }
}

/// The time at the head of a line of the log, `[    0.177] ...`, in units of 100 ns.
pub fn seconds(line: &str) -> Option<u64> {
    let (stamp, _) = line.trim().strip_prefix('[')?.split_once(']')?;
    let (seconds, thousandths) = stamp.trim().split_once('.')?;
    let milliseconds = seconds.parse::<u64>().ok()? * 1000 + thousandths.parse::<u64>().ok()?;
    Some(milliseconds * super::timeline::MILLISECOND)
}

/// The log without its marked parts: dump and trace are here in files of their own.
fn shown(log: &str) -> String {
    let mut inside = false;
    let mut lines = Vec::new();
    for line in log.lines() {
        if line.contains("SHIM-BEGIN: ") {
            inside = true;
        } else if line.contains("SHIM-FINISH: ") {
            inside = false;
        } else if !inside {
            lines.push(line);
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "# QEMU\n[    0.100] kernel up\nSHIM-BEGIN: dump\n[x]\nSHIM-FINISH: dump\n\
                       [    0.250] SHIM-SETTLED\n";

    #[test]
    fn a_report_gives_back_what_it_was_made_of() {
        let made =
            Recording::from_texts("a", "</script> trace", "{\"x\":1}", Some("{}"), LOG).unwrap();
        let page = format!(
            "<p><script id=\"{ELEMENT}\">{}</script></p>",
            made.carried()
        );
        let read = Recording::from_page("b", &page).unwrap();
        assert_eq!((&read.trace, &read.after), (&made.trace, &made.after));
        assert_eq!((&read.before, &read.log), (&made.before, &made.log));
        assert!(Recording::from_page("c", "<p>no report</p>").is_err());
    }

    #[test]
    fn the_log_has_no_marked_parts_and_tells_when_all_had_settled() {
        let read = Recording::from_texts("a", "", "{}", None, LOG).unwrap();
        assert!(!read.log.contains("[x]") && read.log.contains("kernel up"));
        let timeline = Timeline {
            origin: 1_000_000,
            end: 9_000_000,
            ..Timeline::default()
        };
        assert_eq!(read.settled(&timeline), Some(1_500_000));
        assert_eq!(read.stop(), None);
    }
}
