// SPDX-License-Identifier: GPL-2.0-or-later
//! The threads that serve `\SmApiPort`: always one more than there are requests that block (spec
//! 10.6).
//!
//! A message whose handling may block (starting a server, calling one, ending a session) is only
//! handled while another thread stays free to receive, because what it waits for arrives as a
//! message: a thread is added first, and if none can be, a request is answered with
//! INSUFF_SERVER_RESOURCES. So the port is always listened to, however many requests block. What
//! clients ask for cannot take all threads ([`crate::state::threads`]). That is decided before a
//! verb is called; the verbs know nothing of threads.

use crate::kernel::close;
use crate::manager::Manager;
use crate::state::ids::ProcessId;
use nt::Result;
use nt::system::{System, ThreadBody};

/// Starts one more API thread.
pub(super) fn add_thread<S: System>(sm: &'static Manager<S>) -> Result<()>
where
    Manager<S>: ThreadBody,
{
    sm.tables.lock().threads.add()?;
    match sm.system.create_thread(sm) {
        Ok(thread) => {
            close(sm.system, thread);
            Ok(())
        }
        Err(status) => {
            sm.tables.lock().threads.give_up();
            Err(status)
        }
    }
}

/// Makes sure that another thread receives while this one blocks.
pub(super) fn leave_a_receiver<S: System>(sm: &'static Manager<S>) -> Result<()>
where
    Manager<S>: ThreadBody,
{
    if sm.tables.lock().threads.any_idle() {
        Ok(())
    } else {
        add_thread(sm)
    }
}

/// The same for what is done in any case; a failure is told here.
#[inline(never)]
pub(super) fn try_to_leave_a_receiver<S: System>(sm: &'static Manager<S>)
where
    Manager<S>: ThreadBody,
{
    if let Err(status) = leave_a_receiver(sm) {
        nt::warn!("SM API thread: {status}: the port is not listened to for a while");
    }
}

/// A request of a client that holds its thread until this is dropped.
pub(super) struct Held<'m, S: System>(&'m Manager<S>, ProcessId);

impl<S: System> Drop for Held<'_, S> {
    fn drop(&mut self) {
        self.0.tables.lock().threads.let_go(self.1);
    }
}

/// Lets a request of the client `process` hold its thread, another one receiving meanwhile.
/// `INSUFF_SERVER_RESOURCES` if clients hold too many already.
#[inline(always)]
pub(super) fn hold<S: System>(
    sm: &'static Manager<S>,
    process: ProcessId,
) -> Result<Held<'static, S>>
where
    Manager<S>: ThreadBody,
{
    begin_to_hold(sm, process)?;
    Ok(Held(sm, process))
}

/// What is done for it: a piece of code of its own, whose answer fits into registers.
#[inline(never)]
fn begin_to_hold<S: System>(sm: &'static Manager<S>, process: ProcessId) -> Result<()>
where
    Manager<S>: ThreadBody,
{
    sm.tables.lock().threads.hold(process)?;
    leave_a_receiver(sm).inspect_err(|_| sm.tables.lock().threads.let_go(process))
}
