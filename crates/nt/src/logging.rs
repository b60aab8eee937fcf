// SPDX-License-Identifier: GPL-2.0-or-later
//! Log lines: [`error!`](crate::error), [`warn!`](crate::warn), [`info!`](crate::info) and
//! [`debug!`](crate::debug).
//!
//! They end in the `log` crate, so that every backend serves. Its own macros build a record with
//! module, file and line at each call, which no backend of ours prints; here a call is a level and
//! a text, and the record is built in one place.

use core::fmt;
pub use log::{Level, LevelFilter};

/// Lets through lines of this level and above from now on.
pub fn limit(filter: LevelFilter) {
    log::set_max_level(filter);
}

/// Hands `text` to the logger, if `level` is of interest.
#[inline(never)]
pub fn line(level: Level, text: fmt::Arguments<'_>) {
    log::log!(level, "{text}");
}

/// Logs why something cannot be done, or an end.
#[macro_export]
macro_rules! error {
    ($($text:tt)*) => { $crate::logging::line($crate::logging::Level::Error, format_args!($($text)*)) };
}

/// Logs what is left out or put right.
#[macro_export]
macro_rules! warn {
    ($($text:tt)*) => { $crate::logging::line($crate::logging::Level::Warn, format_args!($($text)*)) };
}

/// Logs a step.
#[macro_export]
macro_rules! info {
    ($($text:tt)*) => { $crate::logging::line($crate::logging::Level::Info, format_args!($($text)*)) };
}

/// Logs a detail.
#[macro_export]
macro_rules! debug {
    ($($text:tt)*) => { $crate::logging::line($crate::logging::Level::Debug, format_args!($($text)*)) };
}
