// SPDX-License-Identifier: GPL-2.0-or-later
//! The seam in memory: processes and the machine; there are no ports.

use super::*;

impl Ports for World {
    fn create_port(&self, _: &ObjectAttributes<'_>, _: PortLimits) -> Result<Handle> {
        Err(Status::NOT_IMPLEMENTED)
    }

    fn connect_port(&self, _: UnicodeStr<'_>, _: &mut [u8]) -> Result<Handle> {
        Err(Status::NOT_IMPLEMENTED)
    }

    fn accept_connect(&self, _: &MessageBuffer, _: Accept) -> Result<Handle> {
        Err(Status::NOT_IMPLEMENTED)
    }

    fn complete_connect(&self, _: Handle) -> Result<()> {
        Err(Status::NOT_IMPLEMENTED)
    }

    fn reply_wait_receive(
        &self,
        _: Handle,
        _: Option<&MessageBuffer>,
        _: &mut MessageBuffer,
    ) -> Result<Received> {
        Err(Status::NOT_IMPLEMENTED)
    }

    fn request_wait_reply(&self, _: Handle, _: &mut MessageBuffer) -> Result<()> {
        Err(Status::NOT_IMPLEMENTED)
    }
}

static ROOT: [u16; 10] = nt::string::ascii_units::<10>("C:\\ReactOS");
static OWN_ENVIRONMENT: [u16; 75] = nt::string::ascii_units::<75>(
    "Path=C:\\ReactOS\\System32\0SystemDrive=C:\0SystemRoot=C:\\ReactOS\0\0____________",
);

impl Processes for World {
    fn create_process(&self, parameters: &ProcessParameters<'_>) -> Result<UserProcessInformation> {
        let mut state = self.enter("create_process")?;
        let image = file_key(&parameters.image.to_string());
        let subsystem = ImageSubsystem(
            *state
                .programs
                .get(&image)
                .ok_or(Status::OBJECT_NAME_NOT_FOUND)?,
        );
        let text = |text: UnicodeStr<'_>| text.to_string();
        state.boot_status_seen = state.boot_status;
        state.processes.push(Process {
            image: parameters.image.to_string(),
            command_line: parameters.command_line.to_string(),
            directory: parameters.current_directory.map(text),
            dll_path: parameters.dll_path.map(text),
            environment: parameters.environment.to_vec(),
            flags: parameters.flags,
            debug: parameters.debug,
            session: None,
            resumed: false,
            ended: None,
            waited: false,
        });
        let index = state.processes.len() - 1;
        let process = state.give(Open::Process(index)).0;
        let thread = state.give(Open::Process(index)).0;
        let image = SectionImageInformation {
            subsystem,
            ..SectionImageInformation::default()
        };
        Ok(UserProcessInformation {
            process,
            thread,
            image,
            ..UserProcessInformation::default()
        })
    }

    fn open_process(&self, _: ClientId, _: Access) -> Result<Handle> {
        Err(Status::NOT_IMPLEMENTED)
    }

    fn terminate_process(&self, process: Handle, status: Status) -> Result<()> {
        self.enter("terminate_process")?.process_of(process)?.ended = Some(status);
        Ok(())
    }

    fn read_memory(&self, _: Handle, _: u64, _: &mut [u8]) -> Result<()> {
        Err(Status::NOT_IMPLEMENTED)
    }

    fn resume_thread(&self, thread: Handle) -> Result<()> {
        self.enter("resume_thread")?.process_of(thread)?.resumed = true;
        Ok(())
    }

    fn create_thread<B: ThreadBody>(&self, _: &'static B) -> Result<Handle> {
        Err(Status::NOT_IMPLEMENTED)
    }

    fn exit_thread(&self, _: Status) -> Result<()> {
        Err(Status::NOT_IMPLEMENTED)
    }

    fn query_exit(&self, _: Handle) -> Result<ExitInformation> {
        Err(Status::NOT_IMPLEMENTED)
    }

    fn query_thread(&self, _: Handle) -> Result<ClientId> {
        Err(Status::NOT_IMPLEMENTED)
    }

    fn query_session(&self, _: Handle) -> Result<u32> {
        Err(Status::NOT_IMPLEMENTED)
    }

    fn set_session(&self, process: Handle, session: u32) -> Result<()> {
        let mut state = self.enter("set_session")?;
        if let Some(status) = state.refuse_session {
            return Err(status);
        }
        state.process_of(process)?.session = Some(session);
        Ok(())
    }

    fn query_device_map(&self) -> Result<DeviceMap> {
        let state = self.enter("query_device_map")?;
        let drives = state.volumes.iter().fold(0, |drives, (letter, ..)| {
            drives | 1 << (u32::from(*letter) - u32::from('A'))
        });
        Ok(DeviceMap {
            drives,
            ..DeviceMap::default()
        })
    }

    fn set_process_critical(&self, _: bool) -> Result<()> {
        Err(Status::NOT_IMPLEMENTED)
    }

    fn set_thread_critical(&self, _: bool) -> Result<()> {
        Err(Status::NOT_IMPLEMENTED)
    }

    fn set_base_priority(&self, _: u32) -> Result<()> {
        Err(Status::NOT_IMPLEMENTED)
    }

    fn set_hard_error_mode(&self, _: u32) -> Result<()> {
        Err(Status::NOT_IMPLEMENTED)
    }

    fn client_id(&self) -> ClientId {
        ClientId {
            process: 0x100,
            thread: 0x104,
        }
    }

    fn own_environment(&self) -> &[u16] {
        &OWN_ENVIRONMENT
    }

    fn own_dll_path(&self) -> UnicodeStr<'_> {
        UnicodeStr::EMPTY
    }

    fn own_command_line(&self) -> UnicodeStr<'_> {
        UnicodeStr::EMPTY
    }

    fn own_debug_flags(&self) -> u32 {
        0
    }

    fn own_global_flag(&self) -> u32 {
        0
    }
}

impl SystemWide for World {
    fn system_root(&self) -> UnicodeStr<'_> {
        UnicodeStr(&ROOT)
    }

    fn version(&self) -> VersionInformation {
        VersionInformation { major: 5, minor: 2 }
    }

    fn query_basic(&self) -> Result<BasicInformation> {
        let state = self.enter("query_basic")?;
        let physical_pages = u32::try_from(state.memory_megabytes * 256).unwrap();
        Ok(BasicInformation {
            page_size: 4096,
            physical_pages,
            processors: 2,
        })
    }

    fn query_processor(&self) -> Result<ProcessorInformation> {
        drop(self.enter("query_processor")?);
        Ok(ProcessorInformation {
            architecture: 9,
            level: 15,
            revision: 0x6B01,
        })
    }

    fn query_raw(&self, _: u32, _: &mut [u8]) -> Result<usize> {
        Err(Status::NOT_IMPLEMENTED)
    }

    fn create_session(&self) -> Result<u32> {
        Err(Status::NOT_IMPLEMENTED)
    }

    fn detach_session(&self, _: u32) -> Result<()> {
        Err(Status::NOT_IMPLEMENTED)
    }

    fn extend_service_table(&self, _: UnicodeStr<'_>) -> Result<()> {
        Err(Status::NOT_IMPLEMENTED)
    }

    fn adjust_privilege(&self, _: Privilege, _: bool, _: PrivilegeHolder) -> Result<bool> {
        drop(self.enter("adjust_privilege")?);
        Ok(false)
    }

    fn display_string(&self, text: UnicodeStr<'_>) -> Result<()> {
        self.enter("display_string")?
            .screen
            .push_str(&text.to_string());
        Ok(())
    }

    fn raise_hard_error(&self, _: &HardError<'_>) -> Result<()> {
        Err(Status::NOT_IMPLEMENTED)
    }

    fn shut_down(&self, _: ShutdownAction) -> Result<()> {
        Err(Status::NOT_IMPLEMENTED)
    }

    fn exchange_boot_status(
        &self,
        _: &[BootStatusItem; 2],
        values: [bool; 2],
    ) -> Result<[bool; 2]> {
        let mut state = self.enter("exchange_boot_status")?;
        let before = state.boot_status.ok_or(Status::OBJECT_NAME_NOT_FOUND)?;
        state.boot_status = Some(values);
        Ok(before)
    }

    fn query_image_option<'b>(
        &self,
        _: UnicodeStr<'_>,
        _: UnicodeStr<'_>,
        _: &'b mut [u16],
    ) -> Result<UnicodeStr<'b>> {
        Err(Status::OBJECT_NAME_NOT_FOUND)
    }
}
