// SPDX-License-Identifier: GPL-2.0-or-later
//! The methods of the seam: each is noted, and passed on unless it is refused.

use super::{Call, Child, Interceptor, Pretended};
use nt::access::{Access, OpenOptions, Share};
use nt::object::ClientId;
use nt::path::{FullPaths, MAX_DOS};
use nt::system::*;
use nt::{Handle, ObjectAttributes, Result, Status, UnicodeBuf, UnicodeStr};

fn call(name: &'static str, about: String) -> Call {
    Call {
        name,
        about,
        security: None,
    }
}

fn creation(name: &'static str, attributes: &ObjectAttributes<'_>) -> Call {
    Call {
        security: attributes.security.map(<[u8]>::to_vec),
        ..call(name, attributes.name.to_string())
    }
}

/// Methods that are noted by their names only.
macro_rules! pass_on {
    ($($name:ident($($argument:ident: $kind:ty),*) -> $result:ty;)*) => {$(
        fn $name(self, $($argument: $kind),*) -> Result<$result> {
            self.pass(call(stringify!($name), String::new()), |below| below.$name($($argument),*))
        }
    )*};
}

/// Methods that make or open an object by its attributes.
macro_rules! pass_on_attributes {
    ($($name:ident(attributes $(, $argument:ident: $kind:ty)*) -> $result:ty;)*) => {$(
        fn $name(self, attributes: &ObjectAttributes<'_>, $($argument: $kind),*) -> Result<$result> {
            self.pass(creation(stringify!($name), attributes), |below| {
                below.$name(attributes, $($argument),*)
            })
        }
    )*};
}

/// What is no request to the kernel.
macro_rules! tell {
    ($($name:ident -> $result:ty;)*) => {$(
        fn $name(self) -> $result {
            self.below.$name()
        }
    )*};
}

impl<S: System> Objects for &Interceptor<S> {
    pass_on_attributes! {
        create_directory(attributes, access: Access) -> Created;
        open_directory(attributes, access: Access) -> Handle;
        create_symbolic_link(attributes, access: Access, target: UnicodeStr<'_>) -> Created;
        open_symbolic_link(attributes, access: Access) -> Handle;
        create_event(attributes, access: Access) -> Handle;
    }

    pass_on! {
        duplicate(source: Handle, handle: Handle, target: Handle, access: Access) -> Handle;
        make_temporary(handle: Handle) -> ();
        query_directory(directory: Handle, visit: &mut dyn FnMut(DirectoryEntry<'_>) -> bool) -> ();
        set_event(event: Handle) -> ();
        wait_any(objects: &[Handle], timeout: Timeout) -> Wait;
        delay(milliseconds: u32) -> ();
    }

    fn close(self, handle: Handle) -> Result<()> {
        self.state().files.remove(&handle.0);
        self.below.close(handle)
    }

    fn query_symbolic_link<'b>(
        self,
        link: Handle,
        buffer: &'b mut [u16],
    ) -> Result<UnicodeStr<'b>> {
        self.pass(call("query_symbolic_link", String::new()), |below| {
            below.query_symbolic_link(link, buffer)
        })
    }

    fn wait_one(self, object: Handle, timeout: Timeout) -> Result<Wait> {
        let done = self.pass(call("wait_one", String::new()), |below| {
            below.wait_one(object, timeout)
        })?;
        self.with_child(object, |child| child.waited = true);
        Ok(done)
    }
}

impl<S: System> Registry for &Interceptor<S> {
    pass_on_attributes! {
        open_key(attributes, access: Access) -> Handle;
        create_volatile_key(attributes, access: Access) -> Handle;
    }

    pass_on! {
        query_value(key: Handle, name: UnicodeStr<'_>, data: &mut [u8]) -> ValueInformation;
        enumerate_value(
            key: Handle,
            index: u32,
            name: &mut [u16],
            data: &mut [u8]
        ) -> ValueInformation;
        delete_value(key: Handle, name: UnicodeStr<'_>) -> ();
        flush_key(key: Handle) -> ();
        initialize_registry(boot: RegistryBoot) -> ();
    }

    fn set_value(
        self,
        key: Handle,
        name: UnicodeStr<'_>,
        kind: ValueType,
        data: &[u8],
    ) -> Result<()> {
        self.pass(call("set_value", name.to_string()), |below| {
            below.set_value(key, name, kind, data)
        })
    }
}

impl<S: System> Files for &Interceptor<S> {
    pass_on_attributes! {
        query_attributes(attributes) -> FileAttributes;
    }

    pass_on! {
        read_file(file: Handle, offset: u64, buffer: &mut [u8]) -> usize;
        write_file(file: Handle, offset: u64, data: &[u8]) -> usize;
        query_standard(file: Handle) -> FileStandard;
        set_delete(file: Handle) -> ();
        rename(file: Handle, target: UnicodeStr<'_>, replace: bool) -> ();
        set_attributes(file: Handle, attributes: FileAttributes) -> ();
        set_end_of_file(file: Handle, bytes: u64) -> ();
    }

    fn open_file(
        self,
        attributes: &ObjectAttributes<'_>,
        access: Access,
        share: Share,
        options: OpenOptions,
    ) -> Result<Handle> {
        let name = self.full_name(attributes);
        let file = self.pass(call("open_file", name.clone()), |below| {
            below.open_file(attributes, access, share, options)
        });
        self.opened(name, file)
    }

    fn create_file(
        self,
        attributes: &ObjectAttributes<'_>,
        access: Access,
        share: Share,
        options: OpenOptions,
    ) -> Result<Handle> {
        let name = self.full_name(attributes);
        let file = self.pass(call("create_file", name.clone()), |below| {
            below.create_file(attributes, access, share, options)
        });
        self.opened(name, file)
    }

    fn flush_file(self, file: Handle) -> Result<()> {
        self.pass(call("flush_file", self.file_name(file)), |below| {
            below.flush_file(file)
        })
    }

    fn mark_volume_dirty(self, volume: Handle) -> Result<()> {
        self.pass(call("mark_volume_dirty", self.file_name(volume)), |below| {
            below.mark_volume_dirty(volume)
        })
    }

    fn query_file_id(self, file: Handle) -> Result<u64> {
        let name = self.file_name(file);
        let pretended = self.state().file_ids.get(&name.to_lowercase()).copied();
        self.pass(call("query_file_id", name), |below| match pretended {
            Some(id) => Ok(id),
            None => below.query_file_id(file),
        })
    }

    fn query_fs_size(self, file: Handle) -> Result<FsSize> {
        let volume = self.volume(file);
        self.pass(call("query_fs_size", self.file_name(file)), |below| {
            let Some(volume) = volume else {
                return below.query_fs_size(file);
            };
            let units = volume?.free / 4096;
            Ok(FsSize {
                total_units: units,
                available_units: units,
                sectors_per_unit: 8,
                bytes_per_sector: 512,
            })
        })
    }

    fn query_fs_device(self, file: Handle) -> Result<FsDevice> {
        let volume = self.volume(file);
        self.pass(call("query_fs_device", self.file_name(file)), |below| {
            let device = below.query_fs_device(file)?;
            volume.map_or(Ok(device), |volume| {
                Ok(FsDevice {
                    characteristics: volume?.characteristics,
                    ..device
                })
            })
        })
    }

    fn create_paging_file(self, name: UnicodeStr<'_>, minimum: u64, maximum: u64) -> Result<()> {
        self.pass(call("create_paging_file", name.to_string()), |below| {
            match &mut self.state().pretended {
                None => {}
                Some(pretended) => {
                    let answer = pretended.answers.pop_front();
                    answer.unwrap_or(Status::SUCCESS).ok()?;
                    let made = (name.to_string(), minimum, maximum);
                    pretended.paging_files.push(made);
                    return Ok(());
                }
            }
            below.create_paging_file(name, minimum, maximum)
        })
    }
}

impl<S: System> Memory for &Interceptor<S> {
    type Pages = S::Pages;
    type View = S::View;

    pass_on! {
        allocate_pages(bytes: usize) -> Self::Pages;
        map_view(section: Handle) -> Self::View;
    }

    pass_on_attributes! {
        create_image_section(attributes, access: Access, file: Handle) -> Handle;
    }
}

impl<S: System> Ports for &Interceptor<S> {
    pass_on_attributes! {
        create_port(attributes, limits: PortLimits) -> Handle;
    }

    pass_on! {
        connect_port(name: UnicodeStr<'_>, information: &mut [u8]) -> Handle;
        accept_connect(request: &MessageBuffer, accept: Accept) -> Handle;
        complete_connect(port: Handle) -> ();
        reply_wait_receive(
            port: Handle,
            reply: Option<&MessageBuffer>,
            received: &mut MessageBuffer
        ) -> Received;
        request_wait_reply(port: Handle, message: &mut MessageBuffer) -> ();
    }
}

impl<S: System> Processes for &Interceptor<S> {
    pass_on! {
        open_process(client: ClientId, access: Access) -> Handle;
        read_memory(process: Handle, address: u64, into: &mut [u8]) -> ();
        exit_thread(status: Status) -> ();
        query_exit(process: Handle) -> ExitInformation;
        query_thread(thread: Handle) -> ClientId;
        query_session(process: Handle) -> u32;
        set_process_critical(critical: bool) -> ();
        set_thread_critical(critical: bool) -> ();
        set_base_priority(priority: u32) -> ();
        set_hard_error_mode(mode: u32) -> ();
    }

    tell! {
        client_id -> ClientId;
        own_environment -> &'static [u16];
        own_dll_path -> UnicodeStr<'static>;
        own_command_line -> UnicodeStr<'static>;
        own_debug_flags -> u32;
        own_global_flag -> u32;
    }

    fn create_process(
        self,
        parameters: &ProcessParameters<'_>,
        told: &mut UserProcessInformation,
    ) -> Result<()> {
        let image = parameters.image.to_string();
        self.pass(call("create_process", image.clone()), |below| {
            below.create_process(parameters, told)
        })?;
        self.state().children.push(Child {
            image,
            command_line: parameters.command_line.to_string(),
            directory: parameters.current_directory.map(|text| text.to_string()),
            dll_path: parameters.dll_path.map(|text| text.to_string()),
            environment: parameters.environment.to_vec(),
            flags: parameters.flags,
            debug: parameters.debug,
            session: None,
            resumed: false,
            ended: None,
            waited: false,
            handles: [told.process, told.thread],
        });
        Ok(())
    }

    fn terminate_process(self, process: Handle, status: Status) -> Result<()> {
        self.pass(call("terminate_process", String::new()), |below| {
            below.terminate_process(process, status)
        })?;
        self.with_child(process, |child| child.ended = Some(status));
        Ok(())
    }

    fn resume_thread(self, thread: Handle) -> Result<()> {
        self.pass(call("resume_thread", String::new()), |below| {
            below.resume_thread(thread)
        })?;
        self.with_child(thread, |child| child.resumed = true);
        Ok(())
    }

    fn create_thread<B: ThreadBody>(self, body: &'static B) -> Result<Handle> {
        self.pass(call("create_thread", String::new()), |below| {
            below.create_thread(body)
        })
    }

    fn set_session(self, process: Handle, session: u32) -> Result<()> {
        self.pass(call("set_session", session.to_string()), |below| {
            below.set_session(process, session)
        })?;
        self.with_child(process, |child| child.session = Some(session));
        Ok(())
    }

    fn query_device_map(self) -> Result<DeviceMap> {
        self.pass(call("query_device_map", String::new()), |below| {
            let map = below.query_device_map()?;
            let letters = |pretended: &Pretended| {
                pretended.volumes.iter().fold(0, |drives, volume| {
                    drives | 1 << (u32::from(volume.letter) - u32::from('A'))
                })
            };
            let drives = self.state().pretended.as_ref().map(letters);
            Ok(DeviceMap {
                drives: drives.unwrap_or(map.drives),
                ..map
            })
        })
    }
}

impl<S: System> FullPaths for &Interceptor<S> {
    fn full_path(self, dos: UnicodeStr<'_>, full: &mut UnicodeBuf<MAX_DOS>) -> Result<()> {
        self.below.full_path(dos, full)
    }
}

impl<S: System> SystemWide for &Interceptor<S> {
    tell! {
        system_root -> UnicodeStr<'static>;
        version -> VersionInformation;
        is_narrow -> bool;
        wide_page_tables -> bool;
    }

    pass_on! {
        query_basic() -> BasicInformation;
        query_processor() -> ProcessorInformation;
        query_raw(class: u32, into: &mut [u8]) -> usize;
        create_session() -> u32;
        detach_session(session: u32) -> ();
        extend_service_table(driver: UnicodeStr<'_>) -> ();
        adjust_privilege(privilege: Privilege, enable: bool, holder: PrivilegeHolder) -> bool;
        raise_hard_error(error: &HardError<'_>) -> ();
        shut_down(action: ShutdownAction) -> ();
        exchange_boot_status(items: &[BootStatusItem; 2], values: [bool; 2]) -> [bool; 2];
    }

    fn display_string(self, text: UnicodeStr<'_>) -> Result<()> {
        self.pass(call("display_string", text.to_string()), |below| {
            below.display_string(text)
        })
    }

    fn query_image_debugger<'b>(
        self,
        image: UnicodeStr<'_>,
        buffer: &'b mut [u16],
    ) -> Result<UnicodeStr<'b>> {
        self.pass(call("query_image_debugger", image.to_string()), |below| {
            below.query_image_debugger(image, buffer)
        })
    }
}
