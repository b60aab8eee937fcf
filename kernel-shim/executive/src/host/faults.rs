// SPDX-License-Identifier: GPL-2.0-or-later
//! Fault injection: the N-th system call of a process fails with a status, once or from then on.
//!
//! The end of a caller's own thread or process is never refused, because nothing could follow, and
//! is not counted; everything else may be.

use alloc::string::String;
use alloc::vec::Vec;
use nt::Status;

/// What is to fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// File name of the image whose calls are counted, case folded; `None`: everybody's.
    pub image: Option<String>,
    /// Only calls of this service are counted.
    pub call: Option<String>,
    /// Which of them fails first, from 1.
    pub nth: u64,
    /// All that follow it fail as well.
    pub persistent: bool,
    /// With what.
    pub status: Status,
}

#[derive(Debug)]
struct Armed {
    fault: Fault,
    seen: u64,
    hits: u64,
}

/// The faults of a world.
#[derive(Debug, Default)]
pub struct Faults {
    armed: Vec<Armed>,
}

impl Faults {
    /// Arms a fault.
    pub fn arm(&mut self, fault: Fault) {
        self.armed.push(Armed {
            fault,
            seen: 0,
            hits: 0,
        });
    }

    /// Disarms all.
    pub fn clear(&mut self) {
        self.armed.clear();
    }

    /// How many calls were made to fail.
    pub fn hits(&self) -> u64 {
        self.armed.iter().map(|armed| armed.hits).sum()
    }

    /// A call is made: whether it is to fail, and with what.
    pub fn next(&mut self, image: &str, call: &str) -> Option<Status> {
        let mut status = None;
        for armed in &mut self.armed {
            let fault = &armed.fault;
            let counted = fault
                .image
                .as_ref()
                .is_none_or(|wanted| wanted.eq_ignore_ascii_case(image))
                && fault.call.as_ref().is_none_or(|wanted| wanted == call);
            if !counted {
                continue;
            }
            armed.seen += 1;
            if armed.seen == armed.fault.nth
                || armed.fault.persistent && armed.seen > armed.fault.nth
            {
                armed.hits += 1;
                status = status.or(Some(armed.fault.status));
            }
        }
        status
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    fn fault(nth: u64, persistent: bool) -> Fault {
        Fault {
            image: Some("smss.exe".to_string()),
            call: None,
            nth,
            persistent,
            status: Status::NO_MEMORY,
        }
    }

    #[test]
    fn once_means_one_call_of_that_image() {
        let mut faults = Faults::default();
        faults.arm(fault(2, false));
        assert_eq!(faults.next("SMSS.EXE", "NtClose"), None);
        assert_eq!(faults.next("csrss.exe", "NtClose"), None, "not counted");
        assert_eq!(
            faults.next("smss.exe", "NtOpenKey"),
            Some(Status::NO_MEMORY)
        );
        assert_eq!(faults.next("smss.exe", "NtOpenKey"), None);
        assert_eq!(faults.hits(), 1);
    }

    #[test]
    fn persistent_means_from_then_on() {
        let mut faults = Faults::default();
        faults.arm(fault(1, true));
        assert!((0..3).all(|_| faults.next("smss.exe", "NtClose").is_some()));
    }
}
