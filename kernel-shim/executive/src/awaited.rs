// SPDX-License-Identifier: GPL-2.0-or-later
//! What other modules are about to bring: each item goes when its module has it. Until then it says so.

use crate::Executive;
use crate::ids::ObjectId;
use crate::object::{Body, Hooks};
use nt::{Result, Status};

pub const NO_HOOKS: Hooks = Hooks::NONE;

impl Executive {
    fn awaited<T>(&self, what: &str) -> Result<T> {
        log::error!("{what} is not there yet");
        Err(Status::NOT_IMPLEMENTED)
    }

    pub(crate) fn system_dll_section(&mut self) -> Result<ObjectId> {
        self.awaited("system_dll_section")
    }
    pub(crate) fn system_dll_export(&mut self, _: &[u8]) -> Option<u32> {
        None
    }
    pub(crate) fn open_image_section(&mut self, _: &[u16]) -> Result<ObjectId> {
        self.awaited("open_image_section")
    }
    pub(crate) fn load_driver(&mut self, _: &[u16]) -> Result<()> {
        self.awaited("load_driver")
    }
    pub(crate) fn delete_body(&mut self, body: Body) {
        drop(body);
    }
}
