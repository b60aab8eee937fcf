// SPDX-License-Identifier: GPL-2.0-or-later
//! `cargo xtask report` and `cargo xtask chart`: a traced run as one HTML page, its boot chart as an
//! SVG picture.
//!
//! [`recording`] reads what the run left, [`timeline`] makes a history of its trace, and the rest
//! writes: [`chart`], and [`page`] with a module a section. The page is whole without its script,
//! which adds filters, hints and keys to what is there. Whatever comes out of a run is text: the
//! templates escape it.

mod browser;
mod calls;
mod changes;
mod chart;
mod difference;
#[cfg(test)]
mod in_browser;
mod journal;
mod namespace;
mod page;
mod recording;
mod timeline;

use crate::cli::{ChartOptions, ReportOptions};
use crate::{paths, ui};
use anyhow::{Context, Result, bail};
use browser::{Browser, View};
use chart::Run;
use recording::Recording;
use std::path::{Path, PathBuf};
use timeline::Timeline;

/// Runs the verb `report`.
pub fn verb(options: &ReportOptions) -> Result<()> {
    let folder = folder(options.runs.run.as_deref())?;
    let out = options
        .out
        .clone()
        .unwrap_or(paths::output()?.join("report.html"));
    write(&folder, options.runs.against.as_deref(), &out)?;
    if let Some(picture) = &options.picture {
        take_picture(&out, picture, options)?;
    }
    ui::verdict(&format!("the report is in {}", out.display()));
    Ok(())
}

/// Runs the verb `chart`.
pub fn chart_verb(options: &ChartOptions) -> Result<()> {
    let folder = folder(options.runs.run.as_deref())?;
    let out = options
        .out
        .clone()
        .unwrap_or(paths::output()?.join("chart.svg"));
    draw(&folder, options.runs.against.as_deref(), &out, chart::alone)?;
    ui::verdict(&format!("the chart is in {}", out.display()));
    Ok(())
}

/// Writes the report of a run.
///
/// # Errors
/// The run left no trace, or the file cannot be written.
pub fn write(run: &Path, against: Option<&Path>, out: &Path) -> Result<()> {
    draw(run, against, out, page::page)
}

/// Saves what a browser shows of a report.
fn take_picture(report: &Path, picture: &Path, options: &ReportOptions) -> Result<()> {
    let Some(program) = browser::installed() else {
        bail!("a picture needs Chromium: `apt-get install chromium`");
    };
    ui::step("looking at it in Chromium");
    let view = View {
        width: options.width,
        height: options.height,
        dark: options.dark,
    };
    let mut browser = Browser::open(&program, report, view)?;
    if let Some(complaint) = browser.complaints.first() {
        bail!("the page complains: {complaint}");
    }
    browser.picture(view, picture)
}

fn folder(run: Option<&Path>) -> Result<PathBuf> {
    match run {
        Some(run) => Ok(run.to_owned()),
        None => paths::output(),
    }
}

fn draw(
    run: &Path,
    against: Option<&Path>,
    out: &Path,
    drawing: impl FnOnce(&[Run<'_>]) -> String,
) -> Result<()> {
    ui::step(&format!("reading {}", run.display()));
    let mut recordings = vec![Recording::read(run)?];
    if let Some(other) = against {
        recordings.push(Recording::read(other)?);
    }
    let timelines: Vec<Timeline> = recordings
        .iter()
        .map(|recording| Timeline::of(&recording.trace))
        .collect();
    for (recording, timeline) in recordings.iter().zip(&timelines) {
        if timeline.calls.is_empty() {
            bail!("the trace of {} has no call in it", recording.name);
        }
        ui::note(&format!(
            "{}: {} processes, {} calls in {} ms",
            recording.name,
            timeline.processes.len(),
            timeline.calls.len(),
            time(timeline.end)
        ));
    }
    let runs: Vec<Run<'_>> = recordings
        .iter()
        .zip(&timelines)
        .map(|(recording, timeline)| Run {
            recording,
            timeline,
        })
        .collect();
    std::fs::write(out, drawing(&runs)).with_context(|| format!("cannot write {}", out.display()))
}

/// A time in milliseconds: with as many digits as say something.
fn time(units: u64) -> String {
    let microseconds = units / 10;
    match microseconds {
        0 => "0".to_owned(),
        1..10_000 => format!("{}.{:03}", microseconds / 1000, microseconds % 1000),
        10_000..10_000_000 if microseconds % 1000 < 100 => (microseconds / 1000).to_string(),
        10_000..10_000_000 => format!("{}.{}", microseconds / 1000, microseconds / 100 % 10),
        _ => (microseconds / 1000).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::time;

    #[test]
    fn a_time_has_the_digits_that_say_something() {
        assert_eq!(time(0), "0");
        assert_eq!(time(77), "0.007");
        assert_eq!(time(12_345), "1.234");
        assert_eq!(time(2_260_000), "226");
        assert_eq!(time(2_263_900), "226.3");
        assert_eq!(time(600_000_000), "60000");
    }
}
