// SPDX-License-Identifier: GPL-2.0-or-later
//! Stand-ins for the DLLs that the KnownDlls key names: small, but real PE DLLs that a loader can
//! bind.
//!
//! Each exports [`EXPORTS`], one function by three names that does nothing but return 1, and
//! imports what it is told. What matters of them is their import tables: the known-DLL walk must
//! find `gdi32.dll`, which no registry value names, through `user32.dll`.

/// The function that the stand-ins import from each other.
pub const EXPORT: &str = "StandIn";

/// Every stand-in's exports, sorted. The first two are what ReactOS' loader looks up in
/// `kernel32.dll` before a Windows program runs.
pub const EXPORTS: [&str; 3] = ["BaseProcessInitPostImport", "BaseQueryModuleData", EXPORT];

/// The DLLs of the default medium: name, and what each imports.
pub const DLLS: &[(&str, &[(&str, &str)])] = &[
    ("kernel32.dll", &[("ntdll.dll", "NtClose")]),
    (
        "advapi32.dll",
        &[("kernel32.dll", EXPORT), ("ntdll.dll", "NtClose")],
    ),
    ("gdi32.dll", &[("kernel32.dll", EXPORT)]),
    (
        "user32.dll",
        &[("gdi32.dll", EXPORT), ("kernel32.dll", EXPORT)],
    ),
];

const FILE_ALIGNMENT: usize = 0x200;
const CODE: u32 = 0x1000;
const DATA: u32 = 0x2000;
const RELOCATIONS: u32 = 0x3000;
const END: u32 = 0x4000;

/// Bytes of a section under construction, addressed by RVA.
struct Section {
    rva: u32,
    bytes: Vec<u8>,
}

impl Section {
    fn here(&self) -> u32 {
        self.rva + self.bytes.len() as u32
    }

    /// Appends bytes; gives their RVA.
    fn put(&mut self, bytes: &[u8]) -> u32 {
        let at = self.here();
        self.bytes.extend_from_slice(bytes);
        at
    }

    /// Appends a NUL-terminated text at an even address.
    fn text(&mut self, text: &str) -> u32 {
        if self.bytes.len() % 2 == 1 {
            self.bytes.push(0);
        }
        self.put(&[text.as_bytes(), &[0]].concat())
    }

    fn put32(&mut self, at: u32, value: u32) {
        let at = (at - self.rva) as usize;
        self.bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }

    fn put64(&mut self, at: u32, value: u64) {
        let at = (at - self.rva) as usize;
        self.bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
    }

    fn align(&mut self, to: usize) {
        self.bytes.resize(self.bytes.len().next_multiple_of(to), 0);
    }
}

/// Builds the DLL `name`; each import is a DLL and one of its functions.
pub fn build(name: &str, imports: &[(&str, &str)]) -> Vec<u8> {
    let mut data = Section {
        rva: DATA,
        bytes: Vec::new(),
    };
    // IMAGE_IMPORT_DESCRIPTORs, a zero one last; then two thunks (the import and the terminator) of
    // each table.
    let descriptors = data.put(&vec![0; 20 * (imports.len() + 1)]);
    let import_size = data.here() - descriptors;
    data.align(8);
    for (index, (dll, function)) in (0u32..).zip(imports) {
        let hint = data.text("");
        data.put(&[0]);
        data.put(function.as_bytes());
        data.put(&[0]);
        let dll = data.text(dll);
        data.align(8);
        let lookup = data.put(&[0; 16]);
        let address = data.put(&[0; 16]);
        data.put64(lookup, u64::from(hint));
        data.put64(address, u64::from(hint));
        let descriptor = descriptors + 20 * index;
        data.put32(descriptor, lookup);
        data.put32(descriptor + 12, dll);
        data.put32(descriptor + 16, address);
    }
    // The directory, and within its range everything it points to.
    let exports = data.put(&[0; 40]);
    let count = EXPORTS.len() as u32;
    let functions = data.put(&CODE.to_le_bytes().repeat(EXPORTS.len()));
    let names = data.put(&[0; 4].repeat(EXPORTS.len()));
    let ordinals = data.put(
        &(0..EXPORTS.len() as u16)
            .flat_map(u16::to_le_bytes)
            .collect::<Vec<u8>>(),
    );
    let own_name = data.text(name);
    for (index, export) in (0..count).zip(EXPORTS) {
        let export = data.text(export);
        data.put32(names + 4 * index, export);
    }
    for (offset, value) in [
        (12, own_name),
        (16, 1),
        (20, count),
        (24, count),
        (28, functions),
        (32, names),
        (36, ordinals),
    ] {
        data.put32(exports + offset, value);
    }
    let export_size = data.here() - exports;

    // One empty block: the image may be relocated, and nothing in it has to change.
    let relocations = [CODE.to_le_bytes(), 12u32.to_le_bytes(), [0; 4]].concat();
    let directories = [
        (exports, export_size),
        (descriptors, import_size),
        (0, 0),
        (0, 0),
        (0, 0),
        (RELOCATIONS, 12),
    ];
    let sections: [(&[u8; 8], u32, Vec<u8>, u32); 3] = [
        (
            b".text\0\0\0",
            CODE,
            vec![0xB8, 1, 0, 0, 0, 0xC3],
            0x6000_0020,
        ),
        (b".data\0\0\0", DATA, data.bytes, 0xC000_0040),
        (b".reloc\0\0", RELOCATIONS, relocations, 0x4200_0040),
    ];
    assemble(&directories, sections)
}

fn assemble(directories: &[(u32, u32)], sections: [(&[u8; 8], u32, Vec<u8>, u32); 3]) -> Vec<u8> {
    let mut file = vec![0; 0x40];
    file[..2].copy_from_slice(b"MZ");
    file[0x3C] = 0x40;
    file.extend(b"PE\0\0");
    let word = |value: u16| value.to_le_bytes();
    // AMD64, three sections; EXECUTABLE_IMAGE | LARGE_ADDRESS_AWARE | DLL.
    file.extend([word(0x8664), word(3)].concat());
    file.extend([0; 12]);
    file.extend([word(240), word(0x2022)].concat());
    let optional = file.len();
    file.resize(optional + 240, 0);
    let put = |file: &mut Vec<u8>, at: usize, bytes: &[u8]| {
        file[optional + at..optional + at + bytes.len()].copy_from_slice(bytes)
    };
    put(&mut file, 0, &word(0x20B));
    put(&mut file, 20, &CODE.to_le_bytes());
    put(&mut file, 24, &0x1_8000_0000u64.to_le_bytes());
    put(&mut file, 32, &0x1000u32.to_le_bytes());
    put(&mut file, 36, &(FILE_ALIGNMENT as u32).to_le_bytes());
    for at in [40, 48] {
        put(&mut file, at, &[word(5), word(2)].concat());
    }
    put(&mut file, 56, &END.to_le_bytes());
    put(&mut file, 60, &0x400u32.to_le_bytes());
    // Windows GUI, as the real ones are; DYNAMIC_BASE | NX_COMPAT.
    put(&mut file, 68, &[word(2), word(0x140)].concat());
    for (at, size) in [
        (72, 0x4_0000u64),
        (80, 0x1000),
        (88, 0x10_0000),
        (96, 0x1000),
    ] {
        put(&mut file, at, &size.to_le_bytes());
    }
    put(&mut file, 108, &16u32.to_le_bytes());
    for (index, (rva, size)) in directories.iter().enumerate() {
        put(
            &mut file,
            112 + 8 * index,
            &[rva.to_le_bytes(), size.to_le_bytes()].concat(),
        );
    }
    let mut raw = 0x400u32;
    for (name, rva, bytes, characteristics) in &sections {
        let size = bytes.len().next_multiple_of(FILE_ALIGNMENT) as u32;
        file.extend(*name);
        for value in [
            bytes.len() as u32,
            *rva,
            size,
            raw,
            0,
            0,
            0,
            *characteristics,
        ] {
            file.extend(value.to_le_bytes());
        }
        raw += size;
    }
    file.resize(0x400, 0);
    for (_, _, bytes, _) in sections {
        file.extend(bytes);
        file.resize(file.len().next_multiple_of(FILE_ALIGNMENT), 0);
    }
    file
}

#[cfg(test)]
mod tests {
    use super::*;
    use object::LittleEndian as LE;
    use object::read::pe::PeFile64;

    #[test]
    fn a_reader_that_is_not_ours_finds_the_imports_and_the_export() {
        for (name, imports) in DLLS {
            let bytes = build(name, imports);
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
                .map(|(dll, function)| ((*dll).into(), (*function).into()))
                .collect();
            assert_eq!(found, wanted, "{name}");
            let exports = image.export_table().unwrap().unwrap().exports().unwrap();
            let names: Vec<_> = exports.iter().map(|export| export.name.unwrap()).collect();
            assert_eq!(names, EXPORTS.map(str::as_bytes), "{name}");
        }
    }
}
