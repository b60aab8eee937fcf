// SPDX-License-Identifier: GPL-2.0-or-later
//! What the trace notes beside system calls: a process that starts or ends, a line that a program
//! prints for a debugger. From the latter a reader learns which phase of the boot a call belongs to.

use super::head;
use crate::layout::ClientId;
use crate::spelling;
use alloc::string::{String, ToString};
use core::fmt;
use nt::Status;
use serde_json::{Map, Value as Json};

/// What happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum What {
    /// A process was made. It has no thread yet.
    Starts {
        /// Name of its image file.
        image: String,
        /// Its creator's id.
        parent: u64,
        /// The session space it is in; none before there is one.
        session: Option<u32>,
    },
    /// A process has ended, with this.
    Ends(Status),
    /// A line for a debugger.
    Prints(String),
}

/// Something that happened to a process.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// When, units of 100 ns since the start of the system.
    pub time: u64,
    /// The process, and the thread if it is one's own doing.
    pub client: ClientId,
    /// What.
    pub what: What,
}

impl Event {
    /// One line of JSON, keys in alphabetical order.
    pub fn json(&self) -> String {
        let mut map = Map::new();
        map.insert("time".into(), Json::from(self.time));
        map.insert("process".into(), Json::from(self.client.process));
        let event = match &self.what {
            What::Starts {
                image,
                parent,
                session,
            } => {
                map.insert("image".into(), Json::from(image.as_str()));
                map.insert("parent".into(), Json::from(*parent));
                map.insert("session".into(), Json::from(*session));
                "starts"
            }
            What::Ends(status) => {
                map.insert("status".into(), Json::from(spelling::status(*status)));
                map.insert("code".into(), Json::from(status.code()));
                "ends"
            }
            What::Prints(text) => {
                map.insert("text".into(), Json::from(text.as_str()));
                map.insert("thread".into(), Json::from(self.client.thread));
                "prints"
            }
        };
        map.insert("event".into(), Json::from(event));
        Json::Object(map).to_string()
    }
}

/// One line of text, marked as strace marks what is no call.
impl fmt::Display for Event {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} ", head(self.time, self.client))?;
        match &self.what {
            What::Starts {
                image,
                parent,
                session,
            } => {
                let session =
                    session.map_or_else(|| "none".to_string(), |number| number.to_string());
                write!(
                    out,
                    "+++ {image} started by {parent:x}, session {session} +++"
                )
            }
            What::Ends(status) => write!(out, "+++ ended with {} +++", spelling::status(*status)),
            What::Prints(text) => write!(out, "--- {text} ---"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(what: What) -> Event {
        Event {
            time: 12_345_678,
            client: ClientId {
                process: 0x1C,
                thread: 0,
            },
            what,
        }
    }

    #[test]
    fn an_event_is_a_line_that_no_call_looks_like() {
        let starts = event(What::Starts {
            image: "autochk.exe".into(),
            parent: 0xC,
            session: None,
        });
        assert_eq!(
            starts.to_string(),
            "    1.2345678 1c.0 +++ autochk.exe started by c, session none +++"
        );
        assert_eq!(
            event(What::Ends(Status::SUCCESS)).to_string(),
            "    1.2345678 1c.0 +++ ended with SUCCESS +++"
        );
        assert_eq!(
            event(What::Prints("SMSS: phase: 9 registry".into())).to_string(),
            "    1.2345678 1c.0 --- SMSS: phase: 9 registry ---"
        );
    }

    #[test]
    fn an_event_is_one_line_of_json_without_a_call() {
        assert_eq!(
            event(What::Ends(Status::SUCCESS)).json(),
            r#"{"code":0,"event":"ends","process":28,"status":"SUCCESS","time":12345678}"#
        );
    }
}
