// SPDX-License-Identifier: GPL-2.0-or-later
//! What the object manager asks of the system it is part of.

use super::{Body, Executive};
use crate::ids::{ObjectId, ProcessId, ThreadId};
use crate::io::DeviceKind;
use crate::machine::DiskKind;
use crate::ob::{self, DeviceMapId, HandleTable, Kind, Manager};
use crate::se::{Token, token};
use nt::access::Access;
use nt::{Handle, Result, Status};

impl ob::System for Executive {
    type Body = Body;

    fn ob(&self) -> &Manager<Self> {
        &self.ob
    }

    fn ob_mut(&mut self) -> &mut Manager<Self> {
        &mut self.ob
    }

    fn caller_process(&self, caller: ThreadId) -> Result<ProcessId> {
        self.process_of(caller).map(|process| process.id)
    }

    fn caller_token(&self, caller: ThreadId) -> Result<&Token> {
        self.token_of(caller)
    }

    fn in_kernel_mode(&self, caller: ThreadId) -> bool {
        self.is_kernel(caller)
    }

    fn pseudo_handle(&self, caller: ThreadId, handle: Handle) -> Result<(Kind, ObjectId)> {
        match handle {
            Handle::CURRENT_PROCESS => Ok((Kind::Process, self.process_of(caller)?.object)),
            Handle::CURRENT_THREAD => Ok((Kind::Thread, self.thread(caller)?.object)),
            _ => Err(Status::INVALID_HANDLE),
        }
    }

    fn process_of_handle(
        &self,
        caller: ThreadId,
        handle: Handle,
        access: Access,
    ) -> Result<ProcessId> {
        self.process_behind(caller, handle, access)
    }

    fn handles(&self, process: ProcessId) -> Option<&HandleTable> {
        self.processes.get(&process)?.handles.as_ref()
    }

    fn handles_mut(&mut self, process: ProcessId) -> Option<&mut HandleTable> {
        self.processes.get_mut(&process)?.handles.as_mut()
    }

    fn device_map_of(&self, process: ProcessId) -> Result<DeviceMapId> {
        Ok(self.process(process)?.device_map)
    }

    fn is_foreign(&self, caller: ThreadId, session: u32) -> Result<bool> {
        let own = self.session_of(self.process_of(caller)?.id)?;
        Ok(own != session && !self.privileged(caller, token::CREATE_GLOBAL)?)
    }

    /// Removable 2, fixed 3, CD-ROM 5, else 1 (spec 3.1).
    fn device_drive_type(&self, object: ObjectId) -> Option<u8> {
        let Body::Device(device) = self.ob.get(object)?.body else {
            return None;
        };
        let kind = match device.kind {
            DeviceKind::Volume(volume) => self.io.volume_at(volume).map(|volume| volume.kind),
            DeviceKind::Disk(number) => self.machine.disk(number).map(|disk| disk.kind),
            _ => None,
        };
        Some(match kind {
            Some(DiskKind::Removable) => 2,
            Some(DiskKind::Fixed) => 3,
            Some(DiskKind::CdRom) => 5,
            None => 1,
        })
    }

    fn time(&self) -> u64 {
        self.now()
    }
}
