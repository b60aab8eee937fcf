// SPDX-License-Identifier: GPL-2.0-or-later
//! Stand-ins for the DLLs that the KnownDlls key names: small, but real PE DLLs that a loader can
//! bind.
//!
//! Each exports [`EXPORTS`], one function by three names that does nothing but return 1, and
//! imports what it is told. What matters of them is their import tables: the known-DLL walk must
//! find `gdi32.dll`, which no registry value names, through `user32.dll`.

use crate::arch::Arch;
use formats::pe::build::{ImageFile, PAGE_OF_CODE};
use nt::system::ImageSubsystem;

/// The function that the stand-ins import from each other.
pub const EXPORT: &str = "StandIn";

/// Every stand-in's exports, sorted. The first two are what ReactOS' loader looks up in
/// `kernel32.dll` before a Windows program runs, the next two what its csrsrv.dll looks up in
/// `user32.dll` and in a server DLL.
pub const EXPORTS: [&str; 5] = [
    "BaseProcessInitPostImport",
    "BaseQueryModuleData",
    "ClientThreadSetup",
    "ServerDllInitialization",
    EXPORT,
];

/// The DLLs of the default medium: name and content.
pub fn all(arch: Arch) -> impl Iterator<Item = (&'static str, Vec<u8>)> {
    scenarios::DLLS.iter().map(move |(name, imports)| {
        let imports: Vec<_> = imports
            .iter()
            .map(|dll| match *dll {
                "ntdll.dll" => (*dll, "NtClose"),
                other => (other, EXPORT),
            })
            .collect();
        (*name, build(arch, name, &imports))
    })
}

/// `mov eax, 1; ret`: what every export does.
const SUCCEED: &[u8] = &[0xB8, 1, 0, 0, 0, 0xC3];

/// Builds the DLL `name`; each import is a DLL and one of its functions.
pub fn build(arch: Arch, name: &str, imports: &[(&str, &str)]) -> Vec<u8> {
    ImageFile {
        name,
        // As the real ones say.
        subsystem: ImageSubsystem::WINDOWS_GUI,
        i386: arch == Arch::I386,
        dll: true,
        code: SUCCEED,
        imports,
        exports: &EXPORTS,
        ..ImageFile::default()
    }
    .bytes()
}

/// A DLL whose import table stands in another page of its file than its headers, at
/// [`DATA_BEHIND_PAGE`](formats::pe::build::DATA_BEHIND_PAGE).
pub fn spoilt(arch: Arch, name: &str) -> Vec<u8> {
    ImageFile {
        name,
        i386: arch == Arch::I386,
        subsystem: ImageSubsystem::WINDOWS_GUI,
        dll: true,
        code: PAGE_OF_CODE,
        imports: &[("gdi32.dll", EXPORT)],
        ..ImageFile::default()
    }
    .bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use object::LittleEndian as LE;
    use object::read::pe::PeFile64;

    #[test]
    fn a_reader_that_is_not_ours_finds_the_imports_and_the_export() {
        for ((name, imports), (_, bytes)) in scenarios::DLLS.iter().zip(all(Arch::Amd64)) {
            let image = PeFile64::parse(&*bytes).unwrap();
            let table = image.import_table().unwrap().unwrap();
            let mut descriptors = table.descriptors().unwrap();
            let mut found = Vec::new();
            while let Some(descriptor) = descriptors.next().unwrap() {
                let dll = String::from_utf8(table.name(descriptor.name.get(LE)).unwrap().to_vec())
                    .unwrap();
                let mut thunks = table
                    .thunks(descriptor.original_first_thunk.get(LE))
                    .unwrap();
                let thunk = thunks
                    .next::<object::pe::ImageNtHeaders64>()
                    .unwrap()
                    .unwrap();
                let address = u32::try_from(thunk.0.get(LE)).unwrap();
                let (_, function) = table.hint_name(address).unwrap();
                found.push((dll, String::from_utf8(function.to_vec()).unwrap()));
            }
            let wanted: Vec<(String, String)> = imports
                .iter()
                .map(|dll| match *dll {
                    "ntdll.dll" => (dll.to_string(), "NtClose".into()),
                    _ => (dll.to_string(), EXPORT.into()),
                })
                .collect();
            assert_eq!(found, wanted, "{name}");
            let exports = image.export_table().unwrap().unwrap().exports().unwrap();
            let names: Vec<_> = exports.iter().map(|export| export.name.unwrap()).collect();
            assert_eq!(names, EXPORTS.map(str::as_bytes), "{name}");
        }
    }
}
