// SPDX-License-Identifier: GPL-2.0-or-later
//! The trace of system calls: who called what with which arguments when, and with what result; and
//! what happens between them ([`events`]): processes that start and end, lines that programs print.
//!
//! A record is made when a call ends (or, for one that does not return, when it is made). It prints
//! as one line of text or one line of JSON; both are the same on every run of the same boot,
//! because time here is the executive's own and no host address is recorded.

pub mod events;

use crate::layout::ClientId;
use crate::spelling;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::{self, Write};
use events::Event;
use nt::Status;
use serde_json::{Map, Value as Json};

/// One argument of a call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Argument {
    /// A number, a handle, a mask: printed in hex.
    Number(u64),
    /// A name or another string the call was given: printed in quotes.
    Text(String),
    /// A number, a handle or a structure in words.
    Words(String),
}

/// How a call ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CallEnd {
    /// It returned this.
    Returned(Status),
    /// It does not return: the thread ended, or goes on elsewhere.
    Gone,
    /// It waits.
    Waits,
}

/// One system call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// When it ended, units of 100 ns since the start of the system.
    pub time: u64,
    /// When it was made: for the end of a wait, when the wait's call was.
    pub began: u64,
    /// Who called.
    pub client: ClientId,
    /// The service's name.
    pub call: &'static str,
    /// Its arguments with their names, in order.
    pub arguments: Vec<(&'static str, Argument)>,
    /// How it ended.
    pub outcome: CallEnd,
}

impl Record {
    /// One line of JSON, keys in alphabetical order.
    pub fn json(&self) -> String {
        let arguments = self.arguments.iter().map(|(name, value)| {
            let value = match value {
                Argument::Number(number) => Json::from(format!("{number:#x}")),
                Argument::Text(text) | Argument::Words(text) => Json::from(text.as_str()),
            };
            ((*name).to_string(), value)
        });
        let mut map = Map::new();
        map.insert("time".into(), Json::from(self.time));
        map.insert("began".into(), Json::from(self.began));
        map.insert("process".into(), Json::from(self.client.process));
        map.insert("thread".into(), Json::from(self.client.thread));
        map.insert("call".into(), Json::from(self.call));
        map.insert("arguments".into(), Json::Object(arguments.collect()));
        match self.outcome {
            CallEnd::Returned(status) => {
                map.insert("status".into(), Json::from(spelling::status(status)));
                map.insert("code".into(), Json::from(status.code()));
            }
            CallEnd::Gone | CallEnd::Waits => {
                map.insert("status".into(), Json::Null);
            }
        }
        Json::Object(map).to_string()
    }
}

/// Units of time in a second.
const UNITS: u64 = 10_000_000;

/// How a line of text begins: when, and who.
fn head(time: u64, client: ClientId) -> String {
    let (seconds, rest) = (time / UNITS, time % UNITS);
    format!("{seconds:5}.{rest:07} {:x}.{:x}", { client.process }, {
        client.thread
    })
}

/// One line of text, with the time that the call took at its end.
impl fmt::Display for Record {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}(", head(self.time, self.client), self.call)?;
        for (index, (name, value)) in self.arguments.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            match value {
                Argument::Number(number) => write!(out, "{comma}{name}={number:#x}")?,
                Argument::Text(text) => write!(out, "{comma}{name}={text:?}")?,
                Argument::Words(words) => write!(out, "{comma}{name}={words}")?,
            }
        }
        match self.outcome {
            CallEnd::Returned(status) => {
                let took = self.time.saturating_sub(self.began);
                let (seconds, rest) = (took / UNITS, took % UNITS);
                write!(
                    out,
                    ") = {} <{seconds}.{rest:07}>",
                    spelling::status(status)
                )
            }
            CallEnd::Gone => out.write_str(") does not return"),
            CallEnd::Waits => out.write_str(") waits"),
        }
    }
}

/// What is done with records.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Format {
    /// Only counted.
    #[default]
    Off,
    /// A line of text each.
    Text,
    /// A line of JSON each.
    Json,
}

/// The trace.
#[derive(Debug, Default)]
pub struct Trace {
    format: Format,
    kept: Option<Vec<Record>>,
    events: Vec<Event>,
    counts: BTreeMap<&'static str, u64>,
}

impl Trace {
    /// Prints records in this format from now on.
    pub fn set_format(&mut self, format: Format) {
        self.format = format;
    }

    /// Keeps records from now on, for [`Trace::records`].
    pub fn keep(&mut self) {
        self.kept.get_or_insert_default();
    }

    /// Whether anybody wants to see records: if not, a caller need not decode arguments for one.
    pub fn wanted(&self) -> bool {
        self.format != Format::Off || self.kept.is_some()
    }

    /// Counts a call.
    pub fn count(&mut self, call: &'static str) {
        *self.counts.entry(call).or_default() += 1;
    }

    /// Takes a record, and gives the line to print, if any. Counts nothing: a call that waits has
    /// two records.
    pub fn record(&mut self, record: Record) -> Option<String> {
        let line = match self.format {
            Format::Off => None,
            Format::Text => {
                let mut line = String::new();
                // A String never refuses.
                let _ = write!(line, "{record}");
                Some(line)
            }
            Format::Json => Some(record.json()),
        };
        if let Some(kept) = &mut self.kept {
            kept.push(record);
        }
        line
    }

    /// Takes what happened between calls, and gives the line to print, if any.
    pub fn happened(&mut self, event: Event) -> Option<String> {
        let line = match self.format {
            Format::Off => None,
            Format::Text => Some(event.to_string()),
            Format::Json => Some(event.json()),
        };
        if self.kept.is_some() {
            self.events.push(event);
        }
        line
    }

    /// The events kept, in order.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The records kept.
    pub fn records(&self) -> &[Record] {
        self.kept.as_deref().unwrap_or_default()
    }

    /// How often each call was made, by name.
    pub fn counts(&self) -> &BTreeMap<&'static str, u64> {
        &self.counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn record(outcome: CallEnd) -> Record {
        Record {
            time: 12_345_678,
            began: 12_345_600,
            client: ClientId {
                process: 8,
                thread: 12,
            },
            call: "NtOpenKey",
            arguments: vec![
                ("access", Argument::Number(0x20019)),
                ("name", Argument::Text("\\Registry\\\"x\"".into())),
            ],
            outcome,
        }
    }

    #[test]
    fn a_record_is_one_line_of_text() {
        let line = record(CallEnd::Returned(Status::OBJECT_NAME_NOT_FOUND)).to_string();
        assert_eq!(
            line,
            r#"    1.2345678 8.c NtOpenKey(access=0x20019, name="\\Registry\\\"x\"") = OBJECT_NAME_NOT_FOUND <0.0000078>"#
        );
        assert!(
            record(CallEnd::Returned(Status::new(0xC0FF_EE00)))
                .to_string()
                .contains(") = C0FFEE00 <")
        );
        assert!(
            record(CallEnd::Gone)
                .to_string()
                .ends_with(") does not return")
        );
    }

    #[test]
    fn a_record_is_one_line_of_json() {
        let line = record(CallEnd::Returned(Status::SUCCESS)).json();
        assert_eq!(
            line,
            r#"{"arguments":{"access":"0x20019","name":"\\Registry\\\"x\""},"began":12345600,"call":"NtOpenKey","code":0,"process":8,"status":"SUCCESS","thread":12,"time":12345678}"#
        );
    }

    #[test]
    fn every_call_is_counted_and_only_wanted_ones_are_kept() {
        let mut trace = Trace::default();
        assert!(!trace.wanted());
        assert_eq!(trace.record(record(CallEnd::Waits)), None);
        trace.keep();
        trace.set_format(Format::Text);
        assert!(
            trace
                .record(record(CallEnd::Waits))
                .is_some_and(|line| line.ends_with(") waits"))
        );
        trace.count("NtOpenKey");
        assert_eq!(
            (trace.records().len(), trace.counts().get("NtOpenKey")),
            (1, Some(&1))
        );
    }
}
