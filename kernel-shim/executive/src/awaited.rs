// SPDX-License-Identifier: GPL-2.0-or-later
//! What other modules are about to bring: each item goes when its module has it. Until then it says so.

use crate::Executive;
use crate::ids::{ObjectId, ProcessId};
use crate::mm::Mapped;
use crate::object::{Body, Hooks};
use crate::process::create::Stack;
use nt::system::SectionImageInformation;
use nt::{Result, Status};

pub const NO_HOOKS: Hooks = Hooks::NONE;

impl Executive {
    fn awaited<T>(&self, what: &str) -> Result<T> {
        log::error!("{what} is not there yet");
        Err(Status::NOT_IMPLEMENTED)
    }

    pub(crate) fn map_image(&mut self, _: ProcessId, _: ObjectId) -> Result<Mapped> {
        self.awaited("map_image")
    }
    pub(crate) fn section_information(&self, _: ObjectId) -> Result<SectionImageInformation> {
        self.awaited("section_information")
    }
    pub(crate) fn system_dll_section(&mut self) -> Result<ObjectId> {
        self.awaited("system_dll_section")
    }
    pub(crate) fn system_dll_export(&mut self, _: &[u8]) -> Option<u32> {
        None
    }
    pub(crate) fn allocate_memory_in(&mut self, _: ProcessId, _: u64, _: u32, _: bool) -> Result<u64> {
        self.awaited("allocate_memory_in")
    }
    pub(crate) fn write_process(&mut self, _: ProcessId, _: u64, _: &[u8]) -> Result<()> {
        self.awaited("write_process")
    }
    pub(crate) fn reserve_stack(&mut self, _: ProcessId, _: u64, _: u64) -> Result<Stack> {
        self.awaited("reserve_stack")
    }
    pub(crate) fn open_image_section(&mut self, _: &[u16]) -> Result<ObjectId> {
        self.awaited("open_image_section")
    }
    pub(crate) fn load_driver(&mut self, _: &[u16]) -> Result<()> {
        self.awaited("load_driver")
    }
    pub(crate) fn delete_memory(&mut self, process: ProcessId) {
        if let Some(memory) = self.processes.get_mut(&process).and_then(|process| process.memory.take()) {
            self.machine.delete_space(memory.space);
        }
    }
    pub(crate) fn read_process(&mut self, _: ProcessId, _: u64, _: &mut [u8]) -> Result<()> {
        self.awaited("read_process")
    }
    pub(crate) fn delete_body(&mut self, body: Body) {
        drop(body);
    }
}
