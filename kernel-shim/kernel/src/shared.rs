// SPDX-License-Identifier: GPL-2.0-or-later
//! The bare machine, shared: the executive holds one end as its [`Machine`], the loop that runs the
//! threads holds the other.
//!
//! Invariant: the lock is never held across a call into the executive, nor across a run of ring 3
//! (there is one processor and the kernel is not interrupted, so a second locking would wait for
//! ever).

use crate::machine::Bare;
use alloc::sync::Arc;
use executive::ids::ThreadId;
use executive::machine::{
    Architecture, Context, Disk, Frame, Machine, PageAccess, Processor, SpaceId, Stop,
};
use nt::Result;
use spin::{Mutex, MutexGuard};

/// One end.
#[derive(Clone)]
pub struct Shared(Arc<Mutex<Bare>>);

impl Shared {
    /// Takes the machine.
    pub fn new(machine: Bare) -> Self {
        Self(Arc::new(Mutex::new(machine)))
    }

    /// The machine, for a moment.
    pub fn lock(&self) -> MutexGuard<'_, Bare> {
        self.0.lock()
    }
}

macro_rules! pass_on {
    ($(fn $name:ident(&self $(, $argument:ident: $kind:ty)*) $(-> $result:ty)?;)*
     $(mut fn $mut_name:ident(&mut self $(, $mut_argument:ident: $mut_kind:ty)*) $(-> $mut_result:ty)?;)*) => {
        impl Machine for Shared {
            $(fn $name(&self $(, $argument: $kind)*) $(-> $result)? {
                self.lock().$name($($argument),*)
            })*
            $(fn $mut_name(&mut self $(, $mut_argument: $mut_kind)*) $(-> $mut_result)? {
                self.lock().$mut_name($($mut_argument),*)
            })*
        }
    };
}

pass_on! {
    fn architecture(&self) -> Architecture;
    fn read_frame(&self, frame: Frame, offset: usize, buffer: &mut [u8]);
    fn translate(&self, space: SpaceId, address: u64) -> Option<(Frame, PageAccess)>;
    fn context(&self, thread: ThreadId) -> Context;
    fn uptime(&self) -> u64;
    fn start_time(&self) -> u64;
    fn physical_pages(&self) -> u64;
    fn available_pages(&self) -> u64;
    fn committed_pages(&self) -> u64;
    fn processor(&self) -> Processor;
    fn disk(&self, number: usize) -> Option<Disk>;
    mut fn create_space(&mut self) -> Result<SpaceId>;
    mut fn delete_space(&mut self, space: SpaceId);
    mut fn allocate_frame(&mut self) -> Result<Frame>;
    mut fn share_frame(&mut self, frame: Frame);
    mut fn free_frame(&mut self, frame: Frame);
    mut fn write_frame(&mut self, frame: Frame, offset: usize, data: &[u8]);
    mut fn map(&mut self, space: SpaceId, address: u64, frame: Frame, access: PageAccess) -> Result<()>;
    mut fn unmap(&mut self, space: SpaceId, address: u64) -> Option<Frame>;
    mut fn protect(&mut self, space: SpaceId, address: u64, access: PageAccess);
    mut fn create_thread(&mut self, thread: ThreadId, space: SpaceId, context: &Context, teb: u64) -> Result<()>;
    mut fn set_runnable(&mut self, thread: ThreadId, runnable: bool);
    mut fn end_thread(&mut self, thread: ThreadId);
    mut fn set_context(&mut self, thread: ThreadId, context: &Context);
    mut fn set_priority(&mut self, thread: ThreadId, priority: u8);
    mut fn display(&mut self, text: &str);
    mut fn debug_print(&mut self, text: &str);
    mut fn read_disk(&mut self, number: usize, sector: u64, buffer: &mut [u8]) -> Result<()>;
    mut fn write_disk(&mut self, number: usize, sector: u64, data: &[u8]) -> Result<()>;
    mut fn flush_disk(&mut self, number: usize) -> Result<()>;
    mut fn stop(&mut self, stop: &Stop);
}
