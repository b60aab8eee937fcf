// SPDX-License-Identifier: GPL-2.0-or-later
//! One system call under way: its caller, its arguments, the caller's memory; and the table of
//! those that are built.
//!
//! A handler gets its arguments decoded, calls the typed service, writes the results back. What it
//! returns is what the caller finds in RAX, unless the call waits ([`Done::Waits`]), never returns
//! ([`Done::Gone`]), or goes on elsewhere.

use super::argument::{Parameter, Shape, UserAttributes, UserText};
use super::layout::{Context, ExceptionRecord, Layout, UnicodeString, Word};
use super::pending::Pending;
use super::table::{self, COUNT, MAX_ARGUMENTS};
use super::user::{CapturedAttributes, User, UserMemory, UserPtr, UserSlice};
use crate::ids::{ProcessId, ThreadId};
use crate::machine::Architecture;
use crate::ob::Kind;
use crate::ob::prelude::*;
use crate::{Completion, Executive};
use alloc::boxed::Box;
use alloc::vec::Vec;
use nt::access::Access;
use nt::system::Created;
use nt::{Handle, Result, Status};

/// How a call ends.
#[derive(Clone, Debug, PartialEq)]
pub enum Done {
    /// It returns this.
    Returns(Status),
    /// The thread waits; [`super::complete`] gives the status when it runs again.
    Waits,
    /// The calling thread has ended.
    Gone,
    /// NtContinue: the thread goes on with these registers.
    Continues(Box<Context>),
    /// NtRaiseException: the exception is to be delivered to the thread with these registers.
    Raises(Box<ExceptionRecord>, Box<Context>, bool),
}

impl From<Status> for Done {
    fn from(status: Status) -> Self {
        Self::Returns(status)
    }
}

/// Carries out one service.
pub type Handler = fn(&mut Call<'_>) -> Result<Done>;

/// A service that is built; [`services!`](super::argument::services) makes these.
#[derive(Clone, Copy)]
pub struct Built {
    /// Its `Nt` name.
    pub name: &'static str,
    /// Its parameters.
    pub parameters: &'static [Parameter],
    /// What does it.
    pub handler: Handler,
}

/// Sorts the areas' rows by service number. A name that is no service, is there twice, or has
/// another number of arguments does not compile.
pub const fn assemble(areas: &[&[Built]]) -> [Option<Built>; COUNT] {
    let mut sorted: [Option<Built>; COUNT] = [None; COUNT];
    let mut area = 0;
    while area < areas.len() {
        let mut row = 0;
        while row < areas[area].len() {
            let service = areas[area][row];
            let number = table::number_of(service.name) as usize;
            assert!(sorted[number].is_none(), "a service is built twice");
            assert!(
                table::SERVICES[number].arguments == service.parameters.len(),
                "a service has another number of arguments"
            );
            sorted[number] = Some(service);
            row += 1;
        }
        area += 1;
    }
    sorted
}

/// One call.
pub struct Call<'a> {
    /// The executive.
    pub exec: &'a mut Executive,
    /// The calling thread.
    pub thread: ThreadId,
    /// Its process.
    pub process: ProcessId,
    /// The arguments; those beyond the service's own are 0.
    pub arguments: [u64; MAX_ARGUMENTS],
    /// What is left to do if the call waits.
    pub pending: Option<Pending>,
}

/// The memory of the process a call is made from.
pub struct CallerMemory<'a> {
    exec: &'a mut Executive,
    process: ProcessId,
}

impl UserMemory for CallerMemory<'_> {
    fn architecture(&self) -> Architecture {
        self.exec.architecture()
    }

    fn read_user(&mut self, address: u64, buffer: &mut [u8]) -> Result<()> {
        self.exec.read_process(self.process, address, buffer)
    }

    fn write_user(&mut self, address: u64, bytes: &[u8]) -> Result<()> {
        self.exec.write_process(self.process, address, bytes)
    }
}

impl Call<'_> {
    /// Bytes of a `T` in the caller's memory.
    pub fn size_of<T: Layout>(&self) -> usize {
        self.exec.architecture().size_of::<T>()
    }

    /// A `T` as the caller reads it.
    pub fn bytes_of<T: Layout>(&self, value: T) -> Vec<u8> {
        self.exec.architecture().bytes_of(value)
    }

    /// A handle that the caller has as a word of a structure: in a narrow one, a pseudo handle lacks
    /// its upper half.
    pub fn handle(&self, word: u64) -> Handle {
        Handle::from_slot(Shape::Handle.widened(self.exec.architecture(), word))
    }

    /// The caller's memory, to be used through [`User`].
    pub fn memory(&mut self) -> CallerMemory<'_> {
        CallerMemory {
            exec: self.exec,
            process: self.process,
        }
    }

    /// Reads a structure that may lie anywhere.
    pub fn read<T: Layout>(&mut self, pointer: UserPtr<T>) -> Result<T> {
        User(&mut self.memory()).read(pointer)
    }

    /// Reads a structure that NT probes with an alignment.
    pub fn read_aligned<T: Layout>(&mut self, pointer: UserPtr<T>, alignment: u64) -> Result<T> {
        User(&mut self.memory()).read_aligned(pointer, alignment)
    }

    /// Reads bytes.
    pub fn bytes(&mut self, pointer: UserPtr, length: u64) -> Result<Vec<u8>> {
        User(&mut self.memory()).bytes(pointer, length)
    }

    /// Writes a structure or number.
    pub fn write<T: Layout>(&mut self, pointer: UserPtr<T>, value: T) -> Result<()> {
        User(&mut self.memory()).write(pointer, value)
    }

    /// Writes a structure or number where the caller wants it.
    pub fn write_optional<T: Layout>(&mut self, pointer: UserPtr<T>, value: T) -> Result<()> {
        User(&mut self.memory()).write_optional(pointer, value)
    }

    /// Writes bytes.
    pub fn write_bytes(&mut self, pointer: UserPtr, bytes: &[u8]) -> Result<()> {
        User(&mut self.memory()).write_bytes(pointer, bytes)
    }

    /// Checks that a result can be written, before anything is done.
    pub fn probe<T: Layout>(&mut self, pointer: UserPtr<T>) -> Result<()> {
        User(&mut self.memory()).probe_result::<T>(pointer)
    }

    /// The same for a result the caller may not want.
    pub fn probe_optional<T: Layout>(&mut self, pointer: UserPtr<T>) -> Result<()> {
        User(&mut self.memory()).probe_optional::<T>(pointer)
    }

    /// The same for a result that NT probes with an alignment.
    pub fn probe_aligned<T: Layout>(&mut self, pointer: UserPtr<T>, alignment: u64) -> Result<()> {
        User(&mut self.memory()).probe_aligned(pointer, alignment)
    }

    /// Copies an array that NT probes with an alignment.
    pub fn slice<T: Layout>(&mut self, slice: UserSlice<T>, alignment: u64) -> Result<Vec<T>> {
        User(&mut self.memory()).slice(slice, alignment)
    }

    /// Checks a buffer for writing.
    pub fn probe_write(&mut self, pointer: UserPtr, length: u64, alignment: u64) -> Result<()> {
        User(&mut self.memory()).probe_write(pointer, length, alignment)
    }

    /// The text of a UNICODE_STRING.
    pub fn string(&mut self, text: UserText) -> Result<Vec<u16>> {
        User(&mut self.memory()).string(text.0)
    }

    /// An OBJECT_ATTRIBUTES.
    pub fn attributes(&mut self, attributes: UserAttributes) -> Result<CapturedAttributes> {
        User(&mut self.memory()).attributes(attributes.0)
    }

    /// An OBJECT_ATTRIBUTES, or none.
    pub fn attributes_or_none(&mut self, attributes: UserAttributes) -> Result<CapturedAttributes> {
        User(&mut self.memory()).attributes_or_none(attributes.0)
    }

    /// A relative or absolute time in units of 100 ns; `None` for a null pointer.
    pub fn timeout(&mut self, pointer: UserPtr<i64>) -> Result<Option<i64>> {
        match pointer.optional() {
            None => Ok(None),
            Some(pointer) => self.read(pointer).map(Some),
        }
    }

    /// Checks a buffer for reading.
    pub fn probe_read(&mut self, pointer: UserPtr, length: u64, alignment: u64) -> Result<()> {
        User(&mut self.memory()).probe_read(pointer, length, alignment)
    }

    /// The text that a UNICODE_STRING already read describes.
    pub fn text(&mut self, string: UnicodeString) -> Result<Vec<u16>> {
        User(&mut self.memory()).text(string)
    }

    /// `PRIVILEGE_NOT_HELD` unless the caller has the privilege enabled.
    pub fn demand(&self, privilege: u32) -> Result<()> {
        if self.exec.privileged(self.thread, privilege)? {
            Ok(())
        } else {
            Err(Status::PRIVILEGE_NOT_HELD)
        }
    }

    /// The thread waits; `pending` says what is left to do then.
    pub const fn wait(&mut self, pending: Pending) -> Result<Done> {
        self.pending = Some(pending);
        Ok(Done::Waits)
    }

    /// The end of a call whose wait may be over already.
    pub fn outcome(&mut self, outcome: Completion<Status>) -> Result<Done> {
        match outcome {
            Completion::Done(status) => Ok(Done::Returns(status)),
            Completion::Pending => self.wait(Pending::Status),
        }
    }

    /// What every opening call does: handle out, access, attributes in.
    pub fn open(
        &mut self,
        place: UserPtr<Word>,
        access: Access,
        attributes: UserAttributes,
        kind: Kind,
    ) -> Result<Done> {
        self.probe(place)?;
        let attributes = self.attributes(attributes)?;
        let handle =
            self.exec
                .open_by_name(self.thread, &attributes.view(), Some(kind), access, None)?;
        self.give(place, handle)
    }

    /// A new object's handle, with `OBJECT_NAME_EXISTS` if the object was there before.
    pub fn created(&mut self, place: UserPtr<Word>, created: Created) -> Result<Done> {
        let done = self.give(place, created.handle)?;
        Ok(if created.existed {
            Done::Returns(Status::OBJECT_NAME_EXISTS)
        } else {
            done
        })
    }

    /// Changes something that has a count or a state, and tells what it was before to a caller who
    /// asks.
    pub fn previous(
        &mut self,
        place: UserPtr<u32>,
        change: impl FnOnce(&mut Self) -> Result<u32>,
    ) -> Result<Done> {
        self.probe_optional(place)?;
        let before = change(self)?;
        self.write_optional(place, before)?;
        success()
    }

    /// Gives a new handle to the caller. The place was probed before; if it has gone since, the
    /// handle is closed again.
    pub fn give(&mut self, pointer: UserPtr<Word>, handle: Handle) -> Result<Done> {
        if let Err(status) = self.write(pointer, Word(handle.to_slot())) {
            // The handle is the caller's own and was made by this call: closing it cannot fail.
            let _ = self.exec.close(self.thread, handle);
            return Err(status);
        }
        Ok(Done::Returns(Status::SUCCESS))
    }
}

/// The usual success.
pub const fn success() -> Result<Done> {
    Ok(Done::Returns(Status::SUCCESS))
}
