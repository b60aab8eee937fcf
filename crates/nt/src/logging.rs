// SPDX-License-Identifier: GPL-2.0-or-later
//! Log lines: [`error!`](crate::error!), [`warn!`](crate::warn!), [`info!`](crate::info!) and
//! [`debug!`](crate::debug!), written as with the `log` crate.
//!
//! In the image a line goes to the sink of `ntdll`, and `core::fmt` has no part in it
//! ([`text`](mod@crate::text)). On the host it goes to the `log` crate, for whatever logger is there.

use crate::once::{self, Installed};
use crate::text::{Part, Text};
pub use log::{Level, LevelFilter};
use spin::Once;

/// Where lines end.
pub type Sink = fn(Level, &Text<'_>);

static SINK: Once<Installed> = Once::new();

/// Installs the sink, and what each of its lines begins with. The first call wins; before it, lines go
/// nowhere.
pub fn install(sink: Sink, prefix: &'static str) {
    once::install(&SINK, Installed::Sink(sink, prefix));
}

/// What each line begins with.
pub fn prefix() -> &'static str {
    match SINK.get() {
        Some(Installed::Sink(_, prefix)) => prefix,
        _ => "",
    }
}

/// Has lines end in the `log` crate: what the host wants.
pub fn install_log() {
    install(|level, text| log::log!(level, "{text}"), "");
}

/// Lets through lines of this level and above from now on.
pub fn limit(filter: LevelFilter) {
    log::set_max_level(filter);
}

#[inline(never)]
fn line(template: &'static str, parts: &[Part<'_>], level: Level) {
    if level <= log::max_level()
        && let Some(Installed::Sink(sink, _)) = SINK.get()
    {
        sink(level, &Text::new(template, parts));
    }
}

/// A function a level, and one a number of parts before it, so that a call is no more than the text and
/// where its parts are.
macro_rules! levels {
    ($($name:ident $level:ident;)*) => {$(
        #[doc(hidden)]
        #[inline(never)]
        pub fn $name<const N: usize>(template: &'static str, parts: &[Part<'_>; N]) {
            #[inline(never)]
            fn of_level(template: &'static str, parts: &[Part<'_>]) {
                line(template, parts, Level::$level);
            }
            of_level(template, parts);
        }
    )*};
}

levels! {
    error Error;
    warn Warn;
    info Info;
    debug Debug;
}

/// Logs why something cannot be done, or an end.
#[macro_export]
macro_rules! error {
    ($($text:tt)*) => { $crate::text_for!($crate::logging::error, $($text)*) };
}

/// Logs what is left out or put right.
#[macro_export]
macro_rules! warn {
    ($($text:tt)*) => { $crate::text_for!($crate::logging::warn, $($text)*) };
}

/// Logs a step.
#[macro_export]
macro_rules! info {
    ($($text:tt)*) => { $crate::text_for!($crate::logging::info, $($text)*) };
}

/// Logs a detail.
#[macro_export]
macro_rules! debug {
    ($($text:tt)*) => { $crate::text_for!($crate::logging::debug, $($text)*) };
}
