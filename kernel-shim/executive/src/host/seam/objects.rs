// SPDX-License-Identifier: GPL-2.0-or-later
//! Objects in general, events and waits.

use super::{Seam, name, nothing, number};
use crate::ob::prelude::*;
use crate::ob::services::Duplicate;
use crate::trace::Argument;
use crate::{Completion, Executive};
use formats::utf16;
use nt::access::Access;
use nt::system::{Created, DirectoryEntry, Objects, Timeout, Wait};
use nt::{Handle, ObjectAttributes, Result, Status, UnicodeStr};

fn hundred_nanoseconds(timeout: Timeout) -> Option<i64> {
    match timeout {
        Timeout::Never => None,
        Timeout::Milliseconds(milliseconds) => Some(i64::from(milliseconds) * -10_000),
    }
}

fn ended(status: Status) -> Result<Wait> {
    const ABANDONED: u32 = Status::ABANDONED.code();
    let object = |index: u32| Ok(Wait::Object(index as usize));
    match status.code() {
        index if index < 64 => object(index),
        // An abandoned mutant is taken all the same.
        index if (ABANDONED..ABANDONED + 64).contains(&index) => object(index - ABANDONED),
        _ if status == Status::TIMEOUT => Ok(Wait::Timeout),
        // It was not alertable, and an error must not be a code of success.
        _ => Err(status.ended().err().unwrap_or(Status::UNSUCCESSFUL)),
    }
}

fn at_once(outcome: Completion<Status>) -> Result<Completion<Wait>> {
    match outcome {
        Completion::Done(status) => ended(status).map(Completion::Done),
        Completion::Pending => Ok(Completion::Pending),
    }
}

impl Objects for &Seam {
    fn close(self, handle: Handle) -> Result<()> {
        self.call(
            "NtClose",
            || number("handle", handle.0),
            |executive, thread| executive.close(thread, handle),
        )
    }

    fn duplicate(
        self,
        source: Handle,
        handle: Handle,
        target: Handle,
        access: Access,
    ) -> Result<Handle> {
        let request = Duplicate {
            source_process: source,
            source: handle,
            target_process: target,
            access,
            attributes: 0,
            options: 0,
        };
        self.call(
            "NtDuplicateObject",
            || number("handle", handle.0),
            |executive, thread| executive.duplicate(thread, &request),
        )
    }

    fn make_temporary(self, handle: Handle) -> Result<()> {
        self.call(
            "NtMakeTemporaryObject",
            || number("handle", handle.0),
            |executive, thread| executive.make_temporary(thread, handle),
        )
    }

    fn create_directory(
        self,
        attributes: &ObjectAttributes<'_>,
        access: Access,
    ) -> Result<Created> {
        self.call(
            "NtCreateDirectoryObject",
            || name("name", attributes.name),
            |executive, thread| executive.create_directory(thread, attributes, access),
        )
    }

    fn open_directory(self, attributes: &ObjectAttributes<'_>, access: Access) -> Result<Handle> {
        self.call(
            "NtOpenDirectoryObject",
            || name("name", attributes.name),
            |executive, thread| executive.open_directory(thread, attributes, access),
        )
    }

    fn query_directory(
        self,
        directory: Handle,
        visit: &mut dyn FnMut(DirectoryEntry<'_>) -> bool,
    ) -> Result<()> {
        let entries = self.call(
            "NtQueryDirectoryObject",
            || number("handle", directory.0),
            |executive, thread| executive.query_directory(thread, directory),
        )?;
        for entry in entries {
            let type_name = utf16(entry.type_name);
            if !visit(DirectoryEntry {
                name: UnicodeStr(&entry.name),
                type_name: UnicodeStr(&type_name),
            }) {
                return Ok(());
            }
        }
        // The call that finds nothing more.
        self.call(
            "NtQueryDirectoryObject",
            || number("handle", directory.0),
            |_, _| Ok(()),
        )
    }

    fn create_symbolic_link(
        self,
        attributes: &ObjectAttributes<'_>,
        access: Access,
        target: UnicodeStr<'_>,
    ) -> Result<Created> {
        self.call(
            "NtCreateSymbolicLinkObject",
            || {
                let mut arguments = name("name", attributes.name);
                arguments.extend(name("target", target));
                arguments
            },
            |executive, thread| {
                executive.create_symbolic_link(thread, attributes, access, target.units())
            },
        )
    }

    fn open_symbolic_link(
        self,
        attributes: &ObjectAttributes<'_>,
        access: Access,
    ) -> Result<Handle> {
        self.call(
            "NtOpenSymbolicLinkObject",
            || name("name", attributes.name),
            |executive, thread| executive.open_symbolic_link(thread, attributes, access),
        )
    }

    fn query_symbolic_link<'b>(
        self,
        link: Handle,
        buffer: &'b mut [u16],
    ) -> Result<UnicodeStr<'b>> {
        let target = self.call(
            "NtQuerySymbolicLinkObject",
            || number("handle", link.0),
            |executive, thread| {
                let target = executive.query_symbolic_link(thread, link)?;
                if target.len() > buffer.len() {
                    Err(Status::BUFFER_TOO_SMALL)
                } else {
                    Ok(target)
                }
            },
        )?;
        let room = buffer
            .get_mut(..target.len())
            .ok_or(Status::BUFFER_TOO_SMALL)?;
        room.copy_from_slice(&target);
        Ok(UnicodeStr(room))
    }

    fn create_event(self, attributes: &ObjectAttributes<'_>, access: Access) -> Result<Handle> {
        self.call(
            "NtCreateEvent",
            || name("name", attributes.name),
            |executive, thread| {
                executive
                    .create_event(thread, attributes, access, true, false)
                    .map(|created| created.handle)
            },
        )
    }

    fn set_event(self, event: Handle) -> Result<()> {
        self.call(
            "NtSetEvent",
            || number("handle", event.0),
            |executive, thread| executive.set_event(thread, event).map(|_| ()),
        )
    }

    fn wait_one(self, object: Handle, timeout: Timeout) -> Result<Wait> {
        self.wait_call(
            "NtWaitForSingleObject",
            || number("handle", object.0),
            |executive, thread| {
                at_once(executive.wait(thread, &[object], false, hundred_nanoseconds(timeout))?)
            },
            |_, _, status| ended(status),
        )
    }

    fn wait_any(self, objects: &[Handle], timeout: Timeout) -> Result<Wait> {
        self.wait_call(
            "NtWaitForMultipleObjects",
            || {
                objects
                    .iter()
                    .map(|object| ("handle", Argument::Number(object.to_slot())))
                    .collect()
            },
            |executive, thread| {
                at_once(executive.wait(thread, objects, false, hundred_nanoseconds(timeout))?)
            },
            |_, _, status| ended(status),
        )
    }

    fn delay(self, milliseconds: u32) -> Result<()> {
        let timeout = i64::from(milliseconds) * -10_000;
        if milliseconds == 0 {
            self.call("NtDelayExecution", nothing, |_, _| Ok(()))?;
            return self.give_way();
        }
        self.wait_call(
            "NtDelayExecution",
            || number("milliseconds", milliseconds),
            |executive: &mut Executive, thread| {
                Ok(match executive.delay(thread, timeout) {
                    Completion::Done(_) => Completion::Done(()),
                    Completion::Pending => Completion::Pending,
                })
            },
            |_, _, status| status.ended(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_that_ends_without_its_object_or_its_time_gives_an_error_that_is_one() {
        for status in [Status::ALERTED, Status::USER_APC, Status::PENDING] {
            assert_eq!(ended(status), Err(Status::UNSUCCESSFUL), "{status}");
        }
        assert_eq!(ended(Status::TIMEOUT), Ok(Wait::Timeout));
        assert_eq!(ended(Status::new(3)), Ok(Wait::Object(3)));
        assert_eq!(ended(Status::NO_MEMORY), Err(Status::NO_MEMORY));
    }
}
