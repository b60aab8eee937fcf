// SPDX-License-Identifier: GPL-2.0-or-later
//! Making a process: parameters, session, subsystem check, wait (spec 8.2, 8.3).
//!
//! A child is created suspended. The owner of the [`Child`] resumes it or kills it; dropping it
//! only closes the handles. A child that cannot be brought into its session is killed, never left
//! running behind an error.

use crate::grammar::{self, Modifiers};
use crate::search::{self, Program};
use nt::environment::Environment;
use nt::failure::persist;
use nt::object::ClientId;
use nt::system::{
    ImageSubsystem, ParameterFlags, ProcessParameters, System, Timeout, UserProcessInformation,
};
use nt::{Handle, ObjectAttributes, Owned, Result, Status, UnicodeStr, wide};

/// What every child of this process gets: environment, library path, debug flag (spec 5.1 #10,
/// 5.2).
pub struct Launcher<'a, S: System> {
    /// The seam.
    pub system: S,
    /// The default environment.
    pub environment: &'a Environment<S>,
    /// Default library path, made by [`crate::library_path`]; if empty, children inherit this
    /// process's own.
    pub library_path: UnicodeStr<'a>,
    /// This process was started with `DebugFlags` set: so is every child (spec 1.3 #4).
    pub debug: bool,
}

/// Ends `process` with `status`, unless it is ending already. What the kernel refuses is asked for again:
/// nobody but smss would ever end such a process, and one that is left keeps its session. Blocks for a
/// second at most.
///
/// # Errors
/// What the kernel says last.
#[inline(never)]
pub fn terminate<S: System>(system: S, process: Handle, status: Status) -> Result<()> {
    let ends = |answer| answer == Status::PROCESS_IS_TERMINATING;
    match persist(
        system,
        &mut || system.terminate_process(process, status),
        ends,
    ) {
        Err(Status::PROCESS_IS_TERMINATING) => Ok(()),
        result => result,
    }
}

/// How one process is to be made.
#[derive(Clone, Copy, Debug)]
pub struct Start<'a> {
    /// The image and its directory, which becomes the current directory.
    pub image: &'a Program,
    /// The command line.
    pub command_line: UnicodeStr<'a>,
    /// Terminal-services session.
    pub session: u32,
    /// The `debug` modifier.
    pub debug: bool,
    /// A subsystem server: its first megabyte is reserved.
    pub subsystem: bool,
}

/// A new process, its initial thread suspended. What its creation told stands where its creator wants it.
#[must_use]
pub struct Child<'a, S: System> {
    system: S,
    information: &'a UserProcessInformation,
}

impl<S: System> Launcher<'_, S> {
    /// Looks for `program` along the `Path` variable, then along the library path, and puts it where
    /// `found` is: whether it is somewhere.
    ///
    /// # Errors
    /// `OBJECT_NAME_NOT_FOUND` if there is no `Path` variable.
    pub fn find(&self, program: UnicodeStr<'_>, found: &mut Program) -> Result<bool> {
        let path = self
            .environment
            .get(wide!("Path"))
            .ok_or(Status::OBJECT_NAME_NOT_FOUND)?;
        Ok(self.find_along(path, program, found)
            || self.find_along(self.library_path, program, found))
    }

    #[inline(never)]
    fn find_along(
        &self,
        path: UnicodeStr<'_>,
        program: UnicodeStr<'_>,
        found: &mut Program,
    ) -> bool {
        let system = self.system;
        let query = |name: UnicodeStr<'_>| {
            let attributes = system.query_attributes(&ObjectAttributes::named(name));
            attributes.map(drop)
        };
        search::search(path, program, system, found, query)
    }

    /// Looks for the program that `line` names, and puts it where `found` is: the modifiers before it.
    ///
    /// # Errors
    /// `UNSUCCESSFUL` without a program, `OBJECT_NAME_NOT_FOUND` if it is nowhere.
    pub fn find_command(&self, line: UnicodeStr<'_>, found: &mut Program) -> Result<Modifiers> {
        let command = grammar::parse(line)?;
        if self.find(command.program, found)? {
            Ok(command.modifiers)
        } else {
            Err(Status::OBJECT_NAME_NOT_FOUND)
        }
    }

    /// Makes the process and puts it into its session (spec 8.3 #1 to #5): what a DEFERRED start
    /// is. What its creation tells is put where `told` is.
    ///
    /// # Errors
    /// What the kernel says; no process is left then.
    pub fn create<'t>(
        &self,
        start: &Start<'_>,
        told: &'t mut UserProcessInformation,
    ) -> Result<Child<'t, S>> {
        let reserve = if start.subsystem {
            ParameterFlags::RESERVE_1MB
        } else {
            ParameterFlags::empty()
        };
        let parameters = ProcessParameters {
            image: start.image.path.as_str(),
            dll_path: Some(self.library_path).filter(|path| !path.is_empty()),
            current_directory: Some(start.image.directory.as_str())
                .filter(|directory| !directory.is_empty()),
            command_line: start.command_line,
            environment: self.environment.block(),
            flags: ParameterFlags::NX | reserve,
            debug: start.debug || self.debug,
        };
        self.system.create_process(&parameters, told)?;
        let child = Child::adopted(self.system, told);
        let joined = self.system.set_session(child.process(), start.session);
        child.or_kill(joined)?;
        Ok(child)
    }

    /// Makes a native process, lets it run, and unless `asynchronous` waits until its initial
    /// thread ends (spec 8.3). Its exit status is not looked at. Blocks.
    ///
    /// # Errors
    /// `INVALID_IMAGE_FORMAT` if it is not native (it is killed then), or what the kernel says.
    pub fn run(&self, start: &Start<'_>, asynchronous: bool) -> Result<()> {
        let mut told = UserProcessInformation::untold();
        let child = self.create(start, &mut told)?;
        let native = child.subsystem() == ImageSubsystem::NATIVE;
        let resumed = if native {
            child.resume()
        } else {
            Err(Status::INVALID_IMAGE_FORMAT)
        };
        child.or_kill(resumed)?;
        if asynchronous { Ok(()) } else { child.wait() }
    }

    /// Executes one command line that is neither autocheck nor a subsystem (spec 8.2). Blocks
    /// unless it is `async`.
    ///
    /// # Errors
    /// `UNSUCCESSFUL` without a program, `OBJECT_NAME_NOT_FOUND` if it is nowhere, and those of
    /// [`Self::run`].
    pub fn execute(&self, line: UnicodeStr<'_>, session: u32) -> Result<()> {
        let mut image = Program::default();
        let modifiers = self.find_command(line, &mut image)?;
        let debug = modifiers.contains(Modifiers::DEBUG);
        let start = Start {
            image: &image,
            command_line: line,
            session,
            debug,
            subsystem: false,
        };
        self.run(&start, modifiers.contains(Modifiers::ASYNC))
    }
}

impl<'a, S: System> Child<'a, S> {
    /// Takes over a process that somebody else made for us.
    pub const fn adopted(system: S, information: &'a UserProcessInformation) -> Self {
        Self {
            system,
            information,
        }
    }

    /// Its process handle, still owned by `self`.
    pub const fn process(&self) -> Handle {
        Handle(self.information.process)
    }

    /// Handle of its initial thread, still owned by `self`.
    pub const fn thread(&self) -> Handle {
        Handle(self.information.thread)
    }

    /// Process and thread id.
    pub const fn client(&self) -> ClientId {
        self.information.client
    }

    /// The subsystem that its image wants.
    pub const fn subsystem(&self) -> ImageSubsystem {
        self.information.image.subsystem
    }

    /// All that its creation told; the handles stay owned by `self`.
    pub const fn information(&self) -> &'a UserProcessInformation {
        self.information
    }

    /// Lets it run.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn resume(&self) -> Result<()> {
        self.system.resume_thread(self.thread())
    }

    /// Waits until its initial thread has ended. Blocks.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn wait(&self) -> Result<()> {
        self.system
            .wait_one(self.thread(), Timeout::Never)
            .map(drop)
    }

    /// Ends it with `status`, and waits until it is gone. Blocks.
    pub fn kill(&self, status: Status) {
        match terminate(self.system, self.process(), status) {
            // The thread may never end: waiting for it could take for ever.
            Err(refused) => nt::error!(
                "process {}: not terminated: {refused}",
                self.information.client.process
            ),
            Ok(()) => {
                if let Err(refused) = self.wait() {
                    nt::warn!(
                        "process {}: wait for its end: {refused}",
                        self.information.client.process
                    );
                }
            }
        }
    }

    /// What was done with it; it is killed for a failure. Blocks then.
    ///
    /// # Errors
    /// The same.
    pub fn or_kill(&self, done: Result<()>) -> Result<()> {
        done.inspect_err(|&status| self.kill(status))
    }

    /// Its process and thread handles, each to be closed by its new owner.
    pub fn into_handles(self) -> (Owned<S>, Owned<S>) {
        let handles = (
            Owned::new(self.system, self.process()),
            Owned::new(self.system, self.thread()),
        );
        core::mem::forget(self);
        handles
    }
}

impl<S: System> Drop for Child<'_, S> {
    fn drop(&mut self) {
        drop(Owned::new(self.system, self.thread()));
        drop(Owned::new(self.system, self.process()));
    }
}
