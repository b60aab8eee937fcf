// SPDX-License-Identifier: GPL-2.0-or-later
//! Options of the verbs that show a traced run to a person: `report` and `chart`.

use clap::Args;
use clap::builder::RangedU64ValueParser;
use std::path::PathBuf;

/// A picture that can be taken, and shows something.
fn pixels() -> RangedU64ValueParser<u32> {
    RangedU64ValueParser::new().range(100..=20_000)
}

/// The runs that are shown.
#[derive(Args)]
pub struct RunsOptions {
    /// The run: its folder, or an earlier report [default: target/run, where `run` leaves it].
    #[arg(value_name = "RUN")]
    pub run: Option<PathBuf>,
    /// Another run, folder or report, under the same time axis.
    #[arg(long, value_name = "OTHER")]
    pub against: Option<PathBuf>,
}

/// Options of `report`.
#[derive(Args)]
pub struct ReportOptions {
    /// The runs to show.
    #[command(flatten)]
    pub runs: RunsOptions,
    /// Where the report goes [default: target/run/report.html].
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Save a picture (PNG) of it as well, taken in Chromium.
    #[arg(long, value_name = "FILE")]
    pub picture: Option<PathBuf>,
    /// The picture's width.
    #[arg(
        long,
        value_name = "PIXELS",
        default_value_t = 1200,
        value_parser = pixels(),
        requires = "picture"
    )]
    pub width: u32,
    /// The picture's height [default: the whole page].
    #[arg(long, value_name = "PIXELS", requires = "picture", value_parser = pixels())]
    pub height: Option<u32>,
    /// The picture is light on dark.
    #[arg(long, requires = "picture")]
    pub dark: bool,
}

/// Options of `chart`.
#[derive(Args)]
pub struct ChartOptions {
    /// The runs to show.
    #[command(flatten)]
    pub runs: RunsOptions,
    /// Where the chart goes [default: target/run/chart.svg].
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}
